// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * net/http server: one SERVER span a request, HTTP/1.1 and HTTP/2.
 *
 * HTTP/1.1 takes two hits: the entry of serverHandler.ServeHTTP, where the request is read in a few
 * large reads, and the call of (*conn).hijacked that follows it in (*conn).serve, where the
 * response's status is final. HTTP/2 takes two of its own on the stream's goroutine, in each of the
 * three places where that code lives. Routers add one, for http.route (net_http_route.bpf.c).
 * A handler that panics skips the exit: the deferred closures that recover it are the third.
 *
 * Layouts and functions: src/net/http/server.go, h2_bundle.go (to 1.26), http2.go and
 * internal/http2/server.go (from 1.27); Go 1.19 to 1.27.
 *
 * Table: `net/http` servers, HTTP/1.1 and HTTP/2, `golang.org/x/net/http2` | Go 1.19 to 1.27 | SERVER spans: status, peer, panics, the caller's `traceparent`
 */
#include "http_request.bpf.h"
#include "http_server.bpf.h"
#include "context.bpf.h"
#include "join.bpf.h"

GO_INSTRUMENTED(http_server, "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp.(*middleware).serveHTTP");
GO_INSTRUMENTED(http_server, "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp.(*Handler).ServeHTTP");
GO_INSTRUMENTED(http_server, "go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin");
GO_INSTRUMENTED(http_server, "go.opentelemetry.io/contrib/instrumentation/github.com/labstack/echo/otelecho");
GO_INSTRUMENTED(http_server, "go.opentelemetry.io/contrib/instrumentation/github.com/gorilla/mux/otelmux");
GO_INSTRUMENTED(http_server, "go.opentelemetry.io/contrib/instrumentation/github.com/emicklei/go-restful/otelrestful");
GO_INSTRUMENTED(http_server, "github.com/riandyrn/otelchi");
GO_INSTRUMENTED(http_server, "github.com/labstack/echo-opentelemetry");
GO_SPAN(http_server, "net/http", SERVER, HTTP);

/* type response struct, src/net/http/server.go */
GO_HELD(response, "net/http.ResponseWriter", "*net/http.response");
GO_FIELD_NEEDED(http_server, response_status, int, "net/http.response.status");
GO_FIELD(response_req, pointer, "net/http.response.req");
GO_FIELD(response_conn, pointer, "net/http.response.conn");
GO_FIELD(response_written, int, "net/http.response.written");
GO_FIELD(response_wrote_header, bool, "net/http.response.wroteHeader");
GO_FIELD(response_sent_header, bool, "net/http.response.cw.wroteHeader");
GO_FIELD(conn_hijacked, bool, "net/http.conn.hijackedv");
GO_FIELD(conn_rwc, interface, "net/http.conn.rwc");

/* src/runtime/runtime2.go: why a deferred function runs */
GO_FIELD(g_panic, pointer, "runtime.g._panic");
GO_FIELD(panic_goexit, bool, "runtime._panic.goexit");

/* Where a response leads to its net.Conn and its HTTP/2 stream; followed only where somebody asks. */
struct response_layout {
	__u64 holder;	  /* object that leads to the connection */
	__u16 conn;	  /* pointer in it to what has the interface; GO_ABSENT: it has it itself */
	__u16 net_conn;	  /* the interface */
	__u16 state, stream, stream_id; /* from span->object by pointers; GO_ABSENT: HTTP/1.1 */
};

static __always_inline __u64 net_conn_at(const struct response_layout *at)
{
	__u64 holder = at->conn == GO_ABSENT ? at->holder : go_word(at->holder + at->conn);

	return holder && at->net_conn != GO_ABSENT ? holder + at->net_conn : 0;
}

static __always_inline __u32 stream_of(const struct in_flight *span, const struct response_layout *at)
{
	__u64 stream;

	if (at->state == GO_ABSENT || at->stream == GO_ABSENT || at->stream_id == GO_ABSENT)
		return 0;
	stream = go_word(go_word(span->object + at->state) + at->stream);
	return go_word(stream + at->stream_id);
}

/* A client of ours may have sent this request: then it is the parent. */
static __always_inline void join_client(struct in_flight *span, const struct response_layout *at,
					struct join_request *asked, struct trace_context *parent)
{
	__u64 conn_at = net_conn_at(at);
	struct go_interface conn = {};

