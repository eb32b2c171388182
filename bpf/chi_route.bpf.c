// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * chi v5 routes: http.route of the net/http server's span, from where a Mux has looked for the route.
 * Each Mux that a request passes adds its pattern to those in the routing context, which the
 * request's context holds; joined they are the route, as chi's Context.RoutePattern() has it.
 *
 * Table: `github.com/go-chi/chi/v5` | 5.0 to 5.5 | `http.route`
 */
#include "http_route.bpf.h"

enum {
	CONTEXTS_MAX = 16, /* contexts around the one that holds the routing context */
	PATTERNS_MAX = 8,
};

/* type Context struct, context.go, v5.0.0 to v5.5.0 */
GO_TYPE(chi_context_type, "*github.com/go-chi/chi/v5.Context");
GO_FIELD(chi_patterns, slice, "github.com/go-chi/chi/v5.Context.RoutePatterns");
GO_FRAME(chi_frame, "github.com/go-chi/chi/v5.(*Mux).routeHTTP>github.com/go-chi/chi/v5.(*node).FindRoute");

/*
 * The *chi.Context in CONTEXT or its ancestors; 0: none. type valueCtx struct { Context; key, val
 * any }: src/context/context.go, Go 1.19 to 1.27. The parent comes first in the other types as well.
 * A global function: on the stack of chi_match 6.1 would have no room for it.
 */
__weak __u64 chi_find_routing(__u64 context, __u64 type)
{
	struct {
		struct go_interface parent, key, value;
	} at;

	for (int i = 0; i < CONTEXTS_MAX && context; i++) {
		if (bpf_probe_read_user(&at, sizeof(at), (void *)context))
			at.parent.data = go_word(context + 8), at.value.tab = 0;
		if (at.value.tab == type)
			return at.value.data;
		context = at.parent.data;
	}
	return 0;
}

/*
 * A pattern that others follow ends in the wildcard that stands for them, or in a slash that they
 * begin with as well; a slash at the end of the last one is left out.
 */
static __always_inline struct go_string piece_of(__u64 at, bool last)
{
	const __u16 wildcard = '/' | '*' << 8, slashes = '/' | '/' << 8;
	struct go_string s = go_string_at(at);
	__u16 end = 0;

	if (s.len == 1 && last)
		s.len = 0;
	if (s.len < 2 || bpf_probe_read_user(&end, sizeof(end), (void *)(s.ptr + s.len - 2)))
		return s;
	if (end == slashes || (end == wildcard && !last))
		s.len -= 2;
	else if (end >> 8 == '/')
		s.len -= 1;
	return s;
}

static __always_inline int put_patterns(struct in_flight *span, const struct go_slice *patterns,
					__u64 prefix)
{
	__u32 text_at = route_begin(span, prefix, 0);
	struct go_string piece = piece_of(patterns->ptr, patterns->len == 1);
	__u64 first = go_word(patterns->ptr), len = piece.len;

	span_put_text(span, ATTR_HTTP_ROUTE_PATTERN, piece.ptr, piece.len);
	for (__u32 i = 1; i < PATTERNS_MAX && i < patterns->len; i++) {
		piece = piece_of(patterns->ptr + i * sizeof(piece), i + 1 == patterns->len);
		span_extend_text(span, text_at, piece.ptr, piece.len);
		len += piece.len;
	}
	if (!len)
		span_extend_text(span, text_at, first, 1); /* "/" alone: what they all begin with */
	return route_end(span);
}

/*
 * func (n *node) FindRoute(rctx *Context, method methodTyp, path string)
 *	(*node, endpoints, http.Handler), in
 * func (mx *Mux) routeHTTP(w http.ResponseWriter, r *http.Request)
 */
SEC("go_after/github.com/go-chi/chi/v5.(*Mux).routeHTTP>github.com/go-chi/chi/v5.(*node).FindRoute")
GO_OF(http_server) GO_RESULTS(4)
int chi_match(struct pt_regs *ctx)
{
	__u64 request, prefix, routing, handler = go_arg(ctx, 2);
	const struct go_string none = {};
	struct go_slice patterns = {};
	struct goroutine on;
	struct in_flight *span;

	if (chi_frame == GO_ABSENT || chi_patterns == GO_ABSENT || !chi_context_type)
		return 0;
	if (goroutine_of(ctx, &on))
		return 0;
	request = spilled_arg(ctx, chi_frame, 3);
	span = span_of_request(&on, request, &prefix);
	if (!span || span->owner.silent)
		return 0;
	routing = chi_find_routing(go_word(request + request_ctx + 8), chi_context_type + go_bias(ctx));
	if (!routing) /* behind a context of a kind that is not known: no route, what is there is an outer one */
		return put_route(span, none, 0, 0);
	if (bpf_probe_read_user(&patterns, sizeof(patterns), (void *)routing + chi_patterns))
		return 0;
	if (!patterns.len) /* nothing of it matched: what matched before it counts */
		return 0;
	if (!handler || patterns.len > PATTERNS_MAX)
		return put_route(span, none, 0, 0);
	return put_patterns(span, &patterns, prefix);
}
