// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * fasthttp server: one SERVER span a request, in two hits on the connection's goroutine, both in
 * (*Server).serveConn: where a request that was read is asked whether it waits for "100 Continue",
 * and where the response that the handler left is written. The handler itself is called indirectly.
 * Its *RequestCtx is a context.Context and stands for the span.
 *
 * Layouts: server.go, http.go, header.go, args.go, v1.14.0 to v1.77.0. Until v1.13.1 the headers of
 * most requests are not parsed before the handler asks for one: off.
 *
 * Table: `github.com/valyala/fasthttp` servers | 1.14 to 1.77 | SERVER spans
 */
#include "context.bpf.h"
#include "http_server.bpf.h"
#include "join.bpf.h"

GO_SPAN(fasthttp_server, "github.com/valyala/fasthttp", SERVER, HTTP);

#define FASTHTTP "github.com/valyala/fasthttp."
#define SERVE_CONN FASTHTTP "(*Server).serveConn"
#define SERVE_COUNTED FASTHTTP "(*Server).serveConnCounted" /* its body, from v1.77.0 at the latest */

GO_FIELD_NEEDED(fasthttp_server, ctx_request, struct, FASTHTTP "RequestCtx.Request");
GO_FIELD_NEEDED(fasthttp_server, ctx_response, struct, FASTHTTP "RequestCtx.Response");
GO_FIELD_NEEDED(fasthttp_server, request_headers, struct, FASTHTTP "Request.Header");
GO_FIELD_NEEDED(fasthttp_server, response_headers, struct, FASTHTTP "Response.Header");
GO_FIELD_NEEDED(fasthttp_server, headers_method, slice, FASTHTTP "RequestHeader.method");
GO_FIELD_NEEDED(fasthttp_server, headers_uri, slice, FASTHTTP "RequestHeader.requestURI");
GO_FIELD_NEEDED(fasthttp_server, headers_status, int, FASTHTTP "ResponseHeader.statusCode");
/* needed only as a sign of later versions, from v1.13.1 */
GO_FIELD_NEEDED(fasthttp_server, server_continue_handler, func, FASTHTTP "Server.ContinueHandler");
GO_FIELD(ctx_conn, interface, FASTHTTP "RequestCtx.c");
GO_FIELD(request_is_tls, bool, FASTHTTP "Request.isTLS");
GO_FIELD(headers_host, slice, FASTHTTP "RequestHeader.host");
GO_FIELD(headers_user_agent, slice, FASTHTTP "RequestHeader.userAgent");
/* in an embedded struct from v1.59.0 at the latest */
GO_FIELD(headers_rest, slice, FASTHTTP "RequestHeader.header.h");
GO_FIELD(headers_rest_flat, slice, FASTHTTP "RequestHeader.h");
GO_FIELD(headers_http10, bool, FASTHTTP "RequestHeader.header.noHTTP11");
GO_FIELD(headers_http10_flat, bool, FASTHTTP "RequestHeader.noHTTP11");
GO_FIELD(headers_length, int, FASTHTTP "RequestHeader.header.contentLength");
GO_FIELD(headers_length_flat, int, FASTHTTP "RequestHeader.contentLength");
GO_FIELD(response_stream, interface, FASTHTTP "Response.bodyStream");
GO_FIELD(response_body, pointer, FASTHTTP "Response.body");
GO_FIELD(response_body_raw, slice, FASTHTTP "Response.bodyRaw");
GO_FIELD(buffer_bytes, slice, "github.com/valyala/bytebufferpool.ByteBuffer.B");

/* type argsKV struct { key, value []byte; noValue bool }, args.go */
enum { PAIR_SIZE = 56, PAIR_VALUE_OFF = 24, PAIRS = 8, PAIR_GROUPS = 8 };

GO_FIELD(headers_parsed, bool, FASTHTTP "RequestHeader.rawHeadersParsed"); /* to v1.13.1 */
GO_FIELD(pair_value, slice, FASTHTTP "argsKV.value");

/* How the span's scratch is used while headers are read. */
struct pair_scratch {
	__u8 pairs[PAIRS * PAIR_SIZE];
	struct http_headers headers;
};

_Static_assert(sizeof(struct pair_scratch) <= SCRATCH_MAX, "the scratch is too small");

static __always_inline __u16 either(__u16 first, __u16 second)
{
	return first != GO_ABSENT ? first : second;
}

