/* SPDX-License-Identifier: Apache-2.0 */
/* Discovery against real processes, and its pure parts against text. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>

#include "../../../agent/discover.h"
#include "../../../agent/go_exe.h"
#include "../../../agent/listener.h"
#include "../../../agent/proc.h"
#include "../../../agent/wanted.h"
#include "child.h"

enum { PATIENCE_MS = 5000 };

static struct config config;
static struct discover *discover;
static const char *patterns[4];
static int pids[4];
static unsigned ports[1];

static struct {
	int found, gone, last_pid;
	bool deleted;
	char last_path[PATH_MAX];
} seen;

static void on_found(void *ctx, const struct process *p)
{
	seen.found++;
	seen.last_pid = p->pid;
	seen.deleted = p->exe_deleted;
	snprintf(seen.last_path, sizeof(seen.last_path), "%s", p->exe_path);
}

static void on_gone(void *ctx, int pid)
{
	seen.gone++;
	seen.last_pid = pid;
}

static int set_up(void **state)
{
	config = (struct config){ .exes.at = patterns, .pids = pids, .ports = ports };
	memset(&seen, 0, sizeof(seen));
	make_directory();
	return 0;
}

static int tear_down(void **state)
{
	discover__free(discover);
	discover = NULL;
	end_all();
	remove_directory();
	return 0;
}

static int begin(void)
{
	const struct discover_callbacks callbacks = { .found = on_found, .gone = on_gone };

	return discover__new(&config, &callbacks, &discover);
}

static void look_for(const char *pattern)
{
	static char copy[PATH_MAX];

	strcpy(copy, pattern);
	patterns[0] = copy;
	config.exes.cnt = 1;
	assert_int_equal(begin(), 0);
}

static void sweep_until(const int *counter, int value)
{
	int waited;

	for (waited = 0; waited < PATIENCE_MS && *counter != value; waited += 20) {
		discover__sweep(discover);
		if (*counter != value)
			sleep_ms(20);
	}
	assert_int_equal(*counter, value);
}

static int start_sleep(const char *path)
{
	return start((char *[]){ (char *)path, "100", NULL }, NULL);
}

static void test_path_is_found_once_and_goes(void **state)
{
	const char *path = copy_program("/bin/sleep", "shop");
	int pid;

	look_for(path);
	discover__sweep(discover);
	assert_int_equal(seen.found, 0);
	assert_false(discover__exhausted(discover));
	pid = start_sleep(path);
	discover__sweep(discover);
	discover__sweep(discover);
	assert_int_equal(seen.found, 1);
	assert_int_equal(seen.last_pid, pid);
	assert_string_equal(seen.last_path, path);
	assert_int_equal(seen.gone, 0);
	end(pid);
	discover__sweep(discover);
	discover__sweep(discover);
	assert_int_equal(seen.gone, 1);
	/* a restart is another process */
	start_sleep(path);
	discover__sweep(discover);
	assert_int_equal(seen.found, 2);
}

static void test_deleted_executable_matches(void **state)
{
	const char *path = copy_program("/bin/sleep", "gospan-test-deleted");

	start_sleep(path);
	unlink(path);
	look_for("gospan-test-deleted");
	discover__sweep(discover);
	assert_int_equal(seen.found, 1);
	assert_true(seen.deleted);
	assert_string_equal(seen.last_path, path);
}

static void test_events_need_no_sweep(void **state)
{
	const char *path = copy_program("/bin/sleep", "shop");
	int pid;

	look_for(path);
	pid = start_sleep(path);
	discover__exec(discover, pid);
	assert_int_equal(seen.found, 1);
	kill(pid, SIGSTOP); /* the event comes while /proc still shows it */
	discover__exit(discover, pid);
	assert_int_equal(seen.gone, 1);
	discover__sweep(discover);
	discover__exec(discover, pid);
	assert_int_equal(seen.found, 1);
	end(pid);
	discover__sweep(discover);
	assert_int_equal(seen.gone, 1);
	discover__exec(discover, pid);
	discover__exit(discover, pid);
	assert_int_equal(seen.found, 1);
}

