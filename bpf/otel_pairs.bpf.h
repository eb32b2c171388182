/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * otel_pairs: what the OpenTelemetry Go API is given, into a record: attributes, options, links. What
 * does not fit is counted, and leaves room for what must be said at the end.
 */
#ifndef GOSPAN_BPF_OTEL_PAIRS_H
#define GOSPAN_BPF_OTEL_PAIRS_H

#include "span.bpf.h"

enum {
	OPTIONS_MAX = 8,   /* of one call */
	OTEL_RESERVE = 320, /* for name, status and times, which come last */
};

/* Whose an option or a pair is. */
enum otel_of { OF_SPAN, OF_EVENT, OF_LINK, OF_END };

/* Bits by which a count is shifted in SPAN_LEFT_OUT. */
enum otel_left_out { LEFT_OUT_ATTRIBUTE = 0, LEFT_OUT_EVENT = 16, LEFT_OUT_LINK = 32 };

static __always_inline void otel_leave_out(struct in_flight *span, enum otel_left_out what)
{
	__sync_fetch_and_add(&span->mark, 1ULL << what);
}

/* May a row of LEN bytes be put? */
static __always_inline bool otel_has_room(const struct in_flight *span, __u32 len)
{
	return span->used + sizeof(struct attribute_header) + ATTRIBUTE_ALIGN - 1 + len <=
	       GOSPAN_BODY_MAX - OTEL_RESERVE;
}

/* Is one of OPTIONS WithNewRoot()? */
int otel_wants_new_root(const struct go_slice *options, __u64 bias);

/* CNT values of attribute.KeyValue at ADDR. */
int otel_put_pairs(struct in_flight *span, enum otel_of of, __u64 addr, __u64 cnt);

int otel_put_options(struct in_flight *span, const struct go_slice *options, enum otel_of of);

/* An event, now. Non-zero when there was no room (counted). */
int otel_put_event(struct in_flight *span, __u64 name, __u64 len);

/* The trace.Link at ADDR. */
int otel_put_link(struct in_flight *span, __u64 addr);

#endif
