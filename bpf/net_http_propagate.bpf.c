// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * net/http client: how the server learns who its parent is (design D8).
 *
 * Where the kernel lets BPF programs write, a header Traceparent goes into an HTTP/1.1 request on
 * its way out. (*Request).write puts the request line and all headers into the connection's
 * bufio.Writer and ends them by io.WriteString(w, "\r\n"): right before that call one more line
 * fits, if the buffer has the room. A Traceparent that the program sent itself is left alone,
 * unless it is one of this very trace that it handed on (a reverse proxy): then the span id in the
 * buffer becomes ours. HTTP/2: http2_propagate.bpf.c.
 *
 * Where it does not, or has no room, the attempt is offered to servers that the same agent traces
 * (join.bpf.h).
 *
 * src/net/http/{request,transport}.go, src/bufio/bufio.go; Go 1.19 to 1.27.
 */
#include "go_map.bpf.h"
#include "http_propagate.bpf.h"
#include "join.bpf.h"
#include "traceparent.bpf.h"

/* net_http_client.bpf.c, http_request.bpf.h */
extern const volatile __u16 http_client;
extern const volatile __u16 request_method;
extern const volatile __u16 request_host;
extern const volatile __u16 request_header;
extern const volatile __u16 url_host;
extern const volatile __u16 url_path;
extern const volatile __u16 connection_conn;
extern const volatile __u8 propagate_trace_context; /* http_server.bpf.c */

GO_ATTACHED(writes_http1, "http_headers_end");
GO_ATTACHED(writes, ""); /* any of the programs that write */

/* type persistConn struct, src/net/http/transport.go */
GO_FIELD(connection_bw, pointer, "net/http.persistConn.bw");

/* type Writer struct { err error; buf []byte; n int; wr io.Writer } */
GO_HELD(bufio_writer, "io.Writer", "*bufio.Writer");
GO_FIELD(bufio_writer_buf, slice, "bufio.Writer.buf");
GO_FIELD(bufio_writer_n, int, "bufio.Writer.n");

enum { NAME_LEN = 13, LINE_LEN = NAME_LEN + TRACEPARENT_LEN + 2 };
enum { SPAN_ID_AT = 36, FLAGS_AT = 53 }; /* in a traceparent */
enum { CHUNK = 512, CHUNKS = 8 }; /* a bufio.Writer has 4096 bytes unless told otherwise */
/* "\nTraceparent: ", and how much of what follows is compared: "00-" and eight digits of the trace id */
enum { MARK_LEN = NAME_LEN + 1, COMPARED_LEN = MARK_LEN + 3 + 8 };

struct propagate_scratch {
	struct go_map_scratch map;
	struct trace_context found;
};

_Static_assert(sizeof(struct propagate_scratch) <= SCRATCH_MAX, "the scratch is too small");
_Static_assert(CHUNK + COMPARED_LEN + 8 <= SCRATCH_MAX, "the scratch is too small");

/* In any case of letters: a program may put keys into the map as it likes. */
__weak int http_take_own_header(struct in_flight *span)
{
	const __u64 lower = 0x2020202020202020ULL;
	const struct go_map_slot *slot;
	__u64 key[2] = {};
	struct go_string value;

	if (!span)
		return 0;
	slot = go_map_slot_in(span);
	if (slot->key.len != 11 || !slot->elem.len ||
	    bpf_probe_read_user(key, 11, (void *)slot->key.ptr))
		return 0;
	if ((key[0] | lower) != CHARS('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') ||
	    (key[1] | 0x202020) != CHARS('e', 'n', 't', 0, 0, 0, 0, 0))
		return 0;
	span->has_header = HEADER_FOREIGN;
	value = go_string_at(slot->elem.ptr);
	if (slot->elem.len == 1)
		traceparent_read(&value, &((struct propagate_scratch *)span_scratch(span))->found);
	return 0;
}

/* Looks for a Traceparent of the program's own before it is sent. */
static __noinline int look_at_headers(struct in_flight *span, __u64 request)
{
	struct propagate_scratch *scratch = (void *)span_scratch(span);

	span->has_header = HEADER_NONE; /* what it was to an attempt before */
	__builtin_memset(&scratch->found, 0, sizeof(scratch->found));
	if (go_map_each(span, go_word(request + request_header), SLICE_SIZE, http_take_own_header)) {
		span->has_header = HEADER_UNKNOWN;
		return 0;
	}
	/* below a span of an SDK inside the program that header is the SDK's */
	if (scratch->found.from && is_same_trace(scratch->found.trace_id, span->record.trace_id) &&
	    !span->parent.sdk)
		span->has_header = HEADER_OURS;
	return 0;
}