static void test_exec_of_the_same_file(void **state)
{
	const char *path = copy_program("/bin/sleep", "shop");
	int pid = start_sleep(path), other = start_sleep("/bin/sleep");

	look_for(path);
	discover__sweep(discover);
	/* word of the exec that made it what was found comes late */
	discover__execed(discover, pid, 1);
	assert_int_equal(seen.gone, 0);
	assert_int_equal(seen.found, 1);
	discover__execed(discover, pid, UINT64_MAX);
	assert_int_equal(seen.gone, 1);
	assert_int_equal(seen.found, 2);
	assert_int_equal(seen.last_pid, pid);
	discover__sweep(discover);
	discover__execed(discover, other, UINT64_MAX);
	assert_int_equal(seen.found, 2);
	end(pid);
	discover__execed(discover, pid, UINT64_MAX);
	assert_int_equal(seen.gone, 2);
	assert_int_equal(seen.found, 2);
}

static void test_exec_of_something_else(void **state)
{
	char *path = strdup(copy_program("/bin/sh", "shop"));
	int input, pid;

	look_for(path);
	pid = start((char *[]){ path, "-c", "read x; exec /bin/sleep 100", NULL }, &input);
	sweep_until(&seen.found, 1);
	assert_int_equal(write(input, "\n", 1), 1);
	sweep_until(&seen.gone, 1);
	assert_int_equal(seen.last_pid, pid);
	assert_int_equal(seen.found, 1);
	close(input);
	free(path);
}

static void test_a_fork_is_left_alone_at_first(void **state)
{
	char *path = strdup(copy_program("/bin/sh", "shop"));
	int input, i;

	look_for(path);
	start((char *[]){ path, "-c", "exec 3<&0; (read x <&3) & wait", NULL }, &input);
	for (i = 0; i < 20; i++) {
		discover__sweep(discover);
		sleep_ms(10);
	}
	assert_int_equal(seen.found, 1);
	sweep_until(&seen.found, 2); /* it stays what it is */
	close(input);
	free(path);
}

static void test_named_pid(void **state)
{
	char *path = strdup(copy_program("/bin/sh", "shop"));
	int input;

	pids[0] = start((char *[]){ path, "-c", "read x; exec /bin/sleep 100", NULL }, &input);
	config.pid_cnt = 1;
	assert_int_equal(begin(), 0);
	assert_int_equal(seen.found, 0);
	sweep_until(&seen.found, 1);
	assert_false(discover__exhausted(discover));
	/* it stays wanted, whatever it runs */
	assert_int_equal(write(input, "\n", 1), 1);
	sweep_until(&seen.found, 2);
	assert_int_equal(seen.gone, 1);
	assert_false(discover__exhausted(discover));
	end(pids[0]);
	discover__sweep(discover);
	assert_int_equal(seen.gone, 2);
	assert_true(discover__exhausted(discover));
	close(input);
	free(path);
}

static void test_pids_that_cannot_be(void **state)
{
	const char *path = copy_program("/bin/sleep", "shop");

	config.pid_cnt = 1;
	pids[0] = start_sleep(path);
	end(pids[0]);
	log__set_level(LOG_NONE);
	assert_int_equal(begin(), -ESRCH);
	pids[0] = getpid();
	assert_int_equal(begin(), -EINVAL);
	log__set_level(LOG_INFO);
}

static void test_glob_is_for_go_programs(void **state)
{
	const char *go = go_program(), *path;
	char pattern[128];
	int pid;

	if (!go)
		skip();
	start_sleep(copy_program("/bin/sleep", "shop-c"));
	snprintf(pattern, sizeof(pattern), "%s/shop-*", directory);
	look_for(pattern);
	discover__sweep(discover);
	assert_int_equal(seen.found, 0);
	path = copy_program(go, "shop-go");
	pid = start((char *[]){ (char *)path, "127.0.0.1:0", NULL }, NULL);
	discover__sweep(discover);
	assert_int_equal(seen.found, 1);
	assert_int_equal(seen.last_pid, pid);
	assert_true(discover__is_go(pid));
	assert_false(discover__is_go(getpid()));
	assert_false(discover__is_go(children[0]));
}

