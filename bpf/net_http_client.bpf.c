// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * net/http client: one CLIENT span for each request that is given to a transport, HTTP/1.1 and
 * HTTP/2. A redirect or a try of the program's own is a further one; what the transport repeats by
 * itself, on another connection, is not.
 *
 * HTTP/1.1 takes three hits: the entry of (*Transport).roundTrip, where the request is read; that of
 * (*persistConn).roundTrip, where the connection is known; and the test of the error behind it.
 * Errors, and answers by HTTP/2, end at the transport's other RETs. HTTP/2's connection is seen
 * where RoundTripOpt calls it, in each of the three homes of that code. x/net's own Transport begins
 * spans too, unless it works for an http.Transport. The answer's body is not waited for.
 *
 * Layouts and functions: src/net/http/{transport,request,response}.go, clientconn.go (1.27),
 * h2_bundle.go (to 1.26), internal/http2/transport.go (from 1.27), src/net/url/url.go; Go 1.19 to
 * 1.27; golang.org/x/net/http2/transport.go.
 *
 * Table: `net/http` clients, HTTP/1.1 and HTTP/2, `golang.org/x/net/http2` | Go 1.19 to 1.27 | CLIENT spans, one an attempt: connection, status, redirects, errors
 */
#include "context.bpf.h"
#include "net_conn.bpf.h"
#include "http_copy.bpf.h"
#include "otel_sdk.bpf.h"
#include "http_propagate.bpf.h"

enum {
	URL_BYTES = 144, /* size of a url.URL, Go 1.19 to 1.27 */
	REDIRECTS_MAX = 16,
};

GO_SPAN(http_client, "net/http", CLIENT, HTTP);

/* http_request.bpf.h: type Request struct; net_http_server.bpf.c */
extern const volatile __u16 request_method;
extern const volatile __u16 request_url;
extern const volatile __u16 request_content_length;
extern const volatile __u16 request_ctx;
extern const volatile __u16 request_response;
extern const volatile __u16 url_path;
extern const volatile __u8 capture_body_size; /* http_server.bpf.c */

GO_FUNCTION(otelhttp_round_trip,
	    "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp.(*Transport).RoundTrip");

/* type Response struct, src/net/http/response.go */
GO_FIELD_NEEDED(http_client, answer_status, int, "net/http.Response.StatusCode");
GO_FIELD(answer_proto_major, int, "net/http.Response.ProtoMajor");
GO_FIELD(answer_proto_minor, int, "net/http.Response.ProtoMinor");
GO_FIELD(answer_content_length, int, "net/http.Response.ContentLength");
GO_FIELD(answer_request, pointer, "net/http.Response.Request");

/* type URL struct, src/net/url/url.go */
GO_FIELD(url_scheme, string, "net/url.URL.Scheme");
GO_FIELD(url_opaque, string, "net/url.URL.Opaque");
GO_FIELD(url_user, pointer, "net/url.URL.User");
GO_FIELD(url_host, string, "net/url.URL.Host");
GO_FIELD(url_raw_path, string, "net/url.URL.RawPath");
GO_FIELD(url_raw_query, string, "net/url.URL.RawQuery");
GO_FIELD(url_fragment, string, "net/url.URL.Fragment");

/* type persistConn struct, src/net/http/transport.go */
GO_FIELD(connection_conn, interface, "net/http.persistConn.conn");

GO_FRAME(transport_frame, "net/http.(*Transport).roundTrip>net/http.(*persistConn).roundTrip");

/*
 * x/net's own Transport. RoundTripOpt has been a wrapper since v0.56, and calls roundTripViaPool, or in
 * Go 1.27 mostly net/http; which of its methods ClientConn is called by, inlining decides.
 */
#define XNET_ROUND_TRIP_OPT "golang.org/x/net/http2.(*Transport).RoundTripOpt"
#define XNET_CALL XNET_ROUND_TRIP_OPT ">golang.org/x/net/http2.(*ClientConn).roundTrip"
#define XNET_CALL_OLD XNET_ROUND_TRIP_OPT ">golang.org/x/net/http2.(*ClientConn).RoundTrip"
#define XNET_VIA_POOL "golang.org/x/net/http2.(*Transport).roundTripViaPool"
#define XNET_POOL_CALL XNET_VIA_POOL ">golang.org/x/net/http2.(*ClientConn).internalRoundTrip"
#define XNET_POOL_CALL_PLAIN XNET_VIA_POOL ">golang.org/x/net/http2.(*ClientConn).RoundTrip"

/* Cut to what is left of URI_MAX. */
static __always_inline int put_rest(struct in_flight *span, enum attribute_key key,
				    struct go_string s, __u64 used)
{
	__u64 left = used < URI_MAX ? URI_MAX - used : 0;

