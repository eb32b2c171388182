/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../../agent/loop.h"

enum { MS = 1000 * 1000 };

struct fixture {
	struct loop *loop;
	struct loop_timer *timer, *other;
	int fds[2];
	int hits[2];
	int ticks;
};

static int set_up(void **state)
{
	static struct fixture f;
	int i;

	f = (struct fixture){};
	assert_int_equal(loop__new(&f.loop), 0);
	for (i = 0; i < 2; i++) {
		f.fds[i] = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
		assert_true(f.fds[i] >= 0);
	}
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fds[0]);
	close(f->fds[1]);
	loop__free(f->loop);
	return 0;
}

static void stop(void *ctx)
{
	struct fixture *f = ctx;

	loop__stop(f->loop, 42);
}

/* Everything gets its chance within 30 ms. */
static void run_a_while(struct fixture *f)
{
	struct loop_timer *end;

	assert_int_equal(loop__add_timer(f->loop, stop, f, &end), 0);
	loop__start_timer(end, 30 * MS, 0);
	assert_int_equal(loop__run(f->loop), 42);
	loop__remove_timer(end);
}

/* Takes the other fd out: its event is fetched already. */
static void stop_both(void *ctx, int fd, uint32_t events)
{
	struct fixture *f = ctx;

	f->hits[fd == f->fds[1]]++;
	assert_int_equal(loop__watch(f->loop, f->fds[0], 0, NULL, NULL), 0);
	assert_int_equal(loop__watch(f->loop, f->fds[1], 0, NULL, NULL), 0);
}

static void test_removed_fd_gets_no_stale_event(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop__watch(f->loop, f->fds[0], EPOLLIN, stop_both, f), 0);
	assert_int_equal(loop__watch(f->loop, f->fds[1], EPOLLIN, stop_both, f), 0);
	run_a_while(f);
	assert_int_equal(f->hits[0] + f->hits[1], 1);
}

static void never(void *ctx, int fd, uint32_t events)
{
	fail_msg("an event of a former fd");
}

/* Closes the other fd and opens another under the same number, which is not ready. */
static void reuse_other(void *ctx, int fd, uint32_t events)
{
	struct fixture *f = ctx;
	int other = fd == f->fds[0], number = f->fds[other];

	f->hits[0]++;
	assert_int_equal(loop__watch(f->loop, fd, 0, NULL, NULL), 0);
	close(number);
	assert_int_equal(eventfd(0, EFD_CLOEXEC), number);
	assert_int_equal(loop__watch(f->loop, number, EPOLLIN, never, f), 0);
}

static void test_reused_number_gets_no_stale_event(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop__watch(f->loop, f->fds[0], EPOLLIN, reuse_other, f), 0);
	assert_int_equal(loop__watch(f->loop, f->fds[1], EPOLLIN, reuse_other, f), 0);
	run_a_while(f);
	assert_int_equal(f->hits[0], 1);
}

static void count(void *ctx, int fd, uint32_t events)
{
	struct fixture *f = ctx;
	uint64_t value;

	assert_int_equal(read(fd, &value, sizeof(value)), sizeof(value));
	f->hits[fd == f->fds[1]]++;
}

static void test_watch_changes_and_stops(void **state)
{
	struct fixture *f = *state;

	/* ready to write all the time, to read once */
	assert_int_equal(loop__watch(f->loop, f->fds[0], EPOLLOUT, never, f), 0);
	assert_int_equal(loop__watch(f->loop, f->fds[0], EPOLLIN, count, f), 0);
	assert_int_equal(loop__watch(f->loop, f->fds[1], EPOLLIN, count, f), 0);
	assert_int_equal(loop__watch(f->loop, f->fds[1], 0, NULL, NULL), 0);
	assert_int_equal(loop__watch(f->loop, f->fds[1], 0, NULL, NULL), 0);
	run_a_while(f);
	assert_int_equal(f->hits[0], 1);
	assert_int_equal(f->hits[1], 0);
	assert_int_equal(loop__watch(f->loop, -1, EPOLLIN, count, f), -EBADF);
}

static void tick(void *ctx)
{
	struct fixture *f = ctx;

	f->ticks++;
}

static void test_repeats_until_stopped(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop__add_timer(f->loop, tick, f, &f->timer), 0);
	run_a_while(f);
	assert_int_equal(f->ticks, 0);
	loop__start_timer(f->timer, 0, 5 * MS);
	run_a_while(f);
	assert_in_range(f->ticks, 2, 7);
	loop__stop_timer(f->timer);
	f->ticks = 0;
	run_a_while(f);
	assert_int_equal(f->ticks, 0);
	loop__start_timer(f->timer, MS, 0);
	run_a_while(f);
	assert_int_equal(f->ticks, 1);
}

static void remove_both(void *ctx)
{
	struct fixture *f = ctx;

	f->ticks++;
	loop__remove_timer(f->timer);
	loop__remove_timer(f->other);
}

static void test_timer_may_remove_itself_and_others(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop__add_timer(f->loop, remove_both, f, &f->timer), 0);
	assert_int_equal(loop__add_timer(f->loop, remove_both, f, &f->other), 0);
	loop__start_timer(f->timer, 0, MS);
	loop__start_timer(f->other, 0, MS);
	run_a_while(f);
	assert_int_equal(f->ticks, 1);
	loop__remove_timer(NULL);
}

static void restart(void *ctx)
{
	struct fixture *f = ctx;

	f->ticks++;
	loop__start_timer(f->timer, 0, 0);
}

static void test_immediate_timer_starves_nobody(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(loop__add_timer(f->loop, restart, f, &f->timer), 0);
	loop__start_timer(f->timer, 0, 0);
	assert_int_equal(loop__watch(f->loop, f->fds[0], EPOLLIN, count, f), 0);
	run_a_while(f);
	assert_int_equal(f->hits[0], 1);
	assert_true(f->ticks > 1);
}

static void test_waits_as_long_as_asked(void **state)
{
	struct fixture *f = *state;
	uint64_t start = loop__now_ns();

	run_a_while(f);
	assert_in_range(loop__now_ns() - start, 30 * MS, 2000ul * MS);
}

static void test_stop_before_run_holds_once(void **state)
{
	struct fixture *f = *state;

	loop__stop(f->loop, 7);
	assert_int_equal(loop__run(f->loop), 7);
	run_a_while(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_removed_fd_gets_no_stale_event),
		TEST(test_reused_number_gets_no_stale_event),
		TEST(test_watch_changes_and_stops),
		TEST(test_repeats_until_stopped),
		TEST(test_timer_may_remove_itself_and_others),
		TEST(test_immediate_timer_starves_nobody),
		TEST(test_waits_as_long_as_asked),
		TEST(test_stop_before_run_holds_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