static __noinline int ask(struct in_flight *span)
{
	__u64 request = span->mark;
	struct join_request asked = {
		.method = go_string_at(request + request_method),
		.no_method = JOIN_GET,
		.path = go_string_at(span->url + url_path),
		.host = go_string_at(request + request_host),
	};

	if (!asked.host.len)
		asked.host = go_string_at(span->url + url_host);
	return join_ask(span, &asked);
}

static __always_inline bool is_off(const struct in_flight *span)
{
	return !propagate_trace_context || !span->mark || request_host == GO_ABSENT;
}

__weak int http_propagate(struct in_flight *span, const struct go_interface *conn,
			    __u64 connection)
{
	if (!span || !conn)
		return 0;
	if (is_off(span))
		return 0;
	if (!writes_http1 || connection_bw == GO_ABSENT || request_header == GO_ABSENT) {
		ask(span);
		return join_offer(span, 0, conn, 0);
	}
	look_at_headers(span, span->mark);
	if (span->has_header == HEADER_FOREIGN)
		return 0;
	if (span->has_header == HEADER_UNKNOWN) {
		ask(span);
		return join_offer(span, 0, conn, 0);
	}
	span->object = go_word(connection + connection_bw);
	span->conn_at = connection + connection_conn;
	return span->object ? span_relist(span, span->object) : 0;
}

__weak int http_propagate_stream(struct in_flight *span, __u64 request)
{
	if (!span)
		return 0;
	if (is_off(span) || !request)
		return 0;
	if (writes && request_header != GO_ABSENT)
		look_at_headers(span, span->mark);
	else
		span->has_header = HEADER_UNKNOWN;
	if (span->has_header != HEADER_NONE)
		ask(span); /* else when there is no room */
	span->object = request;
	return span_relist(span, request);
}

__weak int http_offer(struct in_flight *span, __u64 object, __u32 stream)
{
	struct go_interface conn = {};

	if (!span)
		return 0;
	if (bpf_probe_read_user(&conn, sizeof(conn), (void *)span->conn_at))
		return 0;
	if (!span->asked && span->record.library == http_client)
		ask(span);
	return join_offer(span, object, &conn, stream);
}

__hidden int http_send_stream(struct pt_regs *ctx, __u64 request, const struct http2_stream *on_wire)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = request ? span_by_object(&on, request) : span_find(&on, http_client);
	if (!span || span->record.library != http_client)
		return 0;
	span->conn_at = on_wire->conn_at;
	if (span->has_header == HEADER_NONE &&
	    !http2_expect(span, &on, on_wire->framer, on_wire->id))
		return 0;
	return http_offer(span, request, on_wire->id);
}

/* Non-zero: there is no room. Nothing of it is in the span's scratch, which its goroutine uses too. */
static __noinline int add_header(struct in_flight *span, __u64 writer, const struct go_slice *buf,
				 __u64 used)
{
	struct trace_context self = {};
	__u8 line[LINE_LEN + 2];

	span_context(span, &self);
	__builtin_memcpy(line, "Traceparent: ", NAME_LEN);
	traceparent_format(&self, line + NAME_LEN);
	line[NAME_LEN + TRACEPARENT_LEN] = '\r';
	line[NAME_LEN + TRACEPARENT_LEN + 1] = '\n';
	if (buf->len - used < LINE_LEN || span->owner.listed[0] != writer ||
	    bpf_probe_write_user((void *)buf->ptr + used, line, LINE_LEN))
		return 1;
	/* only now is it part of what will be sent */
	used += LINE_LEN;
	return bpf_probe_write_user((void *)writer + bufio_writer_n, &used, sizeof(used));
}