	if (!conn_at || bpf_probe_read_user(&conn, sizeof(conn), (void *)conn_at))
		return;
	asked->no_method = JOIN_GET;
	asked->stream = stream_of(span, at);
	asked->path = go_string_at(span->url + url_path);
	join_accept(span, &conn, asked, parent);
}

static __always_inline int put_headers(struct in_flight *span, __u64 map,
				       const struct response_layout *response,
				       struct join_request *asked)
{
	struct http_headers *headers = http_headers_of(span);

	http_read_headers(span, map);
	if (!propagate_trace_context)
		headers->remote.from = PARENT_NONE;
	span->upgrade = headers->upgrade;
	if (join_is_active())
		join_client(span, response, asked, &headers->remote);
	return http_put_headers(span, headers);
}

/* The request line and what else the request struct holds. COPY is the struct, in the scratch. */
static __always_inline void put_request(struct in_flight *span, const struct request_layout *at,
					const __u8 *copy, struct go_string *uri)
{
	struct go_string host = string_in(copy, at->host);
	struct go_string peer = string_in(copy, at->remote_addr);
	__u64 tls = word_in(copy, at->tls);
	__u64 length = word_in(copy, at->content_length);
	__u64 protocol = 20;

	if (at->proto_major != GO_ABSENT)
		protocol = word_in(copy, at->proto_major) * 10 + word_in(copy, at->proto_minor);
	span_put_string(span, ATTR_HTTP_REQUEST_URI, *uri);
	span_put_string(span, ATTR_HTTP_HOST, host);
	span_put_string(span, ATTR_PEER, peer);
	span_put_number(span, ATTR_HTTP_PROTOCOL, protocol);
	if (tls)
		span_put_number(span, ATTR_HTTP_TLS, 1);
	if (capture_body_size && at->content_length != GO_ABSENT && (__s64)length >= 0)
		span_put_number(span, ATTR_HTTP_REQUEST_BODY_SIZE, length);
}

static __always_inline int begin_request(struct pt_regs *ctx, const struct request_layout *at,
					 const struct response_layout *response, __u64 object,
					 __u64 request)
{
	struct goroutine on;
	struct in_flight *span;
	struct join_request asked = {};
	struct go_string method, uri;
	struct go_interface context;
	__u64 header;
	__u8 *copy;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_begin(ctx, &on, http_server, SPAN_SERVER);
	if (!span)
		return 0;
	span->object = object;
	copy = span_scratch(span);
	if (read_request(copy, request))
		return span_drop(&on, span) & fail(on.pid, FAIL_REQUEST_UNREADABLE);
	method = string_in(copy, at->method);
	uri = string_in(copy, at->uri);
	asked.host = string_in(copy, at->host);
	header = word_in(copy, at->header);
	span->url = word_in(copy, at->url);
	context.tab = word_in(copy, at->context);
	context.data = word_in(copy, at->context + 8);
	span->context = context.data;
	/* The preface of HTTP/2 with prior knowledge reaches h2c handlers as a request. */
	if (method.len == 3 && uri.len == 1 && (go_word(method.ptr) & 0xffffff) == 0x495250)
		return span_drop(&on, span);
	span_put_string(span, ATTR_HTTP_METHOD, method);
	put_request(span, at, copy, &uri);
	http_exclude(span, &uri);
	asked.method = method;
	put_headers(span, header, response, &asked);
	return context_register(span, &context);
}

static __always_inline struct response_layout http1_response(__u64 response)
{
	struct response_layout at = {
		.holder = response,
		.conn = response_conn,
		.net_conn = response_conn == GO_ABSENT ? GO_ABSENT : conn_rwc,
		.state = GO_ABSENT,
	};
	return at;
}

/* func (sh serverHandler) ServeHTTP(rw ResponseWriter, req *Request) */
SEC("go_entry/net/http.serverHandler.ServeHTTP")
GO_OF(http_server) GO_WHEN("net/http.(*conn).serve>net/http.serverHandler.ServeHTTP")
int serve_entry(struct pt_regs *ctx)
{
	struct request_layout at = http_request();
	struct response_layout response = http1_response(go_arg(ctx, 2));

	/* Bundled HTTP/2 comes through here as well, with a writer of its own. */
	if (!go_holds(go_arg(ctx, 1), response, go_bias(ctx)))
		return 0;
	return begin_request(ctx, &at, &response, go_arg(ctx, 2), go_arg(ctx, 3));
}

