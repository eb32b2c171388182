/* SPDX-License-Identifier: Apache-2.0 */
#include <cap-ng.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../agent/privileges.h"

static uint64_t status_mask(const char *name)
{
	FILE *file = fopen("/proc/self/status", "r");
	unsigned long long mask = 0;
	char line[256];

	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			sscanf(line + strlen(name), ":%llx", &mask);
	fclose(file);
	return mask;
}

#define BIT(capability) (1ull << (capability))

static const uint64_t always_kept = BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_PTRACE) |
				    BIT(CAP_DAC_READ_SEARCH);

/* Of a child: it cannot be had again. */
static void give_up(int capability)
{
	if (capng_get_caps_process() ||
	    capng_update(CAPNG_DROP, CAPNG_EFFECTIVE | CAPNG_PERMITTED, capability) ||
	    capng_apply(CAPNG_SELECT_CAPS))
		_exit(100);
}

/* Runs in a child, as there is no way back; its exit status is the number of the failed check. */
static int drop_in_child(unsigned uses, int missing, uint64_t kept)
{
	uint64_t before, may_bound, bounding;
	int status;

	if (!fork()) {
		give_up(missing);
		before = status_mask("CapPrm");
		may_bound = status_mask("CapEff") & BIT(CAP_SETPCAP);
		bounding = status_mask("CapBnd");
		if (privileges__drop(uses))
			_exit(1);
		if (status_mask("CapEff") != (before & kept))
			_exit(2);
		if (status_mask("CapPrm") != (before & kept))
			_exit(3);
		if (status_mask("CapBnd") != (may_bound ? before & kept : bounding))
			_exit(4);
		_exit(0);
	}
	wait(&status);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_drop_keeps_only_what_is_needed(void **state)
{
	assert_int_equal(drop_in_child(0, CAP_CHOWN, always_kept), 0);
}

static void test_drop_keeps_what_uses_ask_for(void **state)
{
	assert_int_equal(drop_in_child(ATTACH_BY_PERF, CAP_CHOWN,
				       always_kept | BIT(CAP_SYS_ADMIN)), 0);
	assert_int_equal(drop_in_child(WRITE_HEADERS, CAP_CHOWN, always_kept | BIT(CAP_SYS_ADMIN)), 0);
	assert_int_equal(drop_in_child(SIGNAL_OTHERS, CAP_CHOWN, always_kept | BIT(CAP_KILL)), 0);
}

static void test_drop_keeps_admin_where_it_stands_in(void **state)
{
	assert_int_equal(drop_in_child(0, CAP_BPF, always_kept | BIT(CAP_SYS_ADMIN)), 0);
	assert_int_equal(drop_in_child(0, CAP_PERFMON, always_kept | BIT(CAP_SYS_ADMIN)), 0);
}

static void test_explain_process_that_is_gone(void **state)
{
	char line[128];

	privileges__explain_process(0x7ffffff, line, sizeof(line));
	assert_string_equal(line, "pid 134217727 is gone, or hidden from us");
}

/* What a child says of us, which has less than we have. */
static void explain_without_ptrace(unsigned uid, char *line, size_t line_sz)
{
	int victim = getpid(), out[2], status;

	assert_int_equal(pipe(out), 0);
	if (!fork()) {
		if (uid && setuid(uid))
			_exit(1);
		give_up(CAP_SYS_PTRACE);
		privileges__explain_process(victim, line, line_sz);
		strncat(line, "|", line_sz - strlen(line) - 1);
		strncat(line, privileges__explain_denied(), line_sz - strlen(line) - 1);
		_exit(write(out[1], line, strlen(line) + 1) < 0);
	}
	wait(&status);
	assert_int_equal(status, 0);
	assert_true(read(out[0], line, line_sz) > 0);
	close(out[0]);
	close(out[1]);
}

static void test_root_is_not_told_to_be_root(void **state)
{
	char line[512];

	if (capng_get_caps_process() || geteuid() || !capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE))
		skip();
	explain_without_ptrace(0, line, sizeof(line));
	assert_non_null(strstr(line, "has capabilities that we lack"));
	assert_non_null(strstr(line, "missing CAP_SYS_PTRACE, which root lacks here|"));
	assert_non_null(strstr(line, "|this needs CAP_SYS_PTRACE, which root lacks here, or no more "
				     "capabilities in them"));
	explain_without_ptrace(65534, line, sizeof(line));
	assert_non_null(strstr(line, "belongs to user 0: missing CAP_SYS_PTRACE (or root)|"));
	assert_non_null(strstr(line, "|this needs CAP_SYS_PTRACE, or to run as root"));
}

static void test_explain_process_of_other_user(void **state)
{
	char line[128];
	int status;

	if (capng_get_caps_process() || geteuid() || !capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID))
		skip();
	if (!fork()) {
		if (setuid(65534))
			_exit(1);
		privileges__explain_process(1, line, sizeof(line));
		_exit(strcmp(line, "pid 1 belongs to user 0: missing CAP_SYS_PTRACE (or root)") != 0);
	}
	wait(&status);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop_keeps_only_what_is_needed),
		cmocka_unit_test(test_drop_keeps_what_uses_ask_for),
		cmocka_unit_test(test_drop_keeps_admin_where_it_stands_in),
		cmocka_unit_test(test_explain_process_that_is_gone),
		cmocka_unit_test(test_root_is_not_told_to_be_root),
		cmocka_unit_test(test_explain_process_of_other_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
