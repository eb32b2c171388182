/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* http_propagate: hands a client's span on to the server; see net_http_propagate.bpf.c. */
#ifndef GOSPAN_BPF_HTTP_PROPAGATE_H
#define GOSPAN_BPF_HTTP_PROPAGATE_H

#include "span.bpf.h"

/* What the request carries by itself; in span->has_header. */
enum {
	HEADER_NONE,
	HEADER_FOREIGN, /* a traceparent that the program sends */
	HEADER_OURS,	/* one of this trace that it hands on */
	HEADER_UNKNOWN,
	HEADER_DONE,	/* ours is written, or cannot be */
};

/* SPAN's request, its mark, is about to be sent by CONNECTION (*http.persistConn) over CONN. */
int http_propagate(struct in_flight *span, const struct go_interface *conn, __u64 connection);

/* The same by HTTP/2: REQUEST is what the stream's own goroutine will know it by ... */
int http_propagate_stream(struct in_flight *span, __u64 request);

/* ... where this is known of it. */
struct http2_stream {
	__u64 conn_at; /* address of the net.Conn */
	__u64 framer;  /* *Framer; 0: headers are not written there */
	__u32 id;
	__u32 pad;
};

/* REQUEST 0: the goroutine is the span's own. */
int http_send_stream(struct pt_regs *ctx, __u64 request, const struct http2_stream *on_wire);

/* SPAN's attempt, over the connection at its conn_at, is offered to servers after all; as join_offer(). */
int http_offer(struct in_flight *span, __u64 object, __u32 stream);

/*
 * http2_propagate.bpf.c: the goroutine is about to send SPAN's request, which has no traceparent, as
 * STREAM of FRAMER. Non-zero: its header will not be written. When that is tried and there is no
 * room, http_offer() is called.
 */
int http2_expect(struct in_flight *span, const struct goroutine *on, __u64 framer, __u32 stream);

/* Is there a traceparent among CNT hpack.HeaderFields, or are there too many to be searched? */
bool http2_have_traceparent(__u64 fields, __u64 cnt);

#endif
