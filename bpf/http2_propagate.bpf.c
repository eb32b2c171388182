// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * HTTP/2 clients, gRPC's among them: writes a header traceparent into requests where the kernel lets
 * BPF programs write (design D8).
 *
 * A request's headers leave (*Framer).WriteHeaders as one frame, which is then the last one in the
 * buffer of the connection's writer: a bufio.Writer of net/http and x/net, a bufWriter of gRPC. Before
 * anything else is written there, and before it is flushed, one field is put behind it and the frame
 * made longer, if the buffer has the room, and in memory that the program used before: no page is
 * made for a BPF program. The field is a literal that is never indexed, so the peers' tables of
 * headers stay as they are. What went out already, because it is larger than the buffer, and what is
 * followed by CONTINUATION, is left alone; the attempt is offered to servers instead (join.bpf.h).
 *
 * h2_bundle.go, internal/http2/{transport,frame}.go, golang.org/x/net/http2/{transport,frame}.go: Go
 * 1.19 to 1.27, x/net to v0.62.0; grpc/internal/transport/{controlbuf,http_util}.go, 1.40 to 1.85;
 * src/bufio/bufio.go.
 */
#include "http_propagate.bpf.h"
#include "traceparent.bpf.h"

enum {
	FIELD_NAME_LEN = 11,
	FIELD_LEN = 1 + 1 + FIELD_NAME_LEN + 1 + TRACEPARENT_LEN,
	FIELD_NEVER_INDEXED = 0x10, /* and of a new name: RFC 7541, 6.2.3 */

	/* RFC 9113, 4.1, 4.2, 6.2 */
	FRAME_HEADER_LEN = 9,
	FRAME_LENGTH_LEN = 3,
	FRAME_MAX = 16384, /* what every peer takes */
	FRAME_HEADERS = 1,
	FRAME_END_HEADERS = 0x4,
	FRAME_PADDED = 0x8,
};

extern const volatile __u16 http_client;
extern const volatile __u16 grpc_client;

/* net_http_propagate.bpf.c */
extern const volatile __u64 bufio_writer_type, bufio_writer_itab;
extern const volatile __u16 bufio_writer_buf;
extern const volatile __u16 bufio_writer_n;

/* The buffer is in buf, from 1.84 or so in what bufHandle points to. */
GO_HELD(grpc_buf_writer, "io.Writer", "*google.golang.org/grpc/internal/transport.bufWriter");
GO_FIELD(grpc_buf_writer_buf, slice, "google.golang.org/grpc/internal/transport.bufWriter.buf");
GO_FIELD(grpc_buf_writer_handle, pointer,
	 "google.golang.org/grpc/internal/transport.bufWriter.bufHandle");
GO_FIELD(grpc_buf_writer_offset, int, "google.golang.org/grpc/internal/transport.bufWriter.offset");

/* type HeaderField struct { Name, Value string; Sensitive bool }, http2/hpack/hpack.go */
enum { HEADER_FIELD_WORDS = 5, FIELDS_AT_ONCE = 4, FIELDS_MAX = 128 };

/* Which goroutine is about to send headers. */
struct expected_key {
	__u64 goid;
	__u32 process;
	__u32 pad;
};

struct expected {
	__u64 span_id;
	__u64 object; /* by which the span was found */
	__u64 framer;
	__u32 stream;
	__u32 pad;
};

/* An LRU: a stream may be given up before its headers are written. */
struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 4096);
	__type(key, struct expected_key);
	__type(value, struct expected);
} expected_headers SEC(".maps");

static __always_inline bool is_traceparent(__u64 name)
{
	__u64 key[2] = {};

	return !bpf_probe_read_user(key, 11, (void *)name) &&
	       key[0] == CHARS('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') &&
	       key[1] == CHARS('e', 'n', 't', 0, 0, 0, 0, 0);
}

/* Is one of the first CNT FIELDS, FIELDS_AT_ONCE at most? Or cannot be read. */
__weak int http2_one_has_traceparent(__u64 fields, __u64 cnt)
{
	__u64 words[FIELDS_AT_ONCE * HEADER_FIELD_WORDS] = {};

	if (cnt > FIELDS_AT_ONCE)
		cnt = FIELDS_AT_ONCE;
	barrier_var(cnt);
	if (cnt > FIELDS_AT_ONCE ||
	    bpf_probe_read_user(words, cnt * HEADER_FIELD_WORDS * 8, (void *)fields))
		return 1;
	for (int i = 0; i < FIELDS_AT_ONCE; i++)
		if (words[i * HEADER_FIELD_WORDS + 1] == 11 &&
		    is_traceparent(words[i * HEADER_FIELD_WORDS]))
			return 1;
	return 0;
}

