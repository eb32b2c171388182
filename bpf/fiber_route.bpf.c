// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fiber v2 routes: http.route of the fasthttp server's span. The request's Ctx is remembered where the
 * search for handlers begins; when they all have returned it holds the last route that matched. One of
 * app.Use() is middleware, no route.
 *
 * Table: `github.com/gofiber/fiber/v2` | 2.0 to 2.52 | `http.route` of fasthttp's spans
 */
#include "span.bpf.h"

#define FIBER "github.com/gofiber/fiber/v2."

extern const volatile __u16 fasthttp_server; /* fasthttp_server.bpf.c */

/* type Ctx struct, ctx.go; type Route struct, router.go; v2.0.0 to v2.52.15 */
GO_FIELD(fiber_route, pointer, FIBER "Ctx.route");
GO_FIELD(fiber_context, pointer, FIBER "Ctx.fasthttp");
GO_FIELD(fiber_matched, bool, FIBER "Ctx.matched");
GO_FIELD(fiber_route_path, string, FIBER "Route.Path");
GO_FIELD(fiber_route_use, bool, FIBER "Route.use");

static __always_inline bool is_known(void)
{
	return fiber_route != GO_ABSENT && fiber_context != GO_ABSENT &&
	       fiber_matched != GO_ABSENT && fiber_route_path != GO_ABSENT &&
	       fiber_route_use != GO_ABSENT;
}

static __always_inline int put_route(struct in_flight *span, __u64 c)
{
	__u64 route = go_word(c + fiber_route);

	if (go_word(c + fiber_context) != span->object)
		return 0;
	if (!route || !(go_byte(c + fiber_matched) & 1) || go_byte(route + fiber_route_use) & 1)
		return 0;
	return span_put_string(span, ATTR_HTTP_ROUTE_PATTERN,
			       go_string_at(route + fiber_route_path));
}

/* func (app *App) next(c *Ctx) (match bool, err error) */
SEC("go_call/" FIBER "(*App).handler>" FIBER "(*App).next")
GO_OF(fasthttp_server)
int fiber_search(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span = span_here(ctx, &on, fasthttp_server);

	if (span && !span->owner.silent && is_known())
		span->mark = go_arg(ctx, 1);
	return 0;
}

SEC("go_after/" FIBER "(*App).handler>" FIBER "(*App).next")
GO_OF(fasthttp_server)
int fiber_found(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span = span_here(ctx, &on, fasthttp_server);

	return span && span->mark ? put_route(span, span->mark) : 0;
}