/*
 * The same where profile-guided optimisation inlined ServeHTTP into serve: after
 * func (c *conn) readRequest(ctx context.Context) (w *response, err error)
 */
SEC("go_after/net/http.(*conn).serve>net/http.(*conn).readRequest")
GO_OF(http_server) GO_UNLESS("net/http.(*conn).serve>net/http.serverHandler.ServeHTTP")
GO_RESULTS(3)
int serve_entry_inlined(struct pt_regs *ctx)
{
	struct request_layout at = http_request();
	__u64 response = go_arg(ctx, 0);
	struct response_layout layout = http1_response(response);

	if (!response || go_arg(ctx, 1))
		return 0;
	return begin_request(ctx, &at, &layout, response, go_word(response + response_req));
}

/* No status rather than a wrong one. */
static __always_inline int put_unreadable(struct in_flight *span)
{
	return fail(span->record.pid, FAIL_UNREADABLE);
}

/* The status of a handler that wrote none is 200, unless the connection was taken away. */
static __always_inline int put_response(struct in_flight *span)
{
	__u64 status;

	if (bpf_probe_read_user(&status, sizeof(status), (void *)span->object + response_status))
		return put_unreadable(span);
	if (!status && conn_hijacked != GO_ABSENT && response_conn != GO_ABSENT &&
	    go_byte(go_word(span->object + response_conn) + conn_hijacked) & 1) {
		if (!span->upgrade)
			return 0;
		status = 101;
	}
	span_put_number(span, ATTR_HTTP_STATUS, status ? status : 200);
	if (capture_body_size && response_written != GO_ABSENT)
		span_put_number(span, ATTR_HTTP_RESPONSE_BODY_SIZE,
				go_word(span->object + response_written));
	return 0;
}

/* BEFORE: the request's context is canceled after that. */
static __always_inline int end_request(struct pt_regs *ctx, bool before)
{
	struct goroutine on;
	struct in_flight *span;

	span = span_here(ctx, &on, http_server);
	if (!span)
		return 0;
	put_response(span);
	if (before)
		context_outlives(span, false);
	return span_end(&on, span);
}

/* func (c *conn) hijacked() bool */
SEC("go_call/net/http.(*conn).serve>net/http.(*conn).hijacked")
GO_OF(http_server)
int serve_exit(struct pt_regs *ctx)
{
	return end_request(ctx, false);
}

/* Where that is inlined or gone: the handler's own return. */
SEC("go_return/net/http.serverHandler.ServeHTTP")
GO_OF(http_server) GO_UNLESS("net/http.(*conn).serve>net/http.(*conn).hijacked")
int serve_return(struct pt_regs *ctx)
{
	return end_request(ctx, true);
}

/*
 * g._panic is set in a deferred function only while a panic or Goexit runs it. When it cannot be
 * read the span's own frame is gone all the same: a panic, and counted.
 */
static __always_inline enum unwinding unwinding(const struct goroutine *on)
{
	__u64 panic = 0;

	if (g_panic == GO_ABSENT)
		return UNWIND_NONE;
	if (bpf_probe_read_user(&panic, sizeof(panic), (void *)on->g + g_panic)) {
		fail(on->pid, FAIL_UNREADABLE);
		return UNWIND_PANIC;
	}
	if (!panic)
		return UNWIND_NONE;
	if (panic_goexit != GO_ABSENT && go_byte(panic + panic_goexit) & 1)
		return UNWIND_GOEXIT;
	return UNWIND_PANIC;
}

static __always_inline int end_unwound(const struct goroutine *on, struct in_flight *span,
				       enum unwinding how, bool sent, __u64 status)
{
	span_put_number(span, ATTR_UNWOUND, how);
	if (sent && status)
		span_put_number(span, ATTR_HTTP_STATUS, status);
	return span_end(on, span);
}

/*
 * The deferred closure of (*conn).serve that recovers: runs once a connection. A span still open
 * here is of a handler that panicked, or (PGO build) of a request refused before its handler ran.
 */
SEC("go_entry/net/http.(*conn).serve.func1")
GO_OF(http_server)
int serve_unwound(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span;
	enum unwinding how;

	span = span_here(ctx, &on, http_server);
	if (!span)
		return 0;
	how = unwinding(&on);
	if (how == UNWIND_NONE)
		return span_drop(&on, span);
	context_outlives(span, false);
	return end_unwound(&on, span, how, go_byte(span->object + response_sent_header) & 1,
			   go_word(span->object + response_status));
}

