/* SPDX-License-Identifier: Apache-2.0 */
/* A target's names and resource, of processes with environments made for it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/utsname.h>

#include "../../../agent/attributes.h"
#include "../../../agent/target.h"
#include "child.h"

static struct config config;
static struct go_info info;
static struct target *target;

static int set_up(void **state)
{
	config = (struct config){};
	info = (struct go_info){
		.go_version = "go1.24.4 X:nocoverageredesign",
		.build_id = "",
		.module = "example.com/shop",
		.main_path = "example.com/shop/cmd/shop",
		.module_version = "(devel)",
		.vcs_revision = "abc123",
		.arch = GO_ARCH_AMD64,
	};
	target = NULL;
	make_directory();
	return 0;
}

static int tear_down(void **state)
{
	target__free(target);
	end_all();
	remove_directory();
	return 0;
}

/* A process "cart" with these two variables ("" leaves one out), sleeping. */
static int start_cart(const char *service_name, const char *attributes)
{
	const char *path = copy_program("/bin/sleep", "cart");
	char name[128], pairs[512];
	int pid;

	snprintf(name, sizeof(name), "OTEL_SERVICE_NAME=%s", service_name);
	snprintf(pairs, sizeof(pairs), "OTEL_RESOURCE_ATTRIBUTES=%s", attributes);
	pid = start((char *[]){"/usr/bin/env", "-i", name, pairs, (char *)path, "100", NULL}, NULL);
	/* env is exec'ed first */
	for (int i = 0; i < 500; i++) {
		struct process p;

		if (!process__read(pid, &p)) {
			bool ready = !strcmp(p.exe_path, path);

			process__clear(&p);
			if (ready)
				return pid;
		}
		sleep_ms(10);
	}
	fail_msg("cart did not start");
	return -1;
}

static void make_target(int pid, bool several)
{
	struct process p;

	target__free(target);
	target = NULL;
	assert_int_equal(process__read(pid, &p), 0);
	assert_int_equal(target__new(&config, &info, &p, several, &target), 0);
	assert_null(p.exe_path);
	assert_true(target->resource.len > 0);
}

static const char *attribute(const char *key)
{
	struct attributes a = { .at = target->attributes, .cnt = target->attribute_cnt };

	return attributes__text(&a, key);
}

static void assert_attribute(const char *key, const char *value)
{
	assert_non_null(attribute(key));
	assert_string_equal(attribute(key), value);
}

static void test_what_is_found_out(void **state)
{
	int pid = start_cart("", ""), i;
	struct utsname uts;
	int64_t number = 0;
	char path[128];

	make_target(pid, false);
	snprintf(path, sizeof(path), "%s/cart", directory);
	uname(&uts);
	assert_string_equal(target->service_name, "cart");
	assert_attribute("service.name", "cart");
	assert_attribute("service.version", "abc123");
	assert_attribute("telemetry.sdk.language", "go");
	assert_attribute("telemetry.sdk.name", "gospan");
	assert_attribute("telemetry.distro.name", "gospan");
	assert_attribute("process.executable.name", "cart");
	assert_attribute("process.executable.path", path);
	assert_attribute("process.runtime.name", "go");
	assert_attribute("process.runtime.version", "go1.24.4");
	assert_non_null(attribute("process.owner"));
	assert_attribute("host.name", uts.nodename);
	assert_attribute("os.type", "linux");
	assert_attribute("os.version", uts.release);
	for (i = 0; i < (int)target->attribute_cnt; i++) {
		if (!strcmp(target->attributes[i].key, "process.pid"))
			number = target->attributes[i].number;
		assert_string_not_equal(target->attributes[i].key, "process.command_args");
	}
	assert_int_equal(number, pid);
	info.module_version = "v1.2.3";
	make_target(pid, false);
	assert_attribute("service.version", "v1.2.3");
}

static void test_creation_time(void **state)
{
	struct tm tm = {};
	time_t now = time(NULL);

	make_target(start_cart("", ""), false);
	assert_int_equal(strlen(attribute("process.creation.time")),
			 strlen("2023-11-21T09:25:34.853Z"));
	assert_string_equal(
		strptime(attribute("process.creation.time"), "%Y-%m-%dT%H:%M:%S", &tm) + 4, "Z");
	assert_in_range(timegm(&tm) - (now - 10), 0, 20);
}