__hidden bool http2_have_traceparent(__u64 fields, __u64 cnt)
{
	for (__u32 n = 0; n < FIELDS_MAX && n < cnt; n += FIELDS_AT_ONCE)
		if (http2_one_has_traceparent(fields + n * HEADER_FIELD_WORDS * 8, cnt - n))
			return true;
	return cnt > FIELDS_MAX;
}

__weak int http2_expect(struct in_flight *span, const struct goroutine *on, __u64 framer,
			__u32 stream)
{
	struct expected_key key = {};
	struct expected e = {};

	if (!span || !on || !framer)
		return 1;
	key.goid = on->goid;
	key.process = on->process;
	e.framer = framer;
	e.stream = stream;
	e.object = span->owner.listed[0];
	__builtin_memcpy(&e.span_id, span->record.span_id, sizeof(e.span_id));
	return bpf_map_update_elem(&expected_headers, &key, &e, BPF_ANY) ? 1 : 0;
}

/* The span, and SELF, what it is to others; NULL: nothing is expected. */
static __always_inline struct in_flight *take(const struct expected_key *key, struct expected *out,
					      struct trace_context *self)
{
	struct expected *found = bpf_map_lookup_elem(&expected_headers, key);
	struct in_flight *span;
	__u64 now;

	if (!found)
		return NULL;
	*out = *found;
	bpf_map_delete_elem(&expected_headers, key);
	span = span_by_id(out->span_id);
	if (!span)
		return NULL;
	span_context(span, self);
	/* it may end at any moment, and its place be another's */
	__builtin_memcpy(&now, self->span_id, sizeof(now));
	return now == out->span_id ? span : NULL;
}

/* The buffer of a connection. */
struct write_buffer {
	struct go_slice buf;
	__u64 used, used_at;
};

/* Of the framer's writer, an io.Writer at AT. Non-zero: it has none. */
static __noinline int find_buffer(__u64 at, __u64 bias, struct write_buffer *out)
{
	struct go_interface writer = {};
	__u64 buf_at = 0;

	bpf_probe_read_user(&writer, sizeof(writer), (void *)at);
	if (go_holds(writer.tab, bufio_writer, bias) && bufio_writer_buf != GO_ABSENT &&
	    bufio_writer_n != GO_ABSENT) {
		buf_at = writer.data + bufio_writer_buf;
		out->used_at = writer.data + bufio_writer_n;
	} else if (go_holds(writer.tab, grpc_buf_writer, bias) &&
		   grpc_buf_writer_offset != GO_ABSENT) {
		if (grpc_buf_writer_buf != GO_ABSENT)
			buf_at = writer.data + grpc_buf_writer_buf;
		else if (grpc_buf_writer_handle != GO_ABSENT)
			buf_at = go_word(writer.data + grpc_buf_writer_handle);
		out->used_at = writer.data + grpc_buf_writer_offset;
	}
	if (!buf_at || bpf_probe_read_user(&out->buf, sizeof(out->buf), (void *)buf_at))
		return 1;
	return bpf_probe_read_user(&out->used, sizeof(out->used), (void *)out->used_at) ||
	       out->used > out->buf.len;
}