	if (s.len > left) {
		s.len = left;
		span->record.truncated++;
	}
	return span_put_string(span, key, s);
}

/* The pieces of which the agent makes url.full. */
static __noinline int put_url(struct in_flight *span)
{
	__u8 *copy = span_scratch(span);
	struct go_string path, raw_path;

	if (bpf_probe_read_user(copy, URL_BYTES, (void *)span->url))
		return fail(span->record.pid, FAIL_UNREADABLE);
	path = string_in(copy, url_path);
	raw_path = string_in(copy, url_raw_path);
	span_put_string(span, ATTR_URL_SCHEME, string_in(copy, url_scheme));
	span_put_string(span, ATTR_URL_HOST, string_in(copy, url_host));
	if (word_in(copy, url_user))
		span_put_number(span, ATTR_URL_USER, 1);
	span_put_string(span, ATTR_URL_OPAQUE, string_in(copy, url_opaque));
	put_rest(span, ATTR_URL_PATH, path, 0);
	put_rest(span, ATTR_URL_RAW_PATH, raw_path, path.len);
	put_rest(span, ATTR_URL_QUERY, string_in(copy, url_raw_query), path.len + raw_path.len);
	return span_put_string(span, ATTR_URL_FRAGMENT, string_in(copy, url_fragment));
}

/* RESPONSE is the redirect that led here; its own request may have come from one as well. */
static __noinline int put_resends(struct in_flight *span, __u64 response)
{
	__u32 cnt = 0;

	if (answer_request == GO_ABSENT || request_response == GO_ABSENT)
		return 0;
	for (int i = 0; i < REDIRECTS_MAX && response; i++) {
		__u64 request = go_word(response + answer_request);

		cnt++;
		response = request ? go_word(request + request_response) : 0;
	}
	return span_put_number(span, ATTR_HTTP_RESEND_COUNT, cnt);
}

static __noinline int put_request(struct in_flight *span, __u64 response, __u64 length)
{
	if (capture_body_size && (__s64)length > 0)
		span_put_number(span, ATTR_HTTP_REQUEST_BODY_SIZE, length);
	if (response)
		put_resends(span, response);
	return put_url(span);
}

/* The same request on its way through a second transport, inside the first? */
static __always_inline bool is_begun(struct pt_regs *ctx, const struct goroutine *on, __u64 url)
{
	struct in_flight *around = span_around(ctx, on);

	return around && around->record.library == http_client && around->url == url;
}

/*
 * func (t *Transport) roundTrip(req *Request) (_ *Response, err error)
 * func (cc *ClientConn) RoundTrip(req *Request) (*Response, error), Go 1.27
 * func (t *Transport) RoundTripOpt(req *http.Request, opt RoundTripOpt) (*http.Response, error)
 * func (t *Transport) roundTripViaPool(req *http.Request, ...) (*http.Response, error), x/net v0.56
 */
SEC("go_entry/net/http.(*Transport).roundTrip")
GO_ALSO("net/http.(*ClientConn).RoundTrip")
GO_ALSO(XNET_ROUND_TRIP_OPT)
GO_ALSO(XNET_VIA_POOL)
GO_OF(http_client) GO_NEEDED
int client_entry(struct pt_regs *ctx)
{
	__u64 request = go_arg(ctx, 1);
	__u64 url = go_word(request + request_url);
	struct go_interface context;
	struct in_flight *span;
	struct goroutine on;
	__u64 response, length;
	__u8 *copy;

	if (!url || goroutine_of(ctx, &on) || is_begun(ctx, &on, url))
		return 0;
	span = span_begin(ctx, &on, http_client, SPAN_CLIENT);
	if (!span)
		return 0;
	span->url = url;
	span->mark = request;
	copy = span_scratch(span);
	if (read_request(copy, request))
		return span_drop(&on, span) & fail(on.pid, FAIL_REQUEST_UNREADABLE);
	context.tab = word_in(copy, request_ctx);
	context.data = word_in(copy, request_ctx + 8);
	response = word_in(copy, request_response);
	length = word_in(copy, request_content_length);
	span_put_string(span, ATTR_HTTP_METHOD, string_in(copy, request_method));
	span_child(span, &on, &context);
	/* otelhttp's Transport around this one has made a span; that it is linked does not tell so */
	if (sdk_fills && otelhttp_round_trip && span->parent.kind == SPAN_CLIENT)
		return span_drop(&on, span);
	if (span_is_brief(span))
		return 0;
	return put_request(span, response, length);
}