static void test_order_of_names(void **state)
{
	int pid = start_cart("", "service.name=theirs%20too,service.namespace=ns");

	make_target(pid, false);
	assert_string_equal(target->service_name, "theirs too");
	assert_attribute("service.name", "theirs too");
	assert_attribute("service.namespace", "ns");
	config.resource_attributes = "k8s.pod.name=p,service.name=ours,service.namespace=own";
	make_target(pid, false);
	assert_attribute("service.name", "ours");
	assert_attribute("service.namespace", "own");
	config.own_service_name = "own name";
	make_target(pid, false);
	assert_attribute("service.name", "own name");
	/* with several executables our names are nobody's, the rest of ours still holds */
	make_target(pid, true);
	assert_attribute("service.name", "theirs too");
	assert_attribute("k8s.pod.name", "p");
	config.service_name = "flag";
	make_target(pid, true);
	assert_attribute("service.name", "flag");
}

static void test_their_service_name_beats_their_attributes(void **state)
{
	make_target(start_cart("env", "service.name=pair,telemetry.sdk.name=other"), false);
	assert_attribute("service.name", "env");
	assert_attribute("telemetry.sdk.name", "gospan");
}

static void test_malformed_pairs_are_left_out(void **state)
{
	int pid = start_cart("", "bad,a=1,%zz=2,b=%");

	log__set_level(LOG_NONE);
	make_target(pid, false);
	log__set_level(LOG_INFO);
	assert_attribute("a", "1");
	assert_null(attribute("b"));
	assert_null(attribute("bad"));
}

static void test_instance_ids(void **state)
{
	int pid = start_cart("", "service.instance.id=given");
	char derived[64];

	make_target(pid, false);
	assert_true(target->instance_id_given);
	assert_attribute("service.instance.id", "given");
	assert_int_equal(target__derive_instance_id(target), 0);
	assert_false(target->instance_id_given);
	assert_string_not_equal(target->instance_id, "given");
	assert_attribute("service.instance.id", target->instance_id);
	/* a version 5 UUID, the same each time, another one for another process */
	assert_int_equal(strlen(target->instance_id), 36);
	assert_int_equal(target->instance_id[14], '5');
	strcpy(derived, target->instance_id);
	assert_int_equal(target__derive_instance_id(target), 0);
	assert_string_equal(target->instance_id, derived);
	make_target(pid, false);
	assert_int_equal(target__derive_instance_id(target), 0);
	assert_string_equal(target->instance_id, derived);
	config.resource_attributes = "service.instance.id=ours";
	make_target(pid, false);
	assert_attribute("service.instance.id", "ours");
	config.resource_attributes = NULL;
	end(pid);
	make_target(start_cart("", ""), false);
	assert_false(target->instance_id_given);
	assert_string_not_equal(target->instance_id, derived);
}

static void test_args_on_request(void **state)
{
	const struct otlp_attribute *args = NULL;
	size_t i;

	config.process_args = true;
	make_target(start_cart("", ""), false);
	for (i = 0; i < target->attribute_cnt; i++) {
		if (!strcmp(target->attributes[i].key, "process.command_args"))
			args = &target->attributes[i];
	}
	assert_non_null(args);
	assert_int_equal(args->type, OTLP_TEXTS);
	assert_int_equal(args->texts.cnt, 2);
	assert_string_equal(args->texts.at[1].at, "100");
	assert_int_equal(args->texts.at[1].len, 3);
}

static void test_gone_process(void **state)
{
	struct process p = { .pid = 1 };
	int pid = start_cart("", ""), err = 0;

	kill(pid, SIGKILL);
	for (int i = 0; i < 500 && !err; i++) {
		err = process__read(pid, &p);
		process__clear(&p);
		sleep_ms(10);
	}
	assert_int_equal(err, -ESRCH); /* a zombie is gone, too */
	end(pid);
	assert_int_equal(process__read(pid, &p), -ESRCH);
	assert_null(p.exe_path);
}

static void test_kernel_thread(void **state)
{
	struct process p = {};
	int err = process__read(2, &p);

	/* pid 2 is kthreadd, unless this is a container */
	if (err == -ESRCH || !err) {
		process__clear(&p);
		skip();
	}
	assert_int_equal(err, -ENOEXEC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_what_is_found_out),
		TEST(test_creation_time),
		TEST(test_order_of_names),
		TEST(test_their_service_name_beats_their_attributes),
		TEST(test_malformed_pairs_are_left_out),
		TEST(test_instance_ids),
		TEST(test_args_on_request),
		TEST(test_gone_process),
		TEST(test_kernel_thread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
