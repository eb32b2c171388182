/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop: the one epoll loop everything waits in (design D13). File descriptors with a callback,
 * one-shot and repeating timers, signals through signalfd. Single-threaded; callbacks may add and
 * remove anything, themselves included.
 */
#ifndef GOSPAN_AGENT_LOOP_H
#define GOSPAN_AGENT_LOOP_H

#include <stdint.h>

struct loop;
struct loop_timer;

typedef void (*loop_ready)(void *ctx, int fd, uint32_t events);
typedef void (*loop_tick)(void *ctx);

int loop__new(struct loop **out);
void loop__free(struct loop *loop);

/* Watches FD (EPOLLIN | EPOLLOUT bits); a second call changes all three; no EVENTS: stops. */
int loop__watch(struct loop *loop, int fd, uint32_t events, loop_ready ready, void *ctx);

/* A stopped timer. */
int loop__add_timer(struct loop *loop, loop_tick tick, void *ctx, struct loop_timer **out);
/* First tick after DELAY_NS (0: at once), then every REPEAT_NS (0: no more). Restarts it. */
void loop__start_timer(struct loop_timer *timer, uint64_t delay_ns, uint64_t repeat_ns);
void loop__stop_timer(struct loop_timer *timer);
/* Also legal inside its own tick. NULL is fine. */
void loop__remove_timer(struct loop_timer *timer);

/* Runs until loop__stop(); returns the value given there, or negative errno. */
int loop__run(struct loop *loop);
void loop__stop(struct loop *loop, int result);

/* CLOCK_MONOTONIC now, ns. */
uint64_t loop__now_ns(void);

#endif
