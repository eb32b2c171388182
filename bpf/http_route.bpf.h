/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_route: which SERVER span a router's *http.Request belongs to. Routers see copies of the
 * request (r.WithContext), sometimes on another goroutine (http.TimeoutHandler).
 */
#ifndef GOSPAN_BPF_HTTP_ROUTE_H
#define GOSPAN_BPF_HTTP_ROUTE_H

#include "context.bpf.h"

/* net_http_server.bpf.c, http_request.bpf.h */
extern const volatile __u16 http_server;
extern const volatile __u16 request_url;
extern const volatile __u16 request_ctx;
extern const volatile __u16 url_path;

/* The span under way whose context this (or its ancestor) is. */
static __always_inline struct in_flight *span_of_context(const struct goroutine *on, __u64 context)
{
	const struct go_interface to_find = {.data = context};
	struct trace_context found = {};
	__u64 id;

	if (!context_find(on, &to_find, 0, &found))
		return NULL;
	__builtin_memcpy(&id, found.span_id, sizeof(id));
	return span_by_id(id);
}

/*
 * The span whose request (or a copy of it) this is: the goroutine's, or, where the handler runs on
 * another goroutine (http.TimeoutHandler), the one that registered the request's context. Sets
 * PREFIX to the bytes that http.StripPrefix cut off, proven by the strings' shared memory.
 */
static __always_inline struct in_flight *span_of_request(const struct goroutine *on, __u64 request,
							 __u64 *prefix)
{
	struct in_flight *span = span_find(on, http_server);
	__u64 url = go_word(request + request_url);
	struct go_string inner, outer;
	__u64 context;

	*prefix = 0;
	if (span && span->url == url) /* nearly always */
		return span;
	context = go_word(request + request_ctx + 8);
	if (!span)
		span = span_of_context(on, context);
	if (!span || span->url == url)
		return span;
	inner = go_string_at(url + url_path);
	outer = go_string_at(span->url + url_path);
	if (inner.ptr >= outer.ptr && inner.ptr + inner.len == outer.ptr + outer.len) {
		*prefix = inner.ptr - outer.ptr;
		return span;
	}
	return context == span->context ? span
					: NULL; /* else a request made up inside the handler */
}

#endif