/* The span, and the connection that it goes over; NULL when either is unknown. */
static __always_inline struct in_flight *find_connection(struct pt_regs *ctx, __u64 connection,
							 __u16 conn_at, struct go_interface *conn)
{
	struct in_flight *span;
	struct goroutine on;

	if (conn_at == GO_ABSENT || goroutine_of(ctx, &on))
		return NULL;
	span = span_find(&on, http_client);
	if (!span || bpf_probe_read_user(conn, sizeof(*conn), (void *)connection + conn_at))
		return NULL;
	if (!span_is_brief(span))
		span_put_peer(span, conn);
	return span;
}

/* func (pc *persistConn) roundTrip(req *transportRequest) (resp *Response, err error) */
SEC("go_entry/net/http.(*persistConn).roundTrip")
GO_OF(http_client)
int client_connection(struct pt_regs *ctx)
{
	struct go_interface conn = {};
	struct in_flight *span = find_connection(ctx, go_arg(ctx, 0), connection_conn, &conn);

	return span ? http_propagate(span, &conn, go_arg(ctx, 0)) : 0;
}

/*
 * func (cc *ClientConn) roundTrip(req *Request, streamf func(*clientStream)) (*Response, error);
 * in older versions, and where it is not inlined, (cc *ClientConn) RoundTrip(req *Request).
 */
