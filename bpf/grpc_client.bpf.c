// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * google.golang.org/grpc client: one CLIENT span an RPC, retries included.
 *
 * A unary call begins at the entry of (*ClientConn).Invoke and ends at that of (*clientStream).finish
 * on the same goroutine, or where grpc.invoke sees that there is no stream. With an interceptor it
 * lasts as long as Invoke, and fails as Invoke does, whatever the calls inside come to.
 *
 * A stream begins at the entry of (*ClientConn).NewStream. Its clientStream is known where the
 * goroutine that watches it is started, which is done for streams alone and just before it is handed
 * out: there the span leaves the goroutine. It ends at finish, on whatever goroutine, found by the
 * clientStream; NewStream's return ends what never became a stream. How the server learns of it:
 * grpc_join.bpf.c.
 *
 * Functions and layouts: call.go, stream.go, clientconn.go, dialoptions.go; 1.34 to 1.85.
 *
 * Table: `google.golang.org/grpc` clients | 1.34 to 1.85 | CLIENT spans of unary calls and streams: status, message, counts of messages
 */
#include "grpc.bpf.h"

GO_INSTRUMENTED(grpc_client, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.(*clientHandler).TagRPC");
GO_INSTRUMENTED(grpc_client, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.UnaryClientInterceptor");
GO_INSTRUMENTED(grpc_client, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.UnaryClientInterceptor.func1");
GO_INSTRUMENTED(grpc_client, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.StreamClientInterceptor");
GO_INSTRUMENTED(grpc_client, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.StreamClientInterceptor.func1");
GO_SPAN(grpc_client, "google.golang.org/grpc", CLIENT, RPC);

GO_FIELD(cc_target, string, "google.golang.org/grpc.ClientConn.target");
GO_FIELD(cc_unary_int, func, "google.golang.org/grpc.ClientConn.dopts.unaryInt");
GO_FIELD(cs_cc, pointer, "google.golang.org/grpc.clientStream.cc");
GO_FRAME(send_frame,
	 "google.golang.org/grpc.(*clientStream).SendMsg>google.golang.org/grpc.(*clientStream).withRetry");
GO_FRAME(recv_frame,
	 "google.golang.org/grpc.(*clientStream).RecvMsg>google.golang.org/grpc.(*clientStream).withRetry");

/* What a span is of; in its mark. */
enum call { CALL_ENDED, CALL_UNARY, CALL_INTERCEPTED, CALL_STREAM };

static __always_inline enum call call_of(const struct in_flight *span)
{
	return span->mark;
}

static __always_inline int begin_call(struct pt_regs *ctx, enum call call, struct go_string method)
{
	/* registers: 0 cc; 1, 2 ctx */
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	__u64 cc = go_arg(ctx, 0);
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_begin(ctx, &on, grpc_client, SPAN_CLIENT);
	if (!span)
		return 0;
	if (call == CALL_UNARY && cc_unary_int != GO_ABSENT && go_word(cc + cc_unary_int))
		call = CALL_INTERCEPTED;
	span->mark = call;
	span->url = cc;
	span->late = method;
	span_child(span, &on, &context);
	span_put_string(span, ATTR_RPC_METHOD, method);
	if (cc_target != GO_ABSENT && !span_is_brief(span))
		span_put_string(span, ATTR_RPC_TARGET, go_string_at(cc + cc_target));
	return 0;
}

/* Two goroutines may finish a stream at once: the one that takes the mark does. */
static __always_inline int end_call(const struct goroutine *on, struct in_flight *span,
				    const struct go_interface *error, bool may_be_end)
{
	enum call call = __sync_lock_test_and_set(&span->mark, CALL_ENDED);

	if (call == CALL_ENDED)
		return 0;
	grpc_put_error(span, error, may_be_end);
	if (call == CALL_STREAM)
		grpc_put_messages(span, recv_frame != GO_ABSENT);
	return span_end(on, span);
}

/* func (cc *ClientConn) Invoke(ctx context.Context, method string, args, reply any, opts ...CallOption) error */
SEC("go_entry/google.golang.org/grpc.(*ClientConn).Invoke")
GO_OF(grpc_client) GO_NEEDED
int grpc_invoke_entry(struct pt_regs *ctx)
{
	struct go_string method = {go_arg(ctx, 3), go_arg(ctx, 4)};

	return begin_call(ctx, CALL_UNARY, method);
}

/*
 * func invoke(ctx context.Context, method string, req, reply any, cc *ClientConn, opts ...CallOption)
 *	error
 * where there is no stream, so nothing that could finish: func newClientStream(...) (_ ClientStream,
 * err error) failed. Where profile-guided optimisation inlined it, Invoke's return is left.
 */
SEC("go_return/google.golang.org/grpc.invoke")
GO_OF(grpc_client) GO_EXCEPT("google.golang.org/grpc.invoke>google.golang.org/grpc.newClientStream")
GO_RESULTS(4)
int grpc_invoke_without_stream(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 0), go_arg(ctx, 1)};
	struct in_flight *span;
	struct goroutine on;

	if (!error.tab || goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, grpc_client);
	return span && call_of(span) == CALL_UNARY ? end_call(&on, span, &error, false) : 0;
}

/* func (cs *clientStream) finish(err error): of all that an RPC ends by, only this takes io.EOF for success */
SEC("go_entry/google.golang.org/grpc.(*clientStream).finish")
GO_OF(grpc_client) GO_NEEDED
int grpc_finish_entry(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_by_object(&on, go_arg(ctx, 0));
	if (span)
		return end_call(&on, span, &error, true);
	span = span_find(&on, grpc_client);
	return span && call_of(span) == CALL_UNARY ? end_call(&on, span, &error, true) : 0;
}

/* The function that began the call returns with ERROR. */
static __always_inline int call_returned(struct pt_regs *ctx, struct go_interface error)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_of_frame(&on, grpc_client, go_return_sp(ctx));
	return span ? end_call(&on, span, &error, false) : 0;
}

/* Where an interceptor returned. */
SEC("go_return/google.golang.org/grpc.(*ClientConn).Invoke")
GO_OF(grpc_client)
GO_EXCEPT("google.golang.org/grpc.(*ClientConn).Invoke>google.golang.org/grpc.invoke")
int grpc_invoke_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 0), go_arg(ctx, 1)};

	return call_returned(ctx, error);
}

