/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_server: what the spans of all HTTP servers share: excluded paths, the parent in the headers,
 * and the attributes made of them.
 */
#ifndef GOSPAN_BPF_HTTP_SERVER_H
#define GOSPAN_BPF_HTTP_SERVER_H

#include "http_headers.bpf.h"
#include "span.bpf.h"

extern const volatile __u8 propagate_trace_context;
extern const volatile __u8 capture_body_size;

/* A path that nobody wants to see: silent, and counted. Uses the scratch. */
int http_exclude(struct in_flight *span, struct go_string *uri);

/* Bytes of URI before its query; 0: it has none, or is too long. Uses the scratch. */
int http_path_len(struct in_flight *span, struct go_string *uri);

/* Parent, sampling, and the attributes that come from headers, which lie in the scratch. */
int http_put_headers(struct in_flight *span, struct http_headers *headers);

#endif
