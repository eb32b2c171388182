/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../agent/links.h"

static int allocations_left = -1; /* -1: as many as are asked for */

/* In libc's place. */
void *reallocarray(void *at, size_t cnt, size_t size)
{
	if (!allocations_left)
		return NULL;
	allocations_left -= allocations_left > 0;
	return realloc(at, cnt * size);
}

static int is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

static void test_a_link_that_cannot_be_kept_is_closed(void **state)
{
	struct links links = {};
	int fd;

	for (int left = 0; left < 2; left++) {
		fd = dup(2);
		allocations_left = left;
		assert_int_equal(links__add(&links, fd, 7), -ENOMEM);
		assert_false(is_open(fd));
		assert_int_equal(links.cnt, 0);
	}
	allocations_left = -1;
	fd = dup(2);
	assert_int_equal(links__add(&links, fd, 7), 0);
	assert_true(is_open(fd));
	links__free(&links);
	assert_false(is_open(fd));
}

static void test_those_of_one_process_are_closed(void **state)
{
	enum { CNT = 6 };
	struct links links = {};
	int fds[CNT], taken[CNT];

	for (int i = 0; i < CNT; i++) {
		fds[i] = dup(2);
		assert_int_equal(links__add(&links, fds[i], i % 2), 0);
	}
	links__close_of(&links, 1);
	assert_int_equal(links.cnt, CNT / 2);
	for (int i = 0; i < CNT; i++)
		assert_int_equal(is_open(fds[i]), i % 2 == 0);
	assert_int_equal(links__take(&links, taken, 1), 1);
	assert_true(is_open(taken[0]));
	links__close_all(&links);
	assert_int_equal(links.cnt, 0);
	assert_true(is_open(taken[0]));
	close(taken[0]);
	for (int i = 0; i < CNT; i++)
		assert_false(is_open(fds[i]));
	links__free(&links);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_link_that_cannot_be_kept_is_closed),
		cmocka_unit_test(test_those_of_one_process_are_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