/*
 * func (cc *ClientConn) NewStream(ctx context.Context, desc *StreamDesc, method string,
 *	opts ...CallOption) (ClientStream, error)
 */
SEC("go_entry/google.golang.org/grpc.(*ClientConn).NewStream")
GO_OF(grpc_client)
int grpc_new_stream_entry(struct pt_regs *ctx)
{
	struct go_string method = {go_arg(ctx, 4), go_arg(ctx, 5)};

	return begin_call(ctx, CALL_STREAM, method);
}

/*
 * The closure that watches a stream: func, then what it captured, of which cc and cs are two. The
 * stream is the one that has cc in its field.
 */
static __always_inline __u64 captured_stream(__u64 closure, __u64 cc)
{
	__u64 words[5] = {};

	if (bpf_probe_read_user(words, sizeof(words), (void *)closure))
		return 0;
	for (int i = 1; i < 5; i++)
		if (words[i] && words[i] != cc && go_word(words[i] + cs_cc) == cc)
			return words[i];
	return 0;
}

/* func newproc(fn *funcval), for the statement `go func() { select { case <-cc.ctx.Done(): ... */
SEC("go_call/google.golang.org/grpc.newClientStreamWithParams>runtime.newproc")
GO_ALSO("google.golang.org/grpc.newClientStream>runtime.newproc") /* to 1.37 */
GO_OF(grpc_client)
int grpc_stream_made(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (cs_cc == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, grpc_client);
	if (!span || call_of(span) != CALL_STREAM)
		return 0;
	span->object = captured_stream(go_arg(ctx, 0), span->url);
	if (!span->object)
		return 0;
	span_list(span);
	return span_is_listed(span, span->object) ? span_detach(&on, span) : span_drop(&on, span);
}

/* What is still on the goroutine never became a stream. */
SEC("go_return/google.golang.org/grpc.(*ClientConn).NewStream")
GO_OF(grpc_client)
int grpc_new_stream_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 2), go_arg(ctx, 3)};

	return call_returned(ctx, error);
}

/*
 * func (cs *clientStream) withRetry(op func(a *csAttempt) error, onSuccess func()) error, as
 * SendMsg(m any) (err error) calls it, whose receiver is in its spill slot behind the return address
 */
SEC("go_after/google.golang.org/grpc.(*clientStream).SendMsg>google.golang.org/grpc.(*clientStream).withRetry")
GO_OF(grpc_client) GO_RESULTS(1)
int grpc_client_sent(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (go_arg(ctx, 0) || send_frame == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = span_by_object(&on, go_word(ctx->sp + send_frame + 8));
	if (span)
		__sync_fetch_and_add(&span->sent, 1);
	return 0;
}

/* Where profile-guided optimisation inlined that: one that fails is counted as well. */
SEC("go_entry/google.golang.org/grpc.(*clientStream).SendMsg")
GO_OF(grpc_client)
GO_UNLESS("google.golang.org/grpc.(*clientStream).SendMsg>google.golang.org/grpc.(*clientStream).withRetry")
int grpc_client_send(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_by_object(&on, go_arg(ctx, 0));
	if (span)
		__sync_fetch_and_add(&span->sent, 1);
	return 0;
}

/*
 * A unary call takes a message, and from 1.84 looks for the end by a second RecvMsg. A server that
 * sends another message gets Invoke to return INTERNAL then, and nothing finishes the clientStream.
 */
static __always_inline int count_unary(const struct goroutine *on)
{
	struct in_flight *span = span_find(on, grpc_client);

	if (!span || call_of(span) != CALL_UNARY || ++span->received < 2)
		return 0;
	span->mark = CALL_ENDED;
	span_put_number(span, ATTR_RPC_STATUS, GRPC_INTERNAL);
	return span_end(on, span);
}

/* and RecvMsg(m any) error */
SEC("go_after/google.golang.org/grpc.(*clientStream).RecvMsg>google.golang.org/grpc.(*clientStream).withRetry")
GO_OF(grpc_client) GO_RESULTS(1)
int grpc_client_received(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (go_arg(ctx, 0) || recv_frame == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = span_by_object(&on, go_word(ctx->sp + recv_frame + 8));
	if (!span)
		return count_unary(&on);
	__sync_fetch_and_add(&span->received, 1);
	return 0;
}
