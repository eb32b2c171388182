// SPDX-License-Identifier: Apache-2.0
/* events: see events.h. Records come from our own programs, but carry the target's bytes. */
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "events.h"
#include "log.h"

enum { LOOK_NS = 50000000 };

struct events {
	struct event_handlers handlers;
	struct loop *loop;
	struct loop_timer *timer;
	struct ring_buffer *ring;
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
	e->handlers.span(e->handlers.ctx, record, (const uint8_t *)(record + 1));
	return 0;
}

static int on_process(void *ctx, void *data, size_t size)
{
	struct events *e = ctx;
	const struct process_record *record = data;

	if (size < sizeof(*record))
		return 0;
	if (record->type == RECORD_EXEC)
		e->handlers.exec(e->handlers.ctx, record->pid);
	else if (record->type == RECORD_EXIT)
		e->handlers.exit(e->handlers.ctx, record->pid);
	return 0;
}

void events__drain(struct events *e)
{
	ring_buffer__consume(e->ring);
}

static void on_ready(void *ctx, int fd, uint32_t events)
{
	events__drain(ctx);
}

static void on_tick(void *ctx)
{
	events__drain(ctx);
}

int events__new(const struct kernel *kernel, struct loop *loop, const struct event_handlers *handlers,
		struct events **out)
{
	struct events *e = calloc(1, sizeof(*e));
	int err = -ENOMEM;

	if (!e)
		return -ENOMEM;
	e->handlers = *handlers;
	e->loop = loop;
	/* spans before exits: what a process left is handled before it is said to be gone */
	e->ring = ring_buffer__new(kernel__events_fd(kernel), on_span, e, NULL);
	if (!e->ring)
		goto cleanup;
	err = ring_buffer__add(e->ring, kernel__process_events_fd(kernel), on_process, e);
	if (!err)
		err = loop__watch(loop, ring_buffer__epoll_fd(e->ring), EPOLLIN, on_ready, e);
	if (!err)
		err = loop__add_timer(loop, on_tick, e, &e->timer);
	if (err)
		goto cleanup;
	loop__start_timer(e->timer, LOOK_NS, LOOK_NS);
	*out = e;
	return 0;
cleanup:
	events__free(e);
	return log_err(err, "events: failed to read the ring buffer");
}

void events__free(struct events *e)
{
	if (!e)
		return;
	loop__remove_timer(e->timer);
	if (e->ring)
		loop__watch(e->loop, ring_buffer__epoll_fd(e->ring), 0, NULL, NULL);
	ring_buffer__free(e->ring);
	free(e);
}

bool event_attribute(const uint8_t **at, const uint8_t *end, uint16_t *key, const uint8_t **value,
		     uint16_t *len)
{
	struct attribute_header header;
	size_t size;

	if ((size_t)(end - *at) < sizeof(header))
		return false;
	memcpy(&header, *at, sizeof(header));
	size = sizeof(header) + header.len;
	if ((size_t)(end - *at) < size)
		return false;
	*key = header.key;
	*len = header.len;
	*value = *at + sizeof(header);
	size = (size + ATTRIBUTE_ALIGN - 1) & ~(size_t)(ATTRIBUTE_ALIGN - 1);
	*at = (size_t)(end - *at) < size ? end : *at + size;
	return true;
}