static void test_port(void **state)
{
	const char *go = go_program();
	int pid, waited;

	if (!go)
		skip();
	pid = start((char *[]){ (char *)go, "127.0.0.1:0", NULL }, NULL);
	for (waited = 0; waited < PATIENCE_MS && !discover__port_of(pid); waited += 20)
		sleep_ms(20);
	ports[0] = discover__port_of(pid);
	assert_in_range(ports[0], 1, 65535);
	assert_int_equal(discover__listener(ports[0]), pid);
	config.port_cnt = 1;
	assert_int_equal(begin(), 0);
	discover__sweep(discover);
	discover__sweep(discover);
	assert_int_equal(seen.found, 1);
	assert_int_equal(seen.last_pid, pid);
	end(pid);
	discover__sweep(discover);
	assert_int_equal(seen.gone, 1);
	assert_int_equal(discover__listener(ports[0]), -ENOENT);
	assert_int_equal(discover__port_of(getpid()), 0);
	assert_false(discover__exhausted(discover));
}

static void test_descendants_of_a_root(void **state)
{
	const char *go = go_program();
	char script[PATH_MAX + 64];
	int input, pid, go_pid;

	if (!go)
		skip();
	snprintf(script, sizeof(script), "read x; sleep 3 & %s 127.0.0.1:0", go);
	pid = start((char *[]){ "/bin/sh", "-c", script, NULL }, &input);
	/* another Go program, which nobody asked for */
	start((char *[]){ (char *)go, "127.0.0.1:0", NULL }, NULL);
	assert_int_equal(begin(), 0);
	assert_true(discover__exhausted(discover));
	assert_int_equal(discover__add_root(discover, pid), 0);
	assert_false(discover__exhausted(discover));
	discover__sweep(discover);
	assert_int_equal(seen.found, 0);
	assert_int_equal(write(input, "\n", 1), 1);
	sweep_until(&seen.found, 1);
	go_pid = seen.last_pid;
	assert_true(go_pid != pid);
	assert_string_equal(seen.last_path, go);
	kill(go_pid, SIGKILL);
	sweep_until(&seen.gone, 1);
	assert_int_equal(seen.last_pid, go_pid);
	close(input);
}

static void note_self(void *ctx, const struct process *p)
{
	if (p->pid == getpid() && p->uid == geteuid() && p->start_time)
		*(bool *)ctx = true;
}

static void test_each_process(void **state)
{
	bool self = false;

	discover__each_process(note_self, &self);
	assert_true(self);
}

static void test_describe(void **state)
{
	char text[64], small[8];

	pids[0] = start_sleep(copy_program("/bin/sleep", "shop"));
	config.pid_cnt = config.port_cnt = 1;
	ports[0] = 8080;
	look_for("shop");
	discover__describe(discover, text, sizeof(text));
	assert_non_null(strstr(text, ", OTEL_GO_AUTO_TARGET_EXE='shop', :8080"));
	discover__describe(discover, small, sizeof(small));
	assert_int_equal(strlen(small), sizeof(small) - 1);
}

static void test_match_exe(void **state)
{
	assert_int_equal(wanted__match_exe("shop", "/opt/shop"), EXE_BY_NAME);
	assert_int_equal(wanted__match_exe("/opt/shop", "/opt/shop"), EXE_BY_PATH);
	assert_int_equal(wanted__match_exe("/opt/[x]", "/opt/[x]"), EXE_BY_PATH);
	assert_int_equal(wanted__match_exe("sh*", "/opt/shop"), EXE_BY_GLOB);
	assert_int_equal(wanted__match_exe("/opt/*", "/opt/a/shop"), EXE_BY_GLOB);
	assert_int_equal(wanted__match_exe("*/shop", "/opt/a/shop"), EXE_BY_GLOB);
	assert_int_equal(wanted__match_exe("opt", "/opt/shop"), EXE_NO_MATCH);
	assert_int_equal(wanted__match_exe("/shop", "/opt/shop"), EXE_NO_MATCH);
	assert_int_equal(wanted__match_exe("sho", "/opt/shop"), EXE_NO_MATCH);
}

static void note_port(void *ctx, unsigned port, unsigned long inode)
{
	unsigned long *sum = ctx;

	*sum += port * 1000000ul + inode;
}

