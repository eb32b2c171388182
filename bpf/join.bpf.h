/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * join: a client's attempt and the server's request that it causes are one call, seen at both ends by
 * the same agent. Where no header can be written into the request (a kernel in lockdown), they are
 * joined by what both ends know: the connection, the HTTP/2 stream, and what is asked of whom.
 * Design D8 (b): right or absent.
 */
#ifndef GOSPAN_BPF_JOIN_H
#define GOSPAN_BPF_JOIN_H

#include "net_conn.bpf.h"
#include "span.bpf.h"

/* What is asked: the texts that both ends hold as they are. Empty ones count as such. */
struct join_request {
	struct go_string method, path, host;
	__u64 no_method; /* what stands for an empty method, as CHARS() */
	__u32 stream;	 /* HTTP/2 stream id, 0: HTTP/1.1; not known to join_ask() yet */
	__u32 pad;	 /* 6.1 wants every byte set that a global function is given */
};

#define JOIN_GET CHARS('G', 'E', 'T', 0, 0, 0, 0, 0)
#define JOIN_POST CHARS('P', 'O', 'S', 'T', 0, 0, 0, 0)

/* SPAN is going to send REQUEST; on its own goroutine. */
int join_ask(struct in_flight *span, const struct join_request *request);

/*
 * It is about to be sent over CONN, as STREAM. By HTTP/1.1 (0) withdrawn when the span ends. OBJECT:
 * what the span was first listed by, if it was found by that: it may end at any moment. Else 0.
 */
int join_offer(struct in_flight *span, __u64 object, const struct go_interface *conn, __u32 stream);

/* False as long as no client made an offer: a server need not look at its connections then. */
int join_is_active(void);

/*
 * REQUEST arrived over CONN: if the client's span is known it becomes PARENT, which holds what the
 * request's headers said: one of another trace wins.
 */
int join_accept(struct in_flight *span, const struct go_interface *conn,
		const struct join_request *request, struct trace_context *parent);

/* Called by span.bpf.c when a span with an offer ends. */
int join_withdraw(struct in_flight *span);

#endif
