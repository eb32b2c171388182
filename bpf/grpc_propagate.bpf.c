// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * google.golang.org/grpc client: which span's header fields are sent as which stream, so that
 * http2_propagate.bpf.c can add a traceparent to them.
 *
 * The fields of an attempt are made on the call's goroutine and encoded on that of the transport's
 * loopyWriter; both have the same slice of them.
 *
 * internal/transport/{http2_client,controlbuf,http_util}.go, 1.40 to 1.85; type HeaderField struct {
 * Name, Value string; Sensitive bool }, golang.org/x/net/http2/hpack/hpack.go
 */
#include "http_propagate.bpf.h"

#define TRANSPORT "google.golang.org/grpc/internal/transport."

enum { HEADER_FIELD_WORDS = 5, FIELDS_AT_ONCE = 4, FIELDS_MAX = 128 };

extern const volatile __u16 grpc_client; /* grpc_client.bpf.c */
extern const volatile __u8 propagate_trace_context;

GO_FIELD(loopy_framer, pointer, TRANSPORT "loopyWriter.framer");
GO_FIELD(framer_fr, pointer, TRANSPORT "framer.fr");
GO_ATTACHED(grpc_writes, "grpc_client_write");

static __always_inline bool is_traceparent(__u64 name)
{
	__u64 key[2] = {};

	return !bpf_probe_read_user(key, 11, (void *)name) &&
	       key[0] == CHARS('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') &&
	       key[1] == CHARS('e', 'n', 't', 0, 0, 0, 0, 0);
}

/* Is one of the first CNT FIELDS, FIELDS_AT_ONCE at most? Or cannot be read. */
__weak int grpc_have_traceparent(__u64 fields, __u64 cnt)
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

/* Or there are too many fields to be searched. */
static __noinline bool has_traceparent(__u64 fields, __u64 cnt)
{
	for (__u32 n = 0; n < FIELDS_MAX && n < cnt; n += FIELDS_AT_ONCE)
		if (grpc_have_traceparent(fields + n * HEADER_FIELD_WORDS * 8, cnt - n))
			return true;
	return cnt > FIELDS_MAX;
}

/* func (t *http2Client) createHeaderFields(ctx context.Context, callHdr *CallHdr) ([]hpack.HeaderField, error) */
SEC("go_after/" TRANSPORT "(*http2Client).NewStream>" TRANSPORT "(*http2Client).createHeaderFields")
GO_OF(grpc_client) GO_WRITES GO_RESULTS(3)
int grpc_fields_made(struct pt_regs *ctx)
{
	__u64 fields = go_arg(ctx, 0), cnt = go_arg(ctx, 1);
	struct in_flight *span;
	struct goroutine on;

	if (!propagate_trace_context || !grpc_writes || !fields)
		return 0;
	span = span_here(ctx, &on, grpc_client);
	if (!span || has_traceparent(fields, cnt))
		return 0;
	return http2_expect_object(span, fields) & 0;
}

/*
 * func (l *loopyWriter) originateStream(str *outStream, hdr *headerFrame) error, from 1.82 or so
 * clientHeaderHandler(hdr *clientHeaders) error, calls
 * func (l *loopyWriter) writeHeader(streamID uint32, endStream bool, hf []hpack.HeaderField, onWrite func()) error
 */
SEC("go_call/" TRANSPORT "(*loopyWriter).originateStream>" TRANSPORT "(*loopyWriter).writeHeader")
GO_ALSO(TRANSPORT "(*loopyWriter).clientHeaderHandler>" TRANSPORT "(*loopyWriter).writeHeader")
GO_OF(grpc_client) GO_WRITES
int grpc_fields_sent(struct pt_regs *ctx)
{
	/* registers: 0 l; 1 streamID; 2 endStream; 3, 4, 5 hf */
	__u64 loopy = go_arg(ctx, 0), fields = go_arg(ctx, 3);
	struct in_flight *span;
	struct goroutine on;

	if (!grpc_writes || loopy_framer == GO_ABSENT || framer_fr == GO_ABSENT || !fields ||
	    goroutine_of(ctx, &on))
		return 0;
	span = http2_expected_object(&on, fields);
	if (!span || span->record.library != grpc_client)
		return 0;
	return http2_expect(span, &on, go_word(go_word(loopy + loopy_framer) + framer_fr),
			    go_arg(ctx, 1)) & 0;
}