static __always_inline void take_pair(const __u8 *pair, struct http_headers *out)
{
	struct go_string name = *(const struct go_string *)pair;
	struct go_string value = *(const struct go_string *)(pair + PAIR_VALUE_OFF);
	struct go_string *place;
	__u64 key[3] = {};

	if (!length_is_wanted(name.len) || bpf_probe_read_user(key, name.len & 31, (void *)name.ptr))
		return;
	if ((__u8)key[0] >= 'a' && (__u8)key[0] <= 'z')
		key[0] -= 'a' - 'A'; /* Server.DisableHeaderNamesNormalizing */
	place = place_of(key, out);
	if (place)
		keep_header(place, value, 1, out);
}

/* The first CNT pairs in SPAN's scratch. A global function: the verifier looks at it once. */
__weak int fasthttp_take_pairs(struct in_flight *span, __u32 cnt)
{
	struct pair_scratch *scratch;

	if (!span)
		return 0;
	scratch = (void *)span_scratch(span);
	for (__u32 i = 0; i < PAIRS; i++)
		if (i < cnt)
			take_pair(scratch->pairs + i * PAIR_SIZE, &scratch->headers);
	return 0;
}

static __always_inline void read_pairs(struct in_flight *span, __u64 headers)
{
	__u16 rest = either(headers_rest, headers_rest_flat);
	struct pair_scratch *scratch = (void *)span_scratch(span);
	struct go_string pairs; /* a slice begins like a string */

	if (rest == GO_ABSENT || pair_value != PAIR_VALUE_OFF)
		return;
	pairs = go_string_at(headers + rest);
	for (int i = 0; i < PAIR_GROUPS && pairs.len; i++) {
		__u32 cnt = pairs.len < PAIRS ? pairs.len : PAIRS;

		if (bpf_probe_read_user(scratch->pairs, cnt * PAIR_SIZE, (void *)pairs.ptr)) {
			fail(span->record.pid, FAIL_HEADER_READ);
			return;
		}
		fasthttp_take_pairs(span, cnt);
		pairs.ptr += cnt * PAIR_SIZE;
		pairs.len -= cnt;
	}
	if (pairs.len)
		fail(span->record.pid, FAIL_MANY_HEADERS);
}

/* CONN: {} when no client may be looked for at its other end. */
static __always_inline void put_headers(struct in_flight *span, __u64 at, struct join_request *asked,
					const struct go_interface *conn)
{
	struct http_headers *headers = &((struct pair_scratch *)span_scratch(span))->headers;
	struct go_string agent = {};

	__builtin_memset(headers, 0, sizeof(*headers));
	read_pairs(span, at);
	if (headers_user_agent != GO_ABSENT)
		agent = go_string_at(at + headers_user_agent);
	if (agent.len)
		headers->user_agent = agent;
	judge_headers(headers);
	if (!propagate_trace_context)
		headers->remote.from = PARENT_NONE;
	if (conn->tab && asked->path.len)
		join_accept(span, conn, asked, &headers->remote);
	http_put_headers(span, headers);
}

static __always_inline void put_request(struct in_flight *span, __u64 request, __u64 headers,
					const struct join_request *asked)
{
	__u16 http10 = either(headers_http10, headers_http10_flat);
	__u16 length_at = either(headers_length, headers_length_flat);
	__s64 length;

	span_put_string(span, ATTR_HTTP_METHOD, asked->method);
	span_put_string(span, ATTR_HTTP_REQUEST_URI, asked->path);
	span_put_string(span, ATTR_HTTP_HOST, asked->host);
	if (http10 != GO_ABSENT)
		span_put_number(span, ATTR_HTTP_PROTOCOL, go_byte(headers + http10) & 1 ? 10 : 11);
	if (request_is_tls != GO_ABSENT && go_byte(request + request_is_tls) & 1)
		span_put_number(span, ATTR_HTTP_TLS, 1);
	if (!capture_body_size || length_at == GO_ABSENT)
		return;
	length = go_word(headers + length_at);
	if (length >= 0)
		span_put_number(span, ATTR_HTTP_REQUEST_BODY_SIZE, length);
}

