/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* http_propagate: hands a client's span on to the server; see net_http_propagate.bpf.c. */
#ifndef GOSPAN_BPF_HTTP_PROPAGATE_H
#define GOSPAN_BPF_HTTP_PROPAGATE_H

#include "span.bpf.h"

/* SPAN's request, its mark, is about to be sent by CONNECTION (*http.persistConn) over CONN. */
int http_propagate(struct in_flight *span, const struct go_interface *conn, __u64 connection);

/* The same by HTTP/2: REQUEST is what the stream's own goroutine will know it by ... */
int http_propagate_stream(struct in_flight *span, __u64 request);

/* ... where STREAM's id is known. The net.Conn is at CONN_AT. */
int http_offer_stream(struct pt_regs *ctx, __u64 request, __u64 conn_at, __u32 stream);

#endif
