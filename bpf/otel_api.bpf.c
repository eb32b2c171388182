// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The OpenTelemetry Go API without an SDK: the spans that a program makes by hand.
 *
 * Without an SDK the global tracer hands out nonRecordingSpans, whose methods do nothing; they are
 * called all the same, by interface, so through the wrappers of the pointer type. A span takes two
 * hits: the start, and its return, where the span and its context are in registers; then one for
 * each method that is called on it. It is no frame of the goroutine: it is found by the object that
 * a method is called on, of which there are two (Start returns one and its context holds a copy).
 *
 * Layouts and functions: internal/global/trace.go, trace/config.go, trace/trace.go,
 * attribute/{kv,value}.go of go.opentelemetry.io/otel, v1.0.1 to v1.47.0.
 *
 * Table: `go.opentelemetry.io/otel` without an SDK | 1.0 to 1.47 | the spans that the program makes itself
 */
#include "context.bpf.h"
#include "otel_pairs.bpf.h"

GO_SPAN(otel_api, "go.opentelemetry.io/otel", INTERNAL, SPAN);

/* type tracer struct, internal/global/trace.go; delegate is a sync/atomic.Value */
GO_FIELD(tracer_name, string, "go.opentelemetry.io/otel/internal/global.tracer.name");
GO_FIELD_NEEDED(otel_api, tracer_delegate, interface,
		"go.opentelemetry.io/otel/internal/global.tracer.delegate.v");

/* type valueCtx struct, src/context/context.go: val is an interface */
GO_FIELD(value_ctx_val, interface, "context.valueCtx.val");

/*
 * Tracers of instrumentation whose libraries make spans here already: without an SDK it starts
 * spans all the same. Set by the agent: name_hash() of their names.
 */
const volatile __u32 known_tracer_cnt = KNOWN_TRACERS_MAX;
const volatile __u64 known_tracers[KNOWN_TRACERS_MAX];

/* A global function: the verifier looks at it once, not at what follows for each length. */
__weak int otel_is_known_tracer(__u64 name, __u64 len)
{
	__u64 hash = NAME_HASH_START;
	__u8 text[KNOWN_TRACER_LEN] = {}; /* 6.1: a read of a length that varies wants it set */

	if (!len || len > sizeof(text) || bpf_probe_read_user(text, len, (void *)name))
		return 0;
	for (__u32 i = 0; i < sizeof(text) && i < len; i++)
		hash = name_hash(hash, text[i]);
	for (__u32 i = 0; i < KNOWN_TRACERS_MAX && i < known_tracer_cnt; i++)
		if (known_tracers[i] == hash)
			return 1;
	return 0;
}

static __always_inline int start(struct pt_regs *ctx, __u64 tracer, struct go_interface context,
				 struct go_string name, struct go_slice options)
{
	struct go_string scope = {};
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	if (tracer_name != GO_ABSENT)
		scope = go_string_at(tracer + tracer_name);
	if (known_tracer_cnt && otel_is_known_tracer(scope.ptr, scope.len))
		return 0;
	span = span_begin(ctx, &on, otel_api, SPAN_INTERNAL);
	if (!span)
		return 0;
	if (otel_wants_new_root(&options, span->record.bias))
		span_parent(span, &span->parent);
	else
		span_child(span, &on, &context);
	span_put_string(span, ATTR_SPAN_NAME, name);
	span_put_string(span, ATTR_SPAN_SCOPE, scope);
	if (!span_is_brief(span))
		otel_put_options(span, &options, OF_SPAN);
	return 0;
}

/*
 * From v1.33.0: func (t *tracer) newSpan(ctx context.Context, autoSpan *bool, name string,
 *	opts []trace.SpanStartOption) (context.Context, trace.Span)
 */
SEC("go_entry/go.opentelemetry.io/otel/internal/global.(*tracer).newSpan")
GO_OF(otel_api)
int otel_new_span(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct go_string name = {go_arg(ctx, 4), go_arg(ctx, 5)};
	struct go_slice options = {go_arg(ctx, 6), go_arg(ctx, 7), go_arg(ctx, 8)};

	if (go_byte(go_arg(ctx, 3)))
		return 0; /* another tool has turned the automatic SDK on */
	return start(ctx, go_arg(ctx, 0), context, name, options);
}