static __always_inline __u32 big_endian(const __u8 *bytes, int cnt)
{
	__u32 number = 0;

	for (int i = 0; i < cnt; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* LEN: what the frame has behind its header. */
static __always_inline bool is_complete(const __u8 *header, __u64 len, __u32 stream)
{
	return big_endian(header, FRAME_LENGTH_LEN) == len && header[3] == FRAME_HEADERS &&
	       (header[4] & (FRAME_END_HEADERS | FRAME_PADDED)) == FRAME_END_HEADERS &&
	       big_endian(header + 5, 4) == stream;
}

/* Non-zero: it cannot be written there. */
static __noinline int put_field(const struct trace_context *self, __u64 to)
{
	__u8 field[FIELD_LEN + 3];

	field[0] = FIELD_NEVER_INDEXED;
	field[1] = FIELD_NAME_LEN;
	__builtin_memcpy(field + 2, "traceparent", FIELD_NAME_LEN);
	field[2 + FIELD_NAME_LEN] = TRACEPARENT_LEN;
	traceparent_format(self, field + 3 + FIELD_NAME_LEN);
	return bpf_probe_write_user((void *)to, field, FIELD_LEN);
}

/* The frame of FRAME_LEN bytes, its header included, is the last in the buffer. Non-zero: no room. */
static __noinline int lengthen(const struct trace_context *self, const struct write_buffer *buffer,
			       __u64 frame_len, __u32 stream)
{
	__u64 at = buffer->buf.ptr + buffer->used - frame_len;
	__u64 len = frame_len - FRAME_HEADER_LEN, used = buffer->used + FIELD_LEN;
	__u8 header[FRAME_HEADER_LEN + 7] = {};

	if (frame_len < FRAME_HEADER_LEN || frame_len > buffer->used || used >= buffer->buf.len ||
	    len + FIELD_LEN > FRAME_MAX ||
	    bpf_probe_read_user(header, FRAME_HEADER_LEN, (void *)at) ||
	    !is_complete(header, len, stream) || put_field(self, at + frame_len))
		return 1;
	len += FIELD_LEN;
	header[0] = len >> 16;
	header[1] = len >> 8;
	header[2] = len;
	if (bpf_probe_write_user((void *)buffer->used_at, &used, sizeof(used)))
		return 1;
	/* in the memory of the field, which could be written */
	if (!bpf_probe_write_user((void *)at, header, FRAME_LENGTH_LEN))
		return 0;
	used -= FIELD_LEN;
	bpf_probe_write_user((void *)buffer->used_at, &used, sizeof(used));
	return 1;
}

/* WRITER_AT, FRAME_AT: in a Framer, where it writes to, and the slice that is the frame. */
static __noinline int write_field(const struct trace_context *self, const struct expected *e,
				  __u16 writer_at, __u16 frame_at, __u64 bias)
{
	struct write_buffer buffer = {};
	__u64 frame_len = go_word(e->framer + frame_at + 8);

	return find_buffer(e->framer + writer_at, bias, &buffer) ||
	       lengthen(self, &buffer, frame_len, e->stream);
}

static __always_inline int headers_written(struct pt_regs *ctx, __u16 writer_at, __u16 frame_at)
{
	struct expected_key key = {};
	struct trace_context self = {};
	struct expected e = {};
	struct in_flight *span;
	struct goroutine on;

	if (writer_at == GO_ABSENT || frame_at == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	key.goid = on.goid;
	key.process = on.process;
	span = take(&key, &e, &self);
	if (!span)
		return 0;
	if (!write_field(&self, &e, writer_at, frame_at, go_bias(ctx)))
		return 0;
	http_offer(span, e.object, e.stream);
	return fail(on.pid, FAIL_NO_ROOM);
}

#define HTTP2_WRITE(home, package, prefix) \
	GO_FIELD(home##_framer_w, interface, package "." prefix "Framer.w"); \
	GO_FIELD(home##_framer_wbuf, slice, package "." prefix "Framer.wbuf"); \
\
	/* \
	 * func (cc *ClientConn) writeHeaders(streamID uint32, endStream bool, maxFrameSize int, \
	 *	hdrs []byte) error, about to flush; profile-guided optimisation may have inlined it \
	 */ \
	SEC("go_call/" package ".(*" prefix "ClientConn).writeHeaders>bufio.(*Writer).Flush") \
	GO_ALSO(package ".(*" prefix "clientStream).encodeAndWriteHeaders>bufio.(*Writer).Flush") \
	GO_OF(http_client) GO_WRITES \
	int home##_write(struct pt_regs *ctx) \
	{ \
		return headers_written(ctx, home##_framer_w, home##_framer_wbuf); \
	}

HTTP2_WRITE(client_h2_bundled, "net/http", "http2")
HTTP2_WRITE(client_h2_internal, "net/http/internal/http2", "")
HTTP2_WRITE(client_h2_external, "golang.org/x/net/http2", "")

/*
 * func (l *loopyWriter) writeHeader(streamID uint32, endStream bool, hf []hpack.HeaderField,
 *	onWrite func()) error, behind WriteHeaders
 */
SEC("go_after/google.golang.org/grpc/internal/transport.(*loopyWriter).writeHeader>golang.org/x/net/http2.(*Framer).WriteHeaders")
GO_OF(grpc_client) GO_WRITES
int grpc_client_write(struct pt_regs *ctx)
{
	return headers_written(ctx, client_h2_external_framer_w, client_h2_external_framer_wbuf);
}