#define HTTP2_CLIENT(home, package, prefix, also) \
	GO_FIELD(home##_conn, interface, package "." prefix "ClientConn.tconn"); \
\
	SEC("go_call/" package ".(*" prefix "Transport).RoundTripOpt>" package ".(*" prefix \
	    "ClientConn).roundTrip") \
	GO_ALSO(package ".(*" prefix "Transport).RoundTripOpt>" package ".(*" prefix \
		"ClientConn).RoundTrip") \
	also GO_OF(http_client) \
	int home##_connection(struct pt_regs *ctx) \
	{ \
		struct go_interface conn = {}; \
		struct in_flight *span = find_connection(ctx, go_arg(ctx, 0), home##_conn, &conn); \
\
		return span ? http_propagate_stream(span, go_arg(ctx, 1)) : 0; \
	}

#define HTTP2_STREAM(home, package, prefix) \
	GO_FIELD(home##_stream_id, int, package "." prefix "clientStream.ID"); \
	GO_FIELD(home##_stream_conn, pointer, package "." prefix "clientStream.cc"); \
	GO_FIELD(home##_framer, pointer, package "." prefix "ClientConn.fr"); \
	GO_ATTACHED(home##_writes, #home "_write"); \
\
	/* func (cs *clientStream) encodeAndWriteHeaders(req *Request) error, on its own goroutine */ \
	SEC("go_entry/" package ".(*" prefix "clientStream).encodeAndWriteHeaders") \
	GO_OF(http_client) \
	int home##_headers(struct pt_regs *ctx) \
	{ \
		__u64 stream = go_arg(ctx, 0), conn; \
		struct http2_stream on_wire = {}; \
\
		if (home##_stream_id == GO_ABSENT || home##_stream_conn == GO_ABSENT || \
		    home##_conn == GO_ABSENT) \
			return 0; \
		conn = go_word(stream + home##_stream_conn); \
		on_wire.conn_at = conn + home##_conn; \
		on_wire.id = go_word(stream + home##_stream_id); \
		if (home##_writes && home##_framer != GO_ABSENT) \
			on_wire.framer = go_word(conn + home##_framer); \
		return http_send_stream(ctx, go_arg(ctx, 1), &on_wire); \
	}

HTTP2_CLIENT(client_h2_bundled, "net/http", "http2", )
HTTP2_CLIENT(client_h2_external, "golang.org/x/net/http2", "",
	     GO_ALSO(XNET_POOL_CALL) GO_ALSO(XNET_POOL_CALL_PLAIN))

HTTP2_STREAM(client_h2_bundled, "net/http", "http2")
HTTP2_STREAM(client_h2_external, "golang.org/x/net/http2", "")

/*
 * func (cc *ClientConn) writeHeaders(streamID uint32, endStream bool, maxFrameSize int, hdrs []byte)
 * error, to 2021 in roundTrip itself.
 */
SEC("go_call/golang.org/x/net/http2.(*ClientConn).roundTrip>golang.org/x/net/http2.(*ClientConn).writeHeaders")
GO_OF(http_client)
int client_h2_old_headers(struct pt_regs *ctx)
{
	struct http2_stream on_wire = {};
	__u64 conn = go_arg(ctx, 0);

	if (client_h2_external_conn == GO_ABSENT)
		return 0;
	on_wire.conn_at = conn + client_h2_external_conn;
	on_wire.id = go_arg(ctx, 1);
	if (client_h2_external_writes && client_h2_external_framer != GO_ABSENT)
		on_wire.framer = go_word(conn + client_h2_external_framer);
	return http_send_stream(ctx, 0, &on_wire);
}

/* In Go 1.27 http.ClientConn comes here as well, without a pool. */
GO_FIELD(client_h2_internal_conn, interface, "net/http/internal/http2.ClientConn.tconn");

SEC("go_entry/net/http/internal/http2.(*ClientConn).roundTrip")
GO_OF(http_client)
int client_h2_internal_connection(struct pt_regs *ctx)
{
	struct go_interface conn = {};
	struct in_flight *span =
		find_connection(ctx, go_arg(ctx, 0), client_h2_internal_conn, &conn);

	return span ? http_propagate_stream(span, go_arg(ctx, 1)) : 0;
}

HTTP2_STREAM(client_h2_internal, "net/http/internal/http2", "")

static __always_inline void put_answer(struct in_flight *span, __u64 response)
{
	__u64 status, major, minor;

	if (bpf_probe_read_user(&status, sizeof(status), (void *)response + answer_status)) {
		fail(span->record.pid, FAIL_UNREADABLE);
		return;
	}
	span_put_number(span, ATTR_HTTP_STATUS, status);
	if (span_is_brief(span))
		return;
	if (answer_proto_major != GO_ABSENT && answer_proto_minor != GO_ABSENT) {
		major = go_word(response + answer_proto_major);
		minor = go_word(response + answer_proto_minor);
		span_put_number(span, ATTR_HTTP_PROTOCOL, major * 10 + minor);
	}
	if (capture_body_size && answer_content_length != GO_ABSENT) {
		__s64 length = go_word(response + answer_content_length);

		if (length >= 0)
			span_put_number(span, ATTR_HTTP_RESPONSE_BODY_SIZE, length);
	}
}

/*
 * A connection whose request failed is closed, or its stream: what was offered stays there for a server
 * that comes to the request only now.
 */
static __noinline int put_failure(struct in_flight *span, const struct go_interface *error)
{
	struct go_interface context = {};

	span->joins = 0;
	span_put_error(span, error);
	if (request_ctx == GO_ABSENT ||
	    bpf_probe_read_user(&context, sizeof(context), (void *)span->mark + request_ctx))
		return 0;
	if (context_canceled_by(&context, error, span->record.bias))
		span_put_number(span, ATTR_CANCELED, 1);
	return 0;
}

/* Results (*Response, error) in registers 0; 1, 2. SP: at the entry of the function they are of. */
static __always_inline int end_request(struct pt_regs *ctx, __u64 sp)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};
	__u64 response = go_arg(ctx, 0);
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_of_frame(&on, http_client, sp);
	if (!span)
		return 0;
	if (error.tab)
		put_failure(span, &error);
	else if (response)
		put_answer(span, response);
	return span_end(&on, span);
}

/* An error here may be tried again, so only answers end the span. */
static __always_inline int end_answered(struct pt_regs *ctx, __u16 frame)
{
	if (frame == GO_ABSENT || go_arg(ctx, 1) || !go_arg(ctx, 0))
		return 0;
	return end_request(ctx, ctx->sp + frame);
}

/* HTTP/2 on a connection of its own joins here: `if err == nil` is for both. */
SEC("go_join/net/http.(*Transport).roundTrip>net/http.(*persistConn).roundTrip")
GO_OF(http_client) GO_RESULTS(7)
int client_answer(struct pt_regs *ctx)
{
	return end_answered(ctx, transport_frame);
}

#define XNET_ANSWER(program, call) \
	GO_FRAME(program##_frame, call); \
\
	SEC("go_join/" call) \
	GO_OF(http_client) GO_RESULTS(7) \
	int program(struct pt_regs *ctx) \
	{ \
		return end_answered(ctx, program##_frame); \
	}

XNET_ANSWER(client_xnet_answer, XNET_CALL)
XNET_ANSWER(client_xnet_answer_old, XNET_CALL_OLD)
XNET_ANSWER(client_xnet_pool_answer, XNET_POOL_CALL)
XNET_ANSWER(client_xnet_pool_answer_plain, XNET_POOL_CALL_PLAIN)

SEC("go_return/net/http.(*Transport).roundTrip")
GO_EXCEPT("net/http.(*Transport).roundTrip>net/http.(*persistConn).roundTrip")
GO_ALSO("net/http.(*ClientConn).RoundTrip")
GO_ALSO(XNET_ROUND_TRIP_OPT)
GO_ALSO(XNET_VIA_POOL)
GO_EXCEPT(XNET_CALL) GO_EXCEPT(XNET_CALL_OLD)
GO_EXCEPT(XNET_POOL_CALL) GO_EXCEPT(XNET_POOL_CALL_PLAIN)
GO_OF(http_client) GO_NEEDED GO_RESULTS(2)
int client_return(struct pt_regs *ctx)
{
	return end_request(ctx, go_return_sp(ctx));
}