/*
 * Before: func (t *tracer) Start(ctx context.Context, name string, opts ...trace.SpanStartOption)
 *	(context.Context, trace.Span)
 */
SEC("go_entry/go.opentelemetry.io/otel/internal/global.(*tracer).Start")
GO_OF(otel_api)
GO_UNLESS("go.opentelemetry.io/otel/internal/global.(*tracer).Start>"
	  "go.opentelemetry.io/otel/internal/global.(*tracer).newSpan")
int otel_start(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct go_string name = {go_arg(ctx, 3), go_arg(ctx, 4)};
	struct go_slice options = {go_arg(ctx, 5), go_arg(ctx, 6), go_arg(ctx, 7)};

	if (go_word(go_arg(ctx, 0) + tracer_delegate))
		return 0; /* an SDK makes the span */
	return start(ctx, go_arg(ctx, 0), context, name, options);
}

/* The span is known by what Start returns and by what SpanFromContext finds in the context. */
static __always_inline int start_return(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 0), go_arg(ctx, 1)};
	__u64 object = go_arg(ctx, 3);
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, otel_api);
	if (!span) /* there may be no room because of those that are forgotten */
		return span_object_is_new(on.process, object);
	context_register(span, &context);
	span_detach(&on, span);
	span->object = object;
	span_list(span);
	if (!span->owner.listed[0])
		return span_drop(&on, span); /* it could not be ended */
	if (value_ctx_val != GO_ABSENT)
		span_list_as(span, go_word(context.data + value_ctx_val + 8));
	return 0;
}

SEC("go_return/go.opentelemetry.io/otel/internal/global.(*tracer).newSpan")
GO_OF(otel_api)
int otel_new_span_return(struct pt_regs *ctx)
{
	return start_return(ctx);
}

/* Not where an SDK's tracer returns: found by assertion to trace.Tracer, Go 1.22 / before. */
SEC("go_return/go.opentelemetry.io/otel/internal/global.(*tracer).Start")
GO_OF(otel_api)
GO_UNLESS("go.opentelemetry.io/otel/internal/global.(*tracer).Start>"
	  "go.opentelemetry.io/otel/internal/global.(*tracer).newSpan")
GO_EXCEPT("go.opentelemetry.io/otel/internal/global.(*tracer).Start>runtime.typeAssert")
GO_EXCEPT("go.opentelemetry.io/otel/internal/global.(*tracer).Start>runtime.assertE2I")
int otel_start_return(struct pt_regs *ctx)
{
	return start_return(ctx);
}

/* The span that a method is called on, if it is one of ours. */
static __always_inline struct in_flight *receiver(struct pt_regs *ctx, struct goroutine *on)
{
	struct in_flight *span;

	if (goroutine_of(ctx, on))
		return NULL;
	span = span_by_object(on, go_arg(ctx, 0));
	return span && span->record.library == otel_api ? span : NULL;
}

/*
 * The same for a method that writes to the record. Spans may be used by several goroutines at a
 * time; who comes while another one writes is turned away, and that is counted as WHAT.
 */
static __always_inline struct in_flight *writable(struct pt_regs *ctx, enum otel_left_out what)
{
	struct goroutine on;
	struct in_flight *span = receiver(ctx, &on);

	if (!span || span_is_brief(span))
		return NULL;
	if (!__sync_lock_test_and_set(&span->busy, 1))
		return span;
	otel_leave_out(span, what);
	return NULL;
}

static __always_inline int written(struct in_flight *span)
{
	__sync_lock_test_and_set(&span->busy, 0);
	return 0;
}

#define SPAN_METHOD(name) "go_entry/go.opentelemetry.io/otel/internal/global.(*nonRecordingSpan)." name

/* func (nonRecordingSpan) SetAttributes(kv ...attribute.KeyValue) */
SEC(SPAN_METHOD("SetAttributes")) GO_OF(otel_api)
int otel_set_attributes(struct pt_regs *ctx)
{
	struct in_flight *span = writable(ctx, LEFT_OUT_ATTRIBUTE);

	if (!span)
		return 0;
	otel_put_pairs(span, OF_SPAN, go_arg(ctx, 1), go_arg(ctx, 2));
	return written(span);
}