static void test_listener_parse(void **state)
{
	unsigned long sum = 0;

	listener__parse("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			"retrnsmt   uid\n"
			"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
			"00000000  1000        0 "
			"1234 1 0000000000000000 100 0 0 10 0\n"
			"   1: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 "
			"00000000  1000        0 "
			"99 1 0000000000000000 100 0 0 10 0\n"
			"   2: 00000000000000000000000001000000:0050 "
			"00000000000000000000000000000000:0000 0A "
			"00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n"
			"   3: rubbish\n   4: 01",
			note_port, &sum);
	assert_int_equal(sum, 8080 * 1000000ul + 1234 + 80 * 1000000ul + 7);
}

static void test_parse_stat(void **state)
{
	struct proc_stat stat;

	assert_int_equal(
		proc__parse_stat("7 (a) b) (c)) S 3 5 6 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 "
				 "123456 9 9",
				 &stat),
		0);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 3);
	assert_int_equal(stat.pgrp, 5);
	assert_int_equal(stat.start_time, 123456);
	assert_false(stat.kernel_thread);
	assert_int_equal(
		proc__parse_stat("2 (kthreadd) S 0 0 0 0 -1 2129984 1 2 3 4 5 6 7 8 20 0 1 0 1",
				 &stat),
		0);
	assert_true(stat.kernel_thread);
	assert_int_equal(proc__parse_stat("7 (a) S 3 5", &stat), -EINVAL);
	assert_int_equal(proc__parse_stat("", &stat), -EINVAL);
}

static void test_environ_get(void **state)
{
	static const char text[] = "AB=1\0A=2\0EMPTY=\0CUT=thr";

	assert_string_equal(environ__get(text, sizeof(text) - 1, "A"), "2");
	assert_string_equal(environ__get(text, sizeof(text) - 1, "EMPTY"), "");
	assert_null(environ__get(text, sizeof(text) - 1, "B"));
	assert_null(environ__get(text, sizeof(text) - 1, "CUT"));
	assert_null(environ__get(NULL, 0, "A"));
}

static void test_collectors(void **state)
{
	static const struct {
		char *module, *main_path;
		bool is;
		char *deps;
	} cases[] = {
		{ "go.opentelemetry.io/collector/cmd/builder", "", true, "" },
		{ "github.com/open-telemetry/opentelemetry-collector-releases/contrib", "", true, "" },
		{ "", "go.opentelemetry.io/collector", true, "" },
		{ "github.com/grafana/alloy", "github.com/grafana/alloy", true, "" },
		{ "github.com/grafana/beyla/v2", "", true, "" },
		{ "go.opentelemetry.io/obi", "go.opentelemetry.io/obi/cmd/obi", true, "" },
		{ "github.com/jaegertracing/jaeger", "", true, "" },
		{ "go.opentelemetry.io/collectors", "", false, "" },
		{ "github.com/grafana/grafana", "", false, "" },
		{ "example.com/go.opentelemetry.io/collector", "", false, "" },
		{ "", "", false, "" },
		/* built by ocb with a module name of its own; a backend that only links pdata */
		{ "example.com/shop/otel", "", true,
		  "github.com/a/b\ngo.opentelemetry.io/collector/otelcol\nx\n" },
		{ "example.com/shop", "", false,
		  "go.opentelemetry.io/collector/pdata\ngo.opentelemetry.io/collector/otelcolx\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buildinfo info = {.module = cases[i].module,
					 .main_path = cases[i].main_path,
					 .deps = cases[i].deps};

		assert_int_equal(go_exe__is_collector(&info), cases[i].is);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_path_is_found_once_and_goes),
		TEST(test_deleted_executable_matches),
		TEST(test_events_need_no_sweep),
		TEST(test_exec_of_the_same_file),
		TEST(test_exec_of_something_else),
		TEST(test_a_fork_is_left_alone_at_first),
		TEST(test_named_pid),
		TEST(test_pids_that_cannot_be),
		TEST(test_glob_is_for_go_programs),
		TEST(test_port),
		TEST(test_descendants_of_a_root),
		TEST(test_each_process),
		TEST(test_describe),
		cmocka_unit_test(test_match_exe),
		cmocka_unit_test(test_listener_parse),
		cmocka_unit_test(test_parse_stat),
		cmocka_unit_test(test_environ_get),
		cmocka_unit_test(test_collectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
