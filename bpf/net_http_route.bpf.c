// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * net/http routes: http.route of a server's span from where a ServeMux matches (Go >= 1.22), so
 * that it survives copies of the request.
 *
 * Table: `http.ServeMux` | Go 1.22 to 1.27 | `http.route`
 */
#include "http_route.bpf.h"

/* type pattern struct, routingNode struct: src/net/http/{pattern,routing_tree}.go, Go 1.22 */
GO_FIELD(pattern_str, string, "net/http.pattern.str");
GO_FIELD(node_pattern, pointer, "net/http.routingNode.pattern");
GO_FRAME(mux_frame, "net/http.(*ServeMux).ServeHTTP>net/http.(*ServeMux).findHandler");
GO_FRAME(mux_frame_inlined, "net/http.(*ServeMux).ServeHTTP>net/http.(*ServeMux).matchOrRedirect");

/* FRAME: of ServeHTTP(w ResponseWriter, r *Request) of a mux. */
static __always_inline int put_pattern(struct pt_regs *ctx, __u64 pattern, __u16 frame)
{
	if (!pattern || pattern_str == GO_ABSENT || frame == GO_ABSENT)
		return 0;
	return put_route_of(ctx, spilled_arg(ctx, frame, 3), go_string_at(pattern + pattern_str));
}

/* func (mux *ServeMux) findHandler(r *Request) (h Handler, patStr string, _ *pattern, matches
 * []string) */
SEC("go_after/net/http.(*ServeMux).ServeHTTP>net/http.(*ServeMux).findHandler")
GO_OF(http_server) GO_RESULTS(16) int mux_match(struct pt_regs *ctx)
{
	return put_pattern(ctx, go_arg(ctx, 4), mux_frame);
}

/*
 * The same where profile-guided optimisation inlined findHandler:
 * func (mux *ServeMux) matchOrRedirect(host, method, path string, u *url.URL)
 *	(_ *routingNode, matches []string, redirectTo *url.URL)
 */
SEC("go_after/net/http.(*ServeMux).ServeHTTP>net/http.(*ServeMux).matchOrRedirect")
GO_OF(http_server)
GO_UNLESS("net/http.(*ServeMux).ServeHTTP>net/http.(*ServeMux).findHandler")
	GO_RESULTS(17) int mux_match_inlined(struct pt_regs *ctx)
{
	__u64 node = go_arg(ctx, 0), redirect = go_arg(ctx, 4);

	if (!node || redirect || node_pattern == GO_ABSENT)
		return 0;
	return put_pattern(ctx, go_word(node + node_pattern), mux_frame_inlined);
}
