/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: epoll with its timeout as the clock of all timers.
 *
 * What is watched is kept in a table by fd. epoll hands back the fd together with the generation
 * of its entry, so an event that was already fetched when a callback removed its fd (or closed it
 * and watched a new one under the same number) is recognised as stale and dropped.
 *
 * Timers are few (a dozen): an unsorted list, searched for the earliest. After each tick the search
 * starts again from the head, so a tick may remove any timer, itself included.
 */
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS_AT_ONCE = 32, NSEC_PER_MSEC = 1000 * 1000 };

struct watched {
	loop_ready ready;
	void *ctx;
	uint32_t events; /* 0: not watched */
	uint32_t generation;
};

struct loop_timer {
	struct loop *loop;
	struct loop_timer *next;
	loop_tick tick;
	void *ctx;
	bool running;
	uint64_t due_ns;
	uint64_t repeat_ns;
};

struct loop {
	int epoll_fd;
	struct watched *watched; /* by fd */
	size_t watched_cnt;
	struct loop_timer *timers;
	bool stopped;
	int result;
};

uint64_t loop__now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int loop__new(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int err;

	if (!loop)
		return -ENOMEM;
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		err = -errno;
		free(loop);
		return err;
	}
	*out = loop;
	return 0;
}

void loop__free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->timers)
		loop__remove_timer(loop->timers);
	close(loop->epoll_fd);
	free(loop->watched);
	free(loop);
}

static int reserve_entry(struct loop *loop, int fd)
{
	size_t cnt = loop->watched_cnt ? loop->watched_cnt : 64;
	struct watched *grown;

	if ((size_t)fd < loop->watched_cnt)
		return 0;
	while (cnt <= (size_t)fd)
		cnt *= 2;
	grown = realloc(loop->watched, cnt * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + loop->watched_cnt, 0, (cnt - loop->watched_cnt) * sizeof(*grown));
	loop->watched = grown;
	loop->watched_cnt = cnt;
	return 0;
}

static int stop_watching(struct loop *loop, int fd)
{
	if ((size_t)fd >= loop->watched_cnt || !loop->watched[fd].events)
		return 0;
	loop->watched[fd].events = 0;
	loop->watched[fd].generation++;
	/* closed before: the kernel has forgotten it already */
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL) && errno != ENOENT && errno != EBADF)
		return -errno;
	return 0;
}

int loop__watch(struct loop *loop, int fd, uint32_t events, loop_ready ready, void *ctx)
{
	struct epoll_event event = { .events = events };
	struct watched *entry;
	int err;

	if (fd < 0)
		return -EBADF;
	if (!events)
		return stop_watching(loop, fd);
	err = reserve_entry(loop, fd);
	if (err)
		return err;
	entry = &loop->watched[fd];
	/* another owner: events fetched for the former one are not its */
	if (entry->events && (entry->ready != ready || entry->ctx != ctx))
		entry->generation++;
	event.data.u64 = (uint64_t)entry->generation << 32 | (uint32_t)fd;
	/* an fd closed while watched is gone from the epoll set: its number is added anew */
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, fd, &event) &&
	    (errno != ENOENT || epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event)))
		return -errno;
	entry->ready = ready;
	entry->ctx = ctx;
	entry->events = events;
	return 0;
}

int loop__add_timer(struct loop *loop, loop_tick tick, void *ctx, struct loop_timer **out)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return -ENOMEM;
	timer->loop = loop;
	timer->tick = tick;
	timer->ctx = ctx;
	timer->next = loop->timers;
	loop->timers = timer;
	*out = timer;
	return 0;
}

void loop__start_timer(struct loop_timer *timer, uint64_t delay_ns, uint64_t repeat_ns)
{
	uint64_t now = loop__now_ns();

	timer->due_ns = delay_ns > UINT64_MAX - now ? UINT64_MAX : now + delay_ns;
	timer->repeat_ns = repeat_ns;
	timer->running = true;
}

void loop__stop_timer(struct loop_timer *timer)
{
	timer->running = false;
}

void loop__remove_timer(struct loop_timer *timer)
{
	struct loop_timer **link;

	if (!timer)
		return;
	for (link = &timer->loop->timers; *link != timer; link = &(*link)->next)
		;
	*link = timer->next;
	free(timer);
}

static struct loop_timer *earliest_timer(const struct loop *loop)
{
	struct loop_timer *timer, *found = NULL;

	for (timer = loop->timers; timer; timer = timer->next) {
		if (timer->running && (!found || timer->due_ns < found->due_ns))
			found = timer;
	}
	return found;
}

/* Ticks every timer that was due at NOW. All is settled before the call, which may remove it. */
static void run_timers(struct loop *loop, uint64_t now)
{
	struct loop_timer *timer;

	while (!loop->stopped) {
		timer = earliest_timer(loop);
		if (!timer || timer->due_ns > now)
			return;
		if (timer->repeat_ns) {
			timer->due_ns += timer->repeat_ns;
			if (timer->due_ns <= now) /* late: skip the missed ticks */
				timer->due_ns = now + timer->repeat_ns;
		} else {
			timer->running = false;
		}
		timer->tick(timer->ctx);
	}
}

static int timeout_ms(const struct loop *loop)
{
	struct loop_timer *timer = earliest_timer(loop);
	uint64_t now = loop__now_ns(), wait_ms;

	if (!timer)
		return -1;
	if (timer->due_ns <= now)
		return 0;
	/* rounded up: waking before the time would spin */
	wait_ms = (timer->due_ns - now - 1) / NSEC_PER_MSEC + 1;
	return wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

static void run_event(struct loop *loop, const struct epoll_event *event)
{
	int fd = (int)(uint32_t)event->data.u64;
	uint32_t generation = event->data.u64 >> 32;
	struct watched entry = loop->watched[fd]; /* a copy: the callback may move the table */

	if (entry.events && entry.generation == generation)
		entry.ready(entry.ctx, fd, event->events);
}

int loop__run(struct loop *loop)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int i, cnt;

	while (!loop->stopped) {
		cnt = epoll_wait(loop->epoll_fd, events, EVENTS_AT_ONCE, timeout_ms(loop));
		if (cnt < 0 && errno != EINTR)
			return -errno;
		for (i = 0; i < cnt && !loop->stopped; i++)
			run_event(loop, &events[i]);
		run_timers(loop, loop__now_ns());
	}
	loop->stopped = false; /* may run again: the final flush */
	return loop->result;
}

void loop__stop(struct loop *loop, int result)
{
	loop->stopped = true;
	loop->result = result;
}
