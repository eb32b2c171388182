// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * echo routes, v4 and v5: http.route of the net/http server's span.
 *
 * v5: after each look-up of the request's method at a node of the tree; the first that is found ends
 * the search. v4 inlines that in places, so its context is remembered where the search begins and
 * its path is taken where it ended. A search without a result leaves the request's own path there
 * (to v4.7) or none; one that found other methods only is told apart by what it calls then.
 *
 * Table: `github.com/labstack/echo` | v4.0 to v4.16, v5.0 to v5.4 | `http.route`
 */
#include "http_route.bpf.h"

/* type context struct, v4 context.go, v4.0.0 to v4.16.0 */
GO_FIELD(echo4_request, pointer, "github.com/labstack/echo/v4.context.request");
GO_FIELD(echo4_path, string, "github.com/labstack/echo/v4.context.path");
/* type Context struct, v5 context.go; type routeMethod struct, type RouteInfo struct, v5.0.0 to v5.4.4 */
GO_FIELD(echo5_request, pointer, "github.com/labstack/echo/v5.Context.request");
GO_FIELD(echo5_route, pointer, "github.com/labstack/echo/v5.routeMethod.RouteInfo");
GO_FIELD(echo5_path, string, "github.com/labstack/echo/v5.RouteInfo.Path");
GO_FRAME(echo5_frame, "github.com/labstack/echo/v5.(*DefaultRouter).Route>github.com/labstack/echo/v5.(*routeMethods).find");
extern const volatile __u16 url_raw_path; /* net_http_client.bpf.c */

/*
 * func (m *routeMethods) find(method string, fallbackToAny bool) *routeMethod, in
 * func (r *DefaultRouter) Route(c *Context) HandlerFunc
 */
SEC("go_after/github.com/labstack/echo/v5.(*DefaultRouter).Route>github.com/labstack/echo/v5.(*routeMethods).find")
GO_OF(http_server) GO_RESULTS(1)
int echo5_found(struct pt_regs *ctx)
{
	__u64 found = go_arg(ctx, 0);

	if (!found || echo5_request == GO_ABSENT || echo5_route == GO_ABSENT)
		return 0;
	if (echo5_path == GO_ABSENT || echo5_frame == GO_ABSENT)
		return 0;
	return put_route_of(ctx, go_word(spilled_arg(ctx, echo5_frame, 1) + echo5_request),
			    go_string_at(go_word(found + echo5_route) + echo5_path));
}

/* The span's scratch, from where the search begins to where it ended. */
struct echo4_search {
	__u64 context; /* *context, 0: none under way, or refused */
};

static __always_inline struct echo4_search *search_of(struct in_flight *span)
{
	return (void *)span_scratch(span);
}

/* func (r *Router) Find(method, path string, c Context) */
SEC("go_call/github.com/labstack/echo/v4.(*Echo).ServeHTTP>github.com/labstack/echo/v4.(*Router).Find")
GO_ALSO("github.com/labstack/echo/v4.(*Echo).ServeHTTP.func1>github.com/labstack/echo/v4.(*Router).Find")
GO_OF(http_server)
int echo4_search(struct pt_regs *ctx)
{
	__u64 c = go_arg(ctx, 6);
	struct goroutine on;
	struct in_flight *span;
	__u64 prefix;

	if (echo4_request == GO_ABSENT || echo4_path == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, http_server);
	if (span)
		search_of(span)->context =
			span_of_request(&on, go_word(c + echo4_request), &prefix) == span ? c : 0;
	return 0;
}

static __always_inline int echo4_refuse(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span;

	span = span_here(ctx, &on, http_server);
	if (span)
		search_of(span)->context = 0;
	return 0;
}

/* func (c *context) Set(key string, val interface{}): of the methods that are allowed, from v4.8.0 */
SEC("go_call/github.com/labstack/echo/v4.(*Router).Find>github.com/labstack/echo/v4.(*context).Set")
GO_OF(http_server)
int echo4_refused(struct pt_regs *ctx)
{
	return echo4_refuse(ctx);
}

/* func (n *node) checkMethodNotAllowed() HandlerFunc, to v4.7.2 */
SEC("go_call/github.com/labstack/echo/v4.(*Router).Find>github.com/labstack/echo/v4.(*node).checkMethodNotAllowed")
GO_OF(http_server)
int echo4_refused_old(struct pt_regs *ctx)
{
	return echo4_refuse(ctx);
}

static __always_inline int echo4_put(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span;
	struct go_string path = {};
	__u64 c, request, url, prefix;

	span = span_here(ctx, &on, http_server);
	if (!span)
		return 0;
	c = search_of(span)->context;
	search_of(span)->context = 0;
	if (!c || echo4_path == GO_ABSENT || echo4_request == GO_ABSENT)
		return 0;
	path = go_string_at(c + echo4_path);
	request = go_word(c + echo4_request);
	url = go_word(request + request_url);
	if (!path.len || path.ptr == go_word(url + url_path) ||
	    (url_raw_path != GO_ABSENT && path.ptr == go_word(url + url_raw_path)))
		return 0;
	if (span_of_request(&on, request, &prefix) != span || span->owner.silent)
		return 0;
	return put_route(span, path, prefix, 0);
}

SEC("go_after/github.com/labstack/echo/v4.(*Echo).ServeHTTP>github.com/labstack/echo/v4.(*Router).Find")
GO_ALSO("github.com/labstack/echo/v4.(*Echo).ServeHTTP.func1>github.com/labstack/echo/v4.(*Router).Find")
GO_OF(http_server)
GO_WHEN("github.com/labstack/echo/v4.(*Router).Find>github.com/labstack/echo/v4.(*context).Set")
int echo4_found(struct pt_regs *ctx)
{
	return echo4_put(ctx);
}

SEC("go_after/github.com/labstack/echo/v4.(*Echo).ServeHTTP>github.com/labstack/echo/v4.(*Router).Find")
GO_ALSO("github.com/labstack/echo/v4.(*Echo).ServeHTTP.func1>github.com/labstack/echo/v4.(*Router).Find")
GO_OF(http_server)
GO_WHEN("github.com/labstack/echo/v4.(*Router).Find>github.com/labstack/echo/v4.(*node).checkMethodNotAllowed")
int echo4_found_old(struct pt_regs *ctx)
{
	return echo4_put(ctx);
}
