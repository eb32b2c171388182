// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * otel_sdk: see otel_sdk.bpf.h. A context of the API is a valueCtx whose key is of a type of its own
 * and whose value is a span: the SDK's, or one that is no more than a SpanContext.
 *
 * Layouts: src/context/context.go (Go 1.19 to 1.27); trace/{context,noop,nonrecording,trace}.go and
 * sdk/trace/{span,tracer}.go of go.opentelemetry.io/otel, v1.0.1 to v1.47.0.
 */
#include "otel_sdk.bpf.h"

/* type valueCtx struct { Context; key, val any } */
GO_FIELD(value_ctx_key, interface, "context.valueCtx.key");
extern const volatile __u16 value_ctx_val; /* otel_api.bpf.c */

GO_TYPE(otel_key_type, "go.opentelemetry.io/otel/trace.traceContextKeyType");

/* type SpanContext struct */
GO_FIELD(span_context_trace_id, array, "go.opentelemetry.io/otel/trace.SpanContext.traceID");
GO_FIELD(span_context_span_id, array, "go.opentelemetry.io/otel/trace.SpanContext.spanID");
GO_FIELD(span_context_flags, int, "go.opentelemetry.io/otel/trace.SpanContext.traceFlags");
GO_FIELD(span_context_remote, bool, "go.opentelemetry.io/otel/trace.SpanContext.remote");

/* Who holds one: sampled spans, those that are not, and what came from elsewhere. */
GO_TYPE(sdk_recording, "*go.opentelemetry.io/otel/sdk/trace.recordingSpan");
GO_FIELD(sdk_recording_context, struct, "go.opentelemetry.io/otel/sdk/trace.recordingSpan.spanContext");
GO_FIELD(sdk_recording_kind, int, "go.opentelemetry.io/otel/sdk/trace.recordingSpan.spanKind");
GO_TYPE(sdk_not_recording, "go.opentelemetry.io/otel/sdk/trace.nonRecordingSpan");
GO_FIELD(sdk_not_recording_context, struct, "go.opentelemetry.io/otel/sdk/trace.nonRecordingSpan.sc");
GO_TYPE(api_not_recording, "go.opentelemetry.io/otel/trace.nonRecordingSpan");
GO_FIELD(api_not_recording_context, struct, "go.opentelemetry.io/otel/trace.nonRecordingSpan.sc");

enum { DROPS_MAX = 2 };

const volatile __u8 sdk_fills = 1;

const volatile __u64 sdk_libraries GO_SDK = ~0ULL;

/* Processes whose SDK has made a span. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* pid in the agent's namespace */
	__type(value, __u8);
} sdk_users SEC(".maps");

__hidden bool sdk_has(__u32 pid, __u16 library)
{
	return sdk_libraries >> (library & 63) & 1 && bpf_map_lookup_elem(&sdk_users, &pid);
}

/* Offset of the SpanContext in a value of TYPE. */
static __always_inline __u16 span_context_in(__u64 type)
{
	if (sdk_recording && type == sdk_recording)
		return sdk_recording_context;
	if (sdk_not_recording && type == sdk_not_recording)
		return sdk_not_recording_context;
	if (api_not_recording && type == api_not_recording)
		return api_not_recording_context;
	return GO_ABSENT;
}

static __always_inline bool read_span_context(__u64 at, struct trace_context *out)
{
	__u64 trace_id[2], span_id;

	if (bpf_probe_read_user(trace_id, sizeof(trace_id), (void *)at + span_context_trace_id) ||
	    bpf_probe_read_user(&span_id, sizeof(span_id), (void *)at + span_context_span_id) ||
	    !(trace_id[0] | trace_id[1]) || !span_id)
		return false;
	__builtin_memcpy(out->trace_id, trace_id, sizeof(trace_id));
	__builtin_memcpy(out->span_id, &span_id, sizeof(span_id));
	out->flags = go_byte(at + span_context_flags);
	out->from = go_byte(at + span_context_remote) & 1 ? PARENT_REMOTE : PARENT_LOCAL;
	return true;
}

/* A global function: the verifier looks at it once, not for each step of each way up. */
__weak int sdk_span_in(__u64 context, __u64 bias, struct trace_context *out)
{
	struct go_interface val;
	__u16 at;

	if (!out || value_ctx_key == GO_ABSENT || value_ctx_val == GO_ABSENT ||
	    span_context_trace_id == GO_ABSENT || span_context_span_id == GO_ABSENT ||
	    span_context_flags == GO_ABSENT || span_context_remote == GO_ABSENT ||
	    go_word(context + value_ctx_key) != otel_key_type + bias ||
	    bpf_probe_read_user(&val, sizeof(val), (void *)context + value_ctx_val))
		return 0;
	at = span_context_in(val.tab - bias);
	if (at == GO_ABSENT || !val.data || !read_span_context(val.data + at, out))
		return 0;
	out->sdk = out->from == PARENT_LOCAL;
	if (sdk_recording && val.tab - bias == sdk_recording && sdk_recording_kind != GO_ABSENT)
		out->kind = go_word(val.data + sdk_recording_kind);
	return 1;
}

/*
 * func (tr *tracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption)
 *	(context.Context, trace.Span), sdk/trace/tracer.go
 * Of the first one in a process the agent is told. What its goroutine is in is the SDK's as well: the
 * request in which it was found out.
 */
SEC("go_entry/go.opentelemetry.io/otel/sdk/trace.(*tracer).Start") GO_SDK
int sdk_start(struct pt_regs *ctx)
{
	const __u8 yes = 1;
	struct goroutine on;

	if (goroutine_of(ctx, &on) || bpf_map_lookup_elem(&sdk_users, &on.pid) ||
	    bpf_map_update_elem(&sdk_users, &on.pid, &yes, BPF_NOEXIST))
		return 0;
	process_tell(RECORD_SDK, on.pid);
	for (int i = 0; i < DROPS_MAX; i++) {
		struct in_flight *span = span_current(&on);

		if (!span || !sdk_has(on.pid, span->record.library))
			break;
		span_drop(&on, span);
	}
	return 0;
}
