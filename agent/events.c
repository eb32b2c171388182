// SPDX-License-Identifier: Apache-2.0
/* events: see events.h. Records come from our own programs, but carry the target's bytes. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "events.h"
#include "log.h"

enum {
	LOOK_NS = 50000000,
	SOON_NS = 5000000,
	TURN_MAX = 512, /* spans handled before the loop, and so the exporters, have their turn */
};

struct events {
	struct event_handlers handlers;
	struct loop *loop;
	struct loop_timer *timer;
	struct ring_buffer *spans, *processes;
	size_t left; /* of this turn */
	uint64_t taken, room; /* bytes of spans: ever, and in the buffer at most */
	bool last;   /* nobody cares who comes and goes any more */
};

static int on_span(void *ctx, void *data, size_t size)
{
	struct events *e = ctx;
	const struct span_record *record = data;

	if (size < sizeof(*record) || record->type != RECORD_SPAN ||
	    sizeof(*record) + record->size > size) {
		log_debug("events: a record of %zu bytes makes no sense", size);
		return 0;
	}
	e->taken += size;
	e->handlers.span(e->handlers.ctx, record, (const uint8_t *)(record + 1));
	/* an error ends libbpf's walk behind this record; the next one goes on from there */
	return --e->left ? 0 : -EAGAIN;
}

static int on_process(void *ctx, void *data, size_t size)
{
	struct events *e = ctx;
	const struct process_record *record = data;

	if (size < sizeof(*record))
		return 0;
	if (record->type == RECORD_SDK)
		e->handlers.sdk(e->handlers.ctx, record->pid);
	else if (record->type == RECORD_EXEC && !e->last)
		e->handlers.exec(e->handlers.ctx, record);
	else if (record->type == RECORD_EXIT && !e->last)
		e->handlers.exit(e->handlers.ctx, record->pid);
	return 0;
}

/* True when there may be more. */
static bool handle_some(struct events *e)
{
	e->left = TURN_MAX;
	return ring_buffer__consume(e->spans) == -EAGAIN;
}

void events__drain(struct events *e)
{
	uint64_t begun = e->taken;

	/* where they come as fast as we take them, what has come meanwhile waits for the next look */
	while (handle_some(e) && e->taken - begun < e->room)
		;
}

void events__drain_last(struct events *e)
{
	e->last = true;
	ring_buffer__consume(e->processes);
	events__drain(e);
}

static void on_tick(void *ctx)
{
	struct events *e = ctx;

	ring_buffer__consume(e->processes);
	loop__start_timer(e->timer, handle_some(e) ? 0 : LOOK_NS, LOOK_NS);
}

void events__look_soon(struct events *e)
{
	loop__start_timer(e->timer, SOON_NS, LOOK_NS);
}

static void on_full(void *ctx, int fd, uint32_t events)
{
	on_tick(ctx);
}

int events__new(const struct kernel *kernel, struct loop *loop, const struct event_handlers *handlers,
		struct events **out)
{
	struct events *e = calloc(1, sizeof(*e));
	int err = 0;

	if (!e)
		return -ENOMEM;
	e->handlers = *handlers;
	e->loop = loop;
	e->room = kernel__config(kernel)->ring_bytes;
	e->spans = ring_buffer__new(kernel__events_fd(kernel), on_span, e, NULL);
	e->processes = ring_buffer__new(kernel__process_events_fd(kernel), on_process, e, NULL);
	if (!e->spans || !e->processes)
		err = -errno;
	if (!err)
		err = loop__watch(loop, ring_buffer__epoll_fd(e->spans), EPOLLIN, on_full, e);
	if (!err)
		err = loop__add_timer(loop, on_tick, e, &e->timer);
	if (err) {
		events__free(e);
		return log_err(err, "events: failed to read the ring buffer");
	}
	loop__start_timer(e->timer, LOOK_NS, LOOK_NS);
	*out = e;
	return 0;
}

void events__free(struct events *e)
{
	if (!e)
		return;
	loop__remove_timer(e->timer);
	if (e->spans)
		loop__watch(e->loop, ring_buffer__epoll_fd(e->spans), 0, NULL, NULL);
	ring_buffer__free(e->spans);
	ring_buffer__free(e->processes);
	free(e);
}