/* func (w *response) Hijack() (rwc net.Conn, buf *bufio.ReadWriter, err error) */
SEC("go_entry/net/http.(*response).Hijack")
GO_OF(http_server)
int hijack_entry(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span;

	span = span_here(ctx, &on, http_server);
	if (!span || span->object != go_arg(ctx, 0))
		return 0;
	/* The request is served again, as stream 1 of the HTTP/2 connection it asked for. */
	if (span->upgrade == UPGRADE_H2C)
		return span_drop(&on, span);
	if (go_byte(span->object + response_wrote_header) & 1)
		span_put_number(span, ATTR_HTTP_STATUS, go_word(span->object + response_status));
	else if (span->upgrade)
		span_put_number(span, ATTR_HTTP_STATUS, 101);
	context_outlives(span, true);
	return span_end(&on, span);
}

/*
 * HTTP/2, in each of its homes: (sc *serverConn) runHandler(rw *responseWriter, req, handler) runs
 * a stream's handler on a goroutine of its own; its deferred func1 sees the response complete, and
 * panics as well. TOO_LONG is the handler that answers 431 before any handler of the program runs.
 */
#define HTTP2_SERVER(home, package, type_prefix, request) \
	GO_FIELD(home##_rws, pointer, package "." type_prefix "responseWriter.rws"); \
	GO_FIELD(home##_status, int, package "." type_prefix "responseWriterState.status"); \
	GO_FIELD(home##_wrote, int, package "." type_prefix "responseWriterState.wroteBytes"); \
	GO_FIELD(home##_sent, bool, package "." type_prefix "responseWriterState.sentHeader"); \
	GO_FIELD(home##_stream, pointer, package "." type_prefix "responseWriterState.stream"); \
	GO_FIELD(home##_stream_id, int, package "." type_prefix "stream.id"); \
	GO_FIELD(home##_net_conn, interface, package "." type_prefix "serverConn.conn"); \
	GO_FUNCTION(home##_too_long, package "." type_prefix "handleHeaderListTooLong"); \
\
	SEC("go_entry/" package ".(*" type_prefix "serverConn).runHandler") \
	GO_OF(http_server) \
	int home##_entry(struct pt_regs *ctx) \
	{ \
		struct request_layout at = request(); \
		struct response_layout response = { \
			.holder = go_arg(ctx, 0), \
			.conn = GO_ABSENT, \
			.net_conn = home##_net_conn, \
			.state = home##_rws, \
			.stream = home##_stream, \
			.stream_id = home##_stream_id, \
		}; \
\
		if (go_word(go_arg(ctx, 3)) == home##_too_long + go_bias(ctx)) \
			return 0; \
		return begin_request(ctx, &at, &response, go_arg(ctx, 1), go_arg(ctx, 2)); \
	} \
\
	SEC("go_entry/" package ".(*" type_prefix "serverConn).runHandler.func1") \
	GO_OF(http_server) \
	int home##_exit(struct pt_regs *ctx) \
	{ \
		return end_stream(ctx, home##_rws, home##_status, home##_sent, home##_wrote); \
	}

static __always_inline int end_stream(struct pt_regs *ctx, __u16 rws_at, __u16 status_at,
				      __u16 sent_at, __u16 wrote_at)
{
	struct goroutine on;
	struct in_flight *span;
	enum unwinding how;
	__u64 rws, status;

	if (rws_at == GO_ABSENT || status_at == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, http_server);
	if (!span)
		return 0;
	context_outlives(span, false);
	rws = go_word(span->object + rws_at);
	if (!rws || bpf_probe_read_user(&status, sizeof(status), (void *)rws + status_at)) {
		put_unreadable(span);
		return span_end(&on, span);
	}
	how = unwinding(&on);
	if (how != UNWIND_NONE)
		return end_unwound(&on, span, how, go_byte(rws + sent_at) & 1, status);
	span_put_number(span, ATTR_HTTP_STATUS, status ? status : 200);
	if (capture_body_size && wrote_at != GO_ABSENT)
		span_put_number(span, ATTR_HTTP_RESPONSE_BODY_SIZE, go_word(rws + wrote_at));
	return span_end(&on, span);
}

HTTP2_SERVER(h2_bundled, "net/http", "http2", http_request)
HTTP2_SERVER(h2_internal, "net/http/internal/http2", "", http2_request)
HTTP2_SERVER(h2_external, "golang.org/x/net/http2", "", http_request)
