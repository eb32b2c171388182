// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * google.golang.org/grpc client: how the server learns who its parent is: by a header, where one can
 * be written (http2_propagate.bpf.c), else by joining both ends (join.bpf.h).
 *
 * (*http2Client).NewStream, on the call's goroutine, puts the header fields of each attempt into the
 * transport's queue, which the goroutine of its loopyWriter sends. The stream's id is given under the
 * queue's lock, in a closure: it is not known before the one hit, where the fields are put, but at
 * the other, just before the loopyWriter encodes them. Both have the stream's write quota, an object
 * that is the attempt's alone.
 *
 * internal/transport/{http2_client,controlbuf,http_util}.go; 1.34 to 1.85. By 1.84 originateStream has
 * become clientHeaderHandler, and headerFrame clientHeaders.
 */
#include "context.bpf.h"
#include "grpc.bpf.h"
#include "http_propagate.bpf.h"
#include "join.bpf.h"

#define HEADER_FIELD "golang.org/x/net/http2/hpack.HeaderField"

extern const volatile __u16 grpc_client; /* grpc_client.bpf.c */

GO_HELD(header_frame, TRANSPORT "cbItem", "*" TRANSPORT "headerFrame");
GO_FIELD(header_frame_fields, slice, TRANSPORT "headerFrame.hf");
GO_FIELD(header_frame_quota, pointer, TRANSPORT "headerFrame.wq");
GO_HELD(client_headers, TRANSPORT "cbItem", "*" TRANSPORT "clientHeaders");
GO_FIELD(client_headers_fields, slice, TRANSPORT "clientHeaders.hf");
GO_FIELD(client_headers_quota, pointer, TRANSPORT "clientHeaders.wq");
GO_FIELD(client_headers_id, int, TRANSPORT "clientHeaders.streamID");
GO_FIELD(out_stream_id, int, TRANSPORT "outStream.id");
GO_FIELD(out_stream_quota, pointer, TRANSPORT "outStream.wq");

/* The writer's net.Conn: an io.Writer from 1.77 at the latest. */
GO_FIELD(loopy_framer, pointer, TRANSPORT "loopyWriter.framer");
GO_FIELD(framer_writer, pointer, TRANSPORT "framer.writer");
GO_FIELD(framer_fr, pointer, TRANSPORT "framer.fr");
GO_FIELD(writer_conn, interface, TRANSPORT "bufWriter.conn");

GO_ATTACHED(grpc_writes, "grpc_client_write");

GO_SIZE(header_field_size, HEADER_FIELD);
GO_FIELD(header_field_value, string, HEADER_FIELD ".Value");

/* createHeaderFields() begins with :method, :scheme, :path, :authority. */
enum { FIELD_PATH = 2, FIELD_AUTHORITY = 3 };

static __always_inline struct go_string field(const struct go_slice *fields, int n)
{
	return go_string_at(fields->ptr + n * header_field_size + header_field_value);
}

/* An attempt of SPAN's call is put into the queue with these FIELDS. */
static __noinline int queue(struct in_flight *span, __u64 fields_at, __u64 quota)
{
	struct go_slice fields = {};
	struct join_request asked = {.no_method = JOIN_POST};

	if (!quota || header_field_size == 0 || header_field_value == GO_ABSENT ||
	    bpf_probe_read_user(&fields, sizeof(fields), (void *)fields_at) ||
	    fields.len <= FIELD_AUTHORITY)
		return 0;
	asked.path = field(&fields, FIELD_PATH);
	/* a stream that tries again, maybe inside of another call's interceptor, has left its goroutine */
	if (asked.path.ptr != span->late.ptr || asked.path.len != span->late.len)
		return 0;
	asked.host = field(&fields, FIELD_AUTHORITY);
	join_ask(span, &asked);
	span->has_header = HEADER_UNKNOWN;
	if (grpc_writes && !http2_have_traceparent(fields.ptr, fields.len))
		span->has_header = HEADER_NONE;
	return span->asked ? span_relist(span, quota) : 0;
}

/* Whose attempt it is: an interceptor may make it on a goroutine of its own, as one that hedges does. */
static __always_inline struct in_flight *caller(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return NULL;
	span = span_find(&on, grpc_client);
	if (!span)
		span = span_by_id(context_of_birth(&on));
	return span && span->record.library == grpc_client ? span : NULL;
}

/*
 * func (c *controlBuffer) executeAndPut(f func(it any) bool, it cbItem) (bool, error)
 * f() bool in later versions.
 */
SEC("go_call/" TRANSPORT "(*http2Client).NewStream>" TRANSPORT "(*controlBuffer).executeAndPut")
GO_OF(grpc_client)
int grpc_headers_queued(struct pt_regs *ctx)
{
	/* registers: 0 c; 1 f; 2, 3 it */
	__u64 itab = go_arg(ctx, 2), item = go_arg(ctx, 3);
	struct in_flight *span = caller(ctx);

	if (!span)
		return 0;
	if (header_frame_fields != GO_ABSENT && header_frame_quota != GO_ABSENT &&
	    go_holds(itab, header_frame, span->record.bias))
		return queue(span, item + header_frame_fields, go_word(item + header_frame_quota));
	if (client_headers_fields != GO_ABSENT && client_headers_quota != GO_ABSENT &&
	    go_holds(itab, client_headers, span->record.bias))
		return queue(span, item + client_headers_fields,
			     go_word(item + client_headers_quota));
	return 0;
}

/* LOOPY is about to send what was queued with QUOTA, as STREAM. */
static __always_inline int offer(struct pt_regs *ctx, __u64 loopy, __u64 quota, __u32 stream)
{
	struct in_flight *span;
	struct goroutine on;
	__u64 framer;

	if (!quota || loopy_framer == GO_ABSENT || framer_writer == GO_ABSENT ||
	    writer_conn == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = span_by_object(&on, quota);
	if (!span || span->record.library != grpc_client)
		return 0;
	framer = go_word(loopy + loopy_framer);
	span->conn_at = go_word(framer + framer_writer) + writer_conn;
	if (span->has_header == HEADER_NONE && framer_fr != GO_ABSENT &&
	    !http2_expect(span, &on, go_word(framer + framer_fr), stream))
		return 0;
	return http_offer(span, quota, stream);
}

/* func (l *loopyWriter) originateStream(str *outStream, hdr *headerFrame) error; 1.40 without hdr */
SEC("go_entry/" TRANSPORT "(*loopyWriter).originateStream")
GO_OF(grpc_client)
int grpc_headers_sent_old(struct pt_regs *ctx)
{
	__u64 stream = go_arg(ctx, 1);

	if (out_stream_quota == GO_ABSENT || out_stream_id == GO_ABSENT)
		return 0;
	return offer(ctx, go_arg(ctx, 0), go_word(stream + out_stream_quota),
		     go_word(stream + out_stream_id));
}

/* func (l *loopyWriter) clientHeaderHandler(hdr *clientHeaders) error */
SEC("go_entry/" TRANSPORT "(*loopyWriter).clientHeaderHandler")
GO_OF(grpc_client)
int grpc_headers_sent(struct pt_regs *ctx)
{
	__u64 headers = go_arg(ctx, 1);

	if (client_headers_quota == GO_ABSENT || client_headers_id == GO_ABSENT)
		return 0;
	return offer(ctx, go_arg(ctx, 0), go_word(headers + client_headers_quota),
		     go_word(headers + client_headers_id));
}