/* REQUEST: of a RequestCtx, read as far as its handler may be called. */
static __always_inline int begin(struct pt_regs *ctx, __u64 request)
{
	__u64 headers = request + request_headers;
	struct go_interface conn = {};
	struct join_request asked = {};
	struct goroutine on;
	struct in_flight *span;

	if (headers_parsed != GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = span_begin(ctx, &on, fasthttp_server, SPAN_SERVER);
	if (!span)
		return 0;
	span->object = request - ctx_request;
	span->context = span->object;
	asked.method = go_string_at(headers + headers_method);
	asked.path = go_string_at(headers + headers_uri);
	if (headers_host != GO_ABSENT)
		asked.host = go_string_at(headers + headers_host);
	if (ctx_conn != GO_ABSENT)
		bpf_probe_read_user(&conn, sizeof(conn), (void *)span->object + ctx_conn);
	put_request(span, request, headers, &asked);
	span_put_peer(span, &conn);
	http_exclude(span, &asked.path);
	if (join_is_active()) {
		__u32 len = http_path_len(span, &asked.path);

		asked.path.len = len ? len : asked.path.len;
	} else {
		conn.tab = 0;
	}
	put_headers(span, headers, &asked, &conn);
	conn = (struct go_interface){.data = span->context}; /* a context itself */
	return context_register(span, &conn);
}

/* func (req *Request) MayContinue() bool */
SEC("go_call/" SERVE_CONN ">" FASTHTTP "(*Request).MayContinue")
GO_ALSO(SERVE_COUNTED ">" FASTHTTP "(*Request).MayContinue")
GO_OF(fasthttp_server)
int fasthttp_asked(struct pt_regs *ctx)
{
	return begin(ctx, go_arg(ctx, 0));
}

/* Where that is inlined: func (h *RequestHeader) peek(key []byte) []byte */
SEC("go_call/" SERVE_CONN ">" FASTHTTP "(*RequestHeader).peek")
GO_ALSO(SERVE_COUNTED ">" FASTHTTP "(*RequestHeader).peek")
GO_OF(fasthttp_server)
int fasthttp_asked_inlined(struct pt_regs *ctx)
{
	return begin(ctx, go_arg(ctx, 0) - request_headers);
}

static __always_inline __u64 body_size(__u64 response)
{
	struct go_string raw = {};
	__u64 buffer;

	if (response_body_raw != GO_ABSENT)
		raw = go_string_at(response + response_body_raw);
	if (raw.ptr)
		return raw.len;
	buffer = go_word(response + response_body);
	return buffer ? go_string_at(buffer + buffer_bytes).len : 0;
}

static __always_inline int end(struct pt_regs *ctx, __u64 response)
{
	struct goroutine on;
	struct in_flight *span;
	__u64 status;

	span = span_here(ctx, &on, fasthttp_server);
	if (!span)
		return 0;
	status = go_word(response + response_headers + headers_status);
	span_put_number(span, ATTR_HTTP_STATUS, status ? status : 200);
	if (capture_body_size && response_body != GO_ABSENT && buffer_bytes != GO_ABSENT &&
	    response_stream != GO_ABSENT && !go_word(response + response_stream))
		span_put_number(span, ATTR_HTTP_RESPONSE_BODY_SIZE, body_size(response));
	return span_end(&on, span);
}

/* func writeResponse(ctx *RequestCtx, w *bufio.Writer) error */
SEC("go_call/" SERVE_CONN ">" FASTHTTP "writeResponse")
GO_ALSO(SERVE_COUNTED ">" FASTHTTP "writeResponse")
GO_OF(fasthttp_server)
int fasthttp_answer(struct pt_regs *ctx)
{
	return end(ctx, go_arg(ctx, 0) + ctx_response);
}

/* Where that is inlined: func (resp *Response) Write(w *bufio.Writer) error */
SEC("go_call/" SERVE_CONN ">" FASTHTTP "(*Response).Write")
GO_ALSO(SERVE_COUNTED ">" FASTHTTP "(*Response).Write")
GO_OF(fasthttp_server)
int fasthttp_answer_inlined(struct pt_regs *ctx)
{
	return end(ctx, go_arg(ctx, 0));
}

/* The connection is taken away without an answer (HijackSetNoResponse): on a goroutine of its own. */
SEC("go_call/" SERVE_CONN ">runtime.newproc")
GO_ALSO(SERVE_COUNTED ">runtime.newproc")
GO_OF(fasthttp_server)
int fasthttp_hijack(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span;

	span = span_here(ctx, &on, fasthttp_server);
	return span ? span_end(&on, span) : 0;
}

/* The rest of the request never came: refused before the handler ran. */
SEC("go_call/" SERVE_CONN ">" FASTHTTP "(*Server).writeErrorResponse")
GO_ALSO(SERVE_COUNTED ">" FASTHTTP "(*Server).writeErrorResponse")
GO_OF(fasthttp_server)
int fasthttp_refuse(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span;

	span = span_here(ctx, &on, fasthttp_server);
	return span ? span_drop(&on, span) : 0;
}
