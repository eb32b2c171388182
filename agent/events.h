/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events: from the ring buffers to calls, on the loop. Only spans wake us, and only when their buffer
 * fills up; otherwise the buffers are looked at every 50 ms.
 */
#ifndef GOSPAN_AGENT_EVENTS_H
#define GOSPAN_AGENT_EVENTS_H

#include "kernel.h"
#include "loop.h"

struct events;

struct event_handlers {
	void *ctx;
	/* RECORD and its BODY of RECORD->size bytes are lent; sizes are checked, contents are not. */
	void (*span)(void *ctx, const struct span_record *record, const uint8_t *body);
	void (*exec)(void *ctx, const struct process_record *record);
	void (*exit)(void *ctx, int pid);
	void (*sdk)(void *ctx, int pid); /* an OpenTelemetry SDK inside is in use */
};

int events__new(const struct kernel *kernel, struct loop *loop, const struct event_handlers *handlers,
		struct events **out);

/* A process is traced from now on: the first look for its spans does not wait for its turn. */
void events__look_soon(struct events *e);

/* Handles the spans that are in their buffer now. */
void events__drain(struct events *e);
/* The same for the last time: that an SDK is in use is told too, but no exec and no exit any more. */
void events__drain_last(struct events *e);
void events__free(struct events *e);

#endif
