// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * gin routes: http.route of the net/http server's span, from where a request whose route was found
 * sets off through its handlers. Requests without one go another way (serveError). Before v1.5.0
 * nothing keeps the route.
 *
 * Table: `github.com/gin-gonic/gin` | 1.5 to 1.12 | `http.route`
 */
#include "http_route.bpf.h"

/* type Context struct, context.go, v1.5.0 to v1.12.0; params from v1.7.0 */
GO_FIELD(gin_request, pointer, "github.com/gin-gonic/gin.Context.Request");
GO_FIELD(gin_full_path, string, "github.com/gin-gonic/gin.Context.fullPath");
GO_FIELD(gin_params, pointer, "github.com/gin-gonic/gin.Context.params");
GO_FRAME(gin_frame, "github.com/gin-gonic/gin.(*Engine).handleHTTPRequest>github.com/gin-gonic/gin.(*node).getValue");

/* func (c *Context) Next() in func (engine *Engine) handleHTTPRequest(c *Context), v1.12.0 */
SEC("go_call/github.com/gin-gonic/gin.(*Engine).handleHTTPRequest>github.com/gin-gonic/gin.(*Context).Next")
GO_OF(http_server)
int gin_match(struct pt_regs *ctx)
{
	__u64 c = go_arg(ctx, 0);

	if (gin_request == GO_ABSENT || gin_full_path == GO_ABSENT)
		return 0;
	return put_route_of(ctx, go_word(c + gin_request), go_string_at(c + gin_full_path));
}

/*
 * Where Next is inlined (to v1.11.0): after (*node).getValue, whose result is
 * type nodeValue struct { handlers HandlersChain; params *Params; tsr bool; fullPath string },
 * params Params before v1.7.0 (tree.go). The same is called to find out whether another method
 * would match: then serveError follows and takes the route back.
 */
SEC("go_after/github.com/gin-gonic/gin.(*Engine).handleHTTPRequest>github.com/gin-gonic/gin.(*node).getValue")
GO_OF(http_server)
GO_UNLESS("github.com/gin-gonic/gin.(*Engine).handleHTTPRequest>github.com/gin-gonic/gin.(*Context).Next")
GO_RESULTS(0x1e1)
int gin_found(struct pt_regs *ctx)
{
	struct go_string early = {go_arg(ctx, 7), go_arg(ctx, 8)};
	struct go_string full_path = {go_arg(ctx, 5), go_arg(ctx, 6)};

	barrier_var(early.ptr); /* else the compiler picks the register by a computed address */
	barrier_var(early.len);
	if (gin_params == GO_ABSENT)
		full_path = early;
	if (gin_request == GO_ABSENT || gin_full_path == GO_ABSENT || gin_frame == GO_ABSENT)
		return 0;
	if (!go_arg(ctx, 0))
		return 0;
	return put_tentative_route(ctx, go_word(spilled_arg(ctx, gin_frame, 1) + gin_request),
				   full_path);
}

/* func serveError(c *Context, code int, defaultMessage []byte) */
SEC("go_call/github.com/gin-gonic/gin.(*Engine).handleHTTPRequest>github.com/gin-gonic/gin.serveError")
GO_OF(http_server)
GO_UNLESS("github.com/gin-gonic/gin.(*Engine).handleHTTPRequest>github.com/gin-gonic/gin.(*Context).Next")
int gin_refused(struct pt_regs *ctx)
{
	if (gin_request == GO_ABSENT)
		return 0;
	return drop_tentative_route(ctx, go_word(go_arg(ctx, 0) + gin_request));
}
