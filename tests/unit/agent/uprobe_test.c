/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../agent/probe_point.h"
#include "../../../agent/uprobe.h"

static void test_close_all_closes_and_forgets(void **state)
{
	enum { CNT = 100 };
	int fds[CNT], copies[CNT];
	size_t i;

	for (i = 0; i < CNT; i++)
		fds[i] = copies[i] = i % 3 ? dup(2) : -1;
	assert_int_equal(uprobe__close_all(fds, CNT), 0);
	for (i = 0; i < CNT; i++) {
		assert_int_equal(fds[i], -1);
		assert_int_equal(fcntl(copies[i], F_GETFD), -1);
	}
	assert_int_equal(uprobe__close_all(fds, 0), 0);
}

static void test_attach_reports_errors(void **state)
{
	uint64_t offset = 0;

	assert_true(uprobe__attach_multi(-1, "/proc/self/exe", 0, &offset, NULL, 1) < 0);
	assert_true(uprobe__attach_perf(-1, "/nonexistent", 0, 0) < 0);
}

static void test_probe_points(void **state)
{
	uint64_t emulated = 0, stepped = 0;

	assert_int_equal(probe_point_emulated(7), 7);
	assert_int_equal(probe_point_stepped(7), 8);
	assert_int_equal(probe_point__offset(probe_point_emulated, &emulated), 0);
	assert_int_equal(probe_point__offset(probe_point_stepped, &stepped), 0);
	assert_int_equal(stepped - emulated, (uintptr_t)probe_point_stepped -
						     (uintptr_t)probe_point_emulated);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_close_all_closes_and_forgets),
		cmocka_unit_test(test_attach_reports_errors),
		cmocka_unit_test(test_probe_points),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