/* Does TEXT begin as the header does? Digits and '-', ':', ' ' have that bit already. */
static __always_inline bool is_header(const __u8 *text, __u64 trace)
{
	const __u64 lower = 0x2020202020202020ULL;
	__u64 words[3];

	__builtin_memcpy(words, text, sizeof(words));
	if ((words[0] | lower << 8) != CHARS('\n', 't', 'r', 'a', 'c', 'e', 'p', 'a') ||
	    (words[1] | lower) != CHARS('r', 'e', 'n', 't', ':', ' ', '0', '0') ||
	    text[MARK_LEN + 2] != '-')
		return false;
	__builtin_memcpy(words, text + MARK_LEN + 3, sizeof(words[0]));
	return words[0] == trace;
}

/* The beginning of the trace id, as it is written. */
static __always_inline __u64 trace_of(const struct in_flight *span)
{
	__u64 text;

	put_hex((__u8 *)&text, span->record.trace_id, sizeof(text) / 2);
	return text;
}

/* Where in the chunk in SPAN's scratch the line before a Traceparent of its trace ends, or CHUNK. */
__weak int http_find_traceparent(struct in_flight *span)
{
	__u64 trace;

	if (!span)
		return CHUNK;
	trace = trace_of(span);
	for (int i = 0; i < CHUNK; i++)
		if (is_header(span_scratch(span) + i, trace))
			return i;
	return CHUNK;
}

/* At AT in the target there is such a header: its parent becomes this span, sampled as this one is. */
static __noinline int set_parent(struct in_flight *span, __u64 at)
{
	__u8 text[COMPARED_LEN + 7], tail[TRACEPARENT_LEN - SPAN_ID_AT + 1];
	struct trace_context self = {};

	/* once more: the scratch is not for this goroutine alone */
	if (bpf_probe_read_user(text, sizeof(text), (void *)at) || !is_header(text, trace_of(span)))
		return 1;
	span_context(span, &self);
	put_hex(tail, self.span_id, sizeof(self.span_id));
	tail[FLAGS_AT - SPAN_ID_AT - 1] = '-';
	put_hex(tail + FLAGS_AT - SPAN_ID_AT, &self.flags, 1);
	return bpf_probe_write_user((void *)at + MARK_LEN + SPAN_ID_AT, tail, TRACEPARENT_LEN - SPAN_ID_AT);
}

/* A header that was handed on, now that it is in the buffer. */
static __noinline int replace_parent(struct in_flight *span, __u64 buf, __u64 used)
{
	__u8 *text = span_scratch(span);

	for (__u32 n = 0; n < CHUNKS; n++) {
		__u64 from = buf + n * CHUNK;
		__u64 left = used - n * CHUNK;
		__u32 at;

		/* a chunk, and what a header may reach into the next */
		if (n * CHUNK >= used)
			break;
		if (left > CHUNK + COMPARED_LEN)
			left = CHUNK + COMPARED_LEN;
		if (bpf_probe_read_user(text, left, (void *)from))
			break;
		at = http_find_traceparent(span);
		if (at >= CHUNK)
			continue;
		if (n * CHUNK + at + MARK_LEN + TRACEPARENT_LEN > used)
			break;
		return set_parent(span, from + at);
	}
	return 1;
}

/* io.WriteString(w Writer, s string) */
SEC("go_call/net/http.(*Request).write>io.WriteString")
GO_OF(http_client) GO_WRITES int http_headers_end(struct pt_regs *ctx)
{
	__u64 writer = go_arg(ctx, 1), used;
	struct go_slice buf = {};
	struct in_flight *span;
	struct goroutine on;
	int err;

	if (bufio_writer_buf == GO_ABSENT || bufio_writer_n == GO_ABSENT ||
	    !go_holds(go_arg(ctx, 0), bufio_writer, go_bias(ctx)) || goroutine_of(ctx, &on))
		return 0;
	span = span_by_object(&on, writer);
	if (!span || span->record.library != http_client || span->has_header >= HEADER_DONE)
		return 0;
	used = go_word(writer + bufio_writer_n);
	if (!used || bpf_probe_read_user(&buf, sizeof(buf), (void *)writer + bufio_writer_buf) ||
	    used > buf.len)
		return 0;
	if (span->has_header == HEADER_OURS)
		err = replace_parent(span, buf.ptr, used);
	else
		err = add_header(span, writer, &buf, used);
	span->has_header = HEADER_DONE;
	if (err) {
		http_offer(span, writer, 0);
		fail(on.pid, FAIL_NO_ROOM);
	}
	/* as long as the connection is ours: it goes back to the pool before the caller has its answer */
	return span_unlist_as(span, writer);
}
