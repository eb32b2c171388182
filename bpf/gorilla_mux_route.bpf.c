// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * gorilla/mux routes: http.route of the net/http server's span, from where a router hands the route
 * that matched to the handler's request. A route made by a subrouter holds the whole template. A
 * route without a handler of its own is only the way to a subrouter that found nothing.
 *
 * Table: `github.com/gorilla/mux` | 1.4 to 1.8 | `http.route`
 */
#include "http_route.bpf.h"

/* type Route struct, routeConf, route.go and mux.go; type routeRegexp struct, regexp.go */
GO_TYPE(mux_route_type, "*github.com/gorilla/mux.Route");
GO_FIELD(mux_handler, interface, "github.com/gorilla/mux.Route.handler");
GO_FIELD(mux_path, pointer, "github.com/gorilla/mux.Route.routeConf.regexp.path"); /* v1.7.1 */
GO_FIELD(mux_regexp, pointer, "github.com/gorilla/mux.Route.regexp"); /* v1.4.0 to v1.7.0 */
GO_FIELD(mux_regexp_path, pointer, "github.com/gorilla/mux.routeRegexpGroup.path");
GO_FIELD(mux_template, string, "github.com/gorilla/mux.routeRegexp.template");
GO_FIELD(mux_strict, bool, "github.com/gorilla/mux.routeRegexp.options.strictSlash"); /* v1.6.2 */
GO_FIELD(mux_strict_old, bool, "github.com/gorilla/mux.routeRegexp.strictSlash");

static __always_inline __u8 last_byte(struct go_string s)
{
	return s.len ? go_byte(s.ptr + s.len - 1) : 0;
}

/* With StrictSlash, a path that differs from the template by its last slash is redirected. */
static __always_inline bool is_redirected(__u64 regexp, __u64 request, struct go_string template)
{
	__u16 strict = mux_strict != GO_ABSENT ? mux_strict : mux_strict_old;
	struct go_string path = {};

	if (strict == GO_ABSENT)
		return true; /* unknown: no route rather than a wrong one */
	if (!(go_byte(regexp + strict) & 1))
		return false;
	path = go_string_at(go_word(request + request_url) + url_path);
	return (last_byte(path) == '/') != (last_byte(template) == '/');
}

static __always_inline int put_template(struct pt_regs *ctx, __u64 request, __u64 route)
{
	struct go_string template;
	__u64 regexp = 0;

	if (!route || mux_handler == GO_ABSENT || mux_template == GO_ABSENT)
		return 0;
	if (!go_word(route + mux_handler))
		return 0;
	if (mux_path != GO_ABSENT)
		regexp = go_word(route + mux_path);
	else if (mux_regexp != GO_ABSENT && mux_regexp_path != GO_ABSENT)
		regexp = go_word(go_word(route + mux_regexp) + mux_regexp_path);
	if (!regexp)
		return 0; /* it matches by something else than the path */
	template = go_string_at(regexp + mux_template);
	if (is_redirected(regexp, request, template))
		return 0;
	return put_route_of(ctx, request, template);
}

/* func requestWithRoute(r *http.Request, route *Route) *http.Request, mux.go, from v1.7.1 */
SEC("go_call/github.com/gorilla/mux.(*Router).ServeHTTP>github.com/gorilla/mux.requestWithRoute")
GO_OF(http_server)
int mux_route(struct pt_regs *ctx)
{
	return put_template(ctx, go_arg(ctx, 0), go_arg(ctx, 1));
}

/*
 * func contextSet(r *http.Request, key, val interface{}) *http.Request, context.go, to v1.7.0: for
 * the variables, and for the route.
 */
SEC("go_call/github.com/gorilla/mux.(*Router).ServeHTTP>github.com/gorilla/mux.contextSet")
GO_OF(http_server)
int mux_context_set(struct pt_regs *ctx)
{
	if (!mux_route_type || go_arg(ctx, 3) != mux_route_type + go_bias(ctx))
		return 0;
	return put_template(ctx, go_arg(ctx, 0), go_arg(ctx, 4));
}

/* func setCurrentRoute(r *http.Request, val interface{}) *http.Request, mux.go: builds without inlining */
SEC("go_call/github.com/gorilla/mux.(*Router).ServeHTTP>github.com/gorilla/mux.setCurrentRoute")
GO_OF(http_server)
int mux_set_current_route(struct pt_regs *ctx)
{
	return put_template(ctx, go_arg(ctx, 0), go_arg(ctx, 2));
}
