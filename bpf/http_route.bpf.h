/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_route: which SERVER span a router's *http.Request belongs to. Routers see copies of the
 * request (r.WithContext), sometimes on another goroutine (http.TimeoutHandler). The route of the
 * innermost router counts: it matched last.
 */
#ifndef GOSPAN_BPF_HTTP_ROUTE_H
#define GOSPAN_BPF_HTTP_ROUTE_H

#include "context.bpf.h"

/* net_http_server.bpf.c, http_request.bpf.h */
extern const volatile __u16 http_server;
extern const volatile __u16 request_uri;
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
	/* a request made up inside the handler may have its context too, but never was in a request line */
	return context == span->context && go_word(request + request_uri + 8) ? span : NULL;
}

/* How `mark` of a server's span tells of its last route: where in the body it begins and ends. */
enum { ROUTE_END_SHIFT = 16 };
#define ROUTE_TENTATIVE (1ULL << 32) /* it may be taken back, and the one before it counts again */

/* Whether nothing was put behind the last route: then it can be replaced, or taken back. */
static __always_inline bool route_is_last(const struct in_flight *span)
{
	return span->mark && (__u16)(span->mark >> ROUTE_END_SHIFT) == span->used;
}

/*
 * Puts a route in the place of the last one if it can, so that deep nesting takes no more room than
 * its innermost route. The pattern follows, then route_end(). PREFIX: as of span_of_request().
 */
static __always_inline __u32 route_begin(struct in_flight *span, __u64 prefix, __u64 tentative)
{
	__u32 at = span->used;

	if (route_is_last(span) && (!tentative || span->mark & ROUTE_TENTATIVE))
		at = (__u16)span->mark;
	span->used = at;
	span->mark = at | tentative;
	span_put_number(span, ATTR_HTTP_ROUTE_PREFIX, prefix); /* 0 too: an outer one may differ */
	return span->used;
}

static __always_inline int route_end(struct in_flight *span)
{
	span->mark |= (__u64)span->used << ROUTE_END_SHIFT;
	return 0;
}

/* An empty one: the router inside of the one that matched did not match. */
static __always_inline int put_route(struct in_flight *span, struct go_string pattern, __u64 prefix,
				     __u64 tentative)
{
	route_begin(span, prefix, tentative);
	span_put_text(span, ATTR_HTTP_ROUTE_PATTERN, pattern.ptr, pattern.len);
	return route_end(span);
}

static __always_inline int put_matched(struct pt_regs *ctx, __u64 request, struct go_string pattern,
				       __u64 tentative)
{
	struct goroutine on;
	struct in_flight *span;
	__u64 prefix;

	if (!pattern.len || goroutine_of(ctx, &on))
		return 0;
	span = span_of_request(&on, request, &prefix);
	if (!span || span->owner.silent)
		return 0;
	return put_route(span, pattern, prefix, tentative);
}

/* PATTERN is what a router matched with REQUEST, a *http.Request. The last one put counts. */
static __always_inline int put_route_of(struct pt_regs *ctx, __u64 request,
					struct go_string pattern)
{
	return put_matched(ctx, request, pattern, 0);
}

static __always_inline int put_tentative_route(struct pt_regs *ctx, __u64 request,
					       struct go_string pattern)
{
	return put_matched(ctx, request, pattern, ROUTE_TENTATIVE);
}

/* The request was refused after all. */
static __always_inline int drop_tentative_route(struct pt_regs *ctx, __u64 request)
{
	struct goroutine on;
	struct in_flight *span;
	__u64 prefix;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_of_request(&on, request, &prefix);
	if (!span || !(span->mark & ROUTE_TENTATIVE) || !route_is_last(span))
		return 0;
	span->used = (__u16)span->mark;
	span->mark = 0;
	return 0;
}

/* Word N of the arguments of CALLER, whose frame is of FRAME bytes: where it spills registers. */
static __always_inline __u64 spilled_arg(const struct pt_regs *ctx, __u16 frame, int n)
{
	return go_word(ctx->sp + frame + 8 + 8 * n); /* behind the return address */
}

#endif