/* func (nonRecordingSpan) AddEvent(name string, options ...trace.EventOption) */
SEC(SPAN_METHOD("AddEvent")) GO_OF(otel_api)
int otel_add_event(struct pt_regs *ctx)
{
	struct go_slice options = {go_arg(ctx, 3), go_arg(ctx, 4), go_arg(ctx, 5)};
	struct in_flight *span = writable(ctx, LEFT_OUT_EVENT);

	if (!span)
		return 0;
	if (!otel_put_event(span, go_arg(ctx, 1), go_arg(ctx, 2)))
		otel_put_options(span, &options, OF_EVENT);
	return written(span);
}

/* func (nonRecordingSpan) RecordError(err error, options ...trace.EventOption) */
SEC(SPAN_METHOD("RecordError")) GO_OF(otel_api)
int otel_record_error(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct go_slice options = {go_arg(ctx, 3), go_arg(ctx, 4), go_arg(ctx, 5)};
	struct in_flight *span;

	if (!error.tab)
		return 0;
	span = writable(ctx, LEFT_OUT_EVENT);
	if (!span)
		return 0;
	/* without a name: what the agent makes of the error that follows */
	if (!otel_put_event(span, 0, 0)) {
		if (otel_has_room(span, sizeof(struct panic_value)))
			span_put_error(span, &error);
		otel_put_options(span, &options, OF_EVENT);
	}
	return written(span);
}

/* func (nonRecordingSpan) AddLink(link trace.Link), from v1.27.0: the struct is on the stack */
SEC(SPAN_METHOD("AddLink")) GO_OF(otel_api)
int otel_add_link(struct pt_regs *ctx)
{
	struct in_flight *span = writable(ctx, LEFT_OUT_LINK);

	if (!span)
		return 0;
	otel_put_link(span, ctx->sp + 8); /* above the return address */
	return written(span);
}

/* func (nonRecordingSpan) SetStatus(code codes.Code, description string); OK is final. */
SEC(SPAN_METHOD("SetStatus")) GO_OF(otel_api)
int otel_set_status(struct pt_regs *ctx)
{
	struct goroutine on;
	struct in_flight *span = receiver(ctx, &on);
	__u32 code = go_arg(ctx, 1);

	if (!span || code > STATUS_OK || span->status > code)
		return 0;
	span->status = code;
	if (code != STATUS_ERROR)
		return 0;
	span = writable(ctx, LEFT_OUT_ATTRIBUTE);
	if (!span)
		return 0;
	span_put_text(span, ATTR_SPAN_STATUS_TEXT, go_arg(ctx, 2), go_arg(ctx, 3));
	return written(span);
}

/* func (nonRecordingSpan) SetName(name string) */
SEC(SPAN_METHOD("SetName")) GO_OF(otel_api)
int otel_set_name(struct pt_regs *ctx)
{
	struct go_string name = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct goroutine on;
	struct in_flight *span = receiver(ctx, &on);

	if (!span || __sync_lock_test_and_set(&span->busy, 1))
		return 0;
	span_put_string(span, ATTR_SPAN_NAME, name);
	return written(span);
}

/* func (nonRecordingSpan) End(options ...trace.SpanEndOption) */
SEC(SPAN_METHOD("End")) GO_OF(otel_api) GO_NEEDED
int otel_end(struct pt_regs *ctx)
{
	struct go_slice options = {go_arg(ctx, 1), go_arg(ctx, 2), go_arg(ctx, 3)};
	struct goroutine on;
	struct in_flight *span = receiver(ctx, &on);

	if (!span)
		return 0;
	if (span->status)
		span_put_number(span, ATTR_SPAN_STATUS, span->status);
	if (span->mark)
		span_put_number(span, ATTR_SPAN_LEFT_OUT, span->mark);
	if (!span_is_brief(span))
		otel_put_options(span, &options, OF_END);
	return span_end(&on, span);
}
