// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * httprouter routes: http.route of the net/http server's span, from where the tree was searched. The
 * tree does not keep a route as a whole. What matched is the path with the parameters' values in it,
 * as slices of the path, and their names, as slices of the route behind its ":" or (for all the rest,
 * which begins with a slash) its slash and star: the path with the one in the place of the other is
 * the route.
 *
 * Table: `github.com/julienschmidt/httprouter` | 1.2 to 1.3 | `http.route`
 */
#include "http_route.bpf.h"

#define HTTPROUTER "github.com/julienschmidt/httprouter."

enum { PARAMS_MAX = 8 };

/* type Param struct { Key, Value string }, router.go */
struct param {
	struct go_string key, value;
};

GO_FIELD(param_value, string, HTTPROUTER "Param.Value");
GO_FIELD(params_pool, struct, HTTPROUTER "Router.paramsPool"); /* after v1.3.0 */
GO_FRAME(httprouter_frame, HTTPROUTER "(*Router).ServeHTTP>" HTTPROUTER "(*node).getValue");

/* The route's own text for a parameter. */
static __always_inline struct go_string text_of(const struct param *p)
{
	__u64 sign = go_byte(p->value.ptr) == '/' && p->value.len ? 2 : 1;
	struct go_string text = {p->key.ptr - sign, p->key.len + sign};

	return text;
}

/* Whether the values lie in PATH one behind the other, as they must. */
static __always_inline bool are_in(struct go_string path, const struct go_slice *params)
{
	__u64 at = path.ptr;
	struct param p;

	for (__u32 i = 0; i < PARAMS_MAX && i < params->len; i++) {
		if (bpf_probe_read_user(&p, sizeof(p), (void *)params->ptr + i * sizeof(p)))
			return false;
		if (p.value.ptr < at || p.value.ptr + p.value.len > path.ptr + path.len)
			return false;
		at = p.value.ptr + p.value.len;
	}
	return params->len <= PARAMS_MAX;
}

static __always_inline int put_parts(struct in_flight *span, struct go_string path,
				     const struct go_slice *params, __u64 prefix)
{
	__u32 text_at = route_begin(span, prefix, 0);
	__u64 at = path.ptr;
	struct param p = {};

	span_put_text(span, ATTR_HTTP_ROUTE_PATTERN, at, 0);
	for (__u32 i = 0; i < PARAMS_MAX && i < params->len; i++) {
		struct go_string text;

		bpf_probe_read_user(&p, sizeof(p), (void *)params->ptr + i * sizeof(p));
		text = text_of(&p);
		span_extend_text(span, text_at, at, p.value.ptr - at);
		span_extend_text(span, text_at, text.ptr, text.len);
		at = p.value.ptr + p.value.len;
	}
	span_extend_text(span, text_at, at, path.ptr + path.len - at);
	return route_end(span);
}

/*
 * func (n *node) getValue(path string) (handle Handle, p Params, tsr bool), tree.go, v1.2.0, v1.3.0;
 * later p is a *Params. In func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request).
 */
SEC("go_after/" HTTPROUTER "(*Router).ServeHTTP>" HTTPROUTER "(*node).getValue")
GO_OF(http_server) GO_RESULTS(7)
int httprouter_match(struct pt_regs *ctx)
{
	struct go_slice params = {.ptr = go_arg(ctx, 1), .len = go_arg(ctx, 2)};
	struct goroutine on;
	struct in_flight *span;
	struct go_string path = {};
	__u64 request, prefix;

	if (!go_arg(ctx, 0) || httprouter_frame == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	if (param_value != offsetof(struct param, value))
		return 0;
	if (params_pool != GO_ABSENT) {
		__u64 list = params.ptr;

		params.ptr = params.len = 0;
		if (list && bpf_probe_read_user(&params, sizeof(params), (void *)list))
			return 0;
	}
	request = spilled_arg(ctx, httprouter_frame, 3);
	span = span_of_request(&on, request, &prefix);
	if (!span || span->owner.silent)
		return 0;
	path = go_string_at(go_word(request + request_url) + url_path);
	return are_in(path, &params) ? put_parts(span, path, &params, prefix) : 0;
}
