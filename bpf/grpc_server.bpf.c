// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * google.golang.org/grpc server: one SERVER span an RPC, from the entry of (*Server).handleStream,
 * where the stream has its context and method, to that of its transport's writeStatus, which has the
 * status that is sent: that of interceptors, recovered panics and unknown methods as well. A server
 * under net/http (Server.ServeHTTP) has another transport, and its spans are below those of net/http.
 *
 * Functions and layouts: server.go, stream.go, internal/transport/{transport,server_stream,
 * http2_server,handler_server}.go, metadata/metadata.go; 1.34 to 1.85. Streams are ServerStream from
 * 1.69: with a *Stream in it, from 1.77 a Stream.
 *
 * Table: `google.golang.org/grpc` servers | 1.34 to 1.85 | SERVER spans of unary calls and streams, with the status that is sent
 */
#include "context.bpf.h"
#include "go_map.bpf.h"
#include "grpc.bpf.h"
#include "join.bpf.h"
#include "traceparent.bpf.h"

GO_INSTRUMENTED(grpc_server, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.(*serverHandler).TagRPC");
GO_INSTRUMENTED(grpc_server, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.UnaryServerInterceptor");
GO_INSTRUMENTED(grpc_server, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.UnaryServerInterceptor.func1");
GO_INSTRUMENTED(grpc_server, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.StreamServerInterceptor");
GO_INSTRUMENTED(grpc_server, "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc.StreamServerInterceptor.func1");
GO_SPAN(grpc_server, "google.golang.org/grpc", SERVER, RPC);

GO_FIELD_NEEDED(grpc_server, grpc_stream_ctx, interface,
		"google.golang.org/grpc/internal/transport.Stream.ctx");
GO_FIELD_NEEDED(grpc_server, grpc_stream_method, string,
		"google.golang.org/grpc/internal/transport.Stream.method");
GO_FIELD(grpc_stream_id, int, "google.golang.org/grpc/internal/transport.Stream.id");
GO_FIELD(grpc_stream_at, pointer, "google.golang.org/grpc/internal/transport.ServerStream.Stream");
GO_FIELD(grpc_stream_in, struct, "google.golang.org/grpc/internal/transport.ServerStream.Stream");

/* from 1.60 or so in a peer.Peer */
GO_HELD(http2_server, TRANSPORT "ServerTransport", "*" TRANSPORT "http2Server");
GO_HELD(handler_server, TRANSPORT "ServerTransport", "*" TRANSPORT "serverHandlerTransport");
GO_HELD(connection_error, "error", TRANSPORT "ConnectionError");
GO_FIELD(http2_server_conn, interface, "google.golang.org/grpc/internal/transport.http2Server.conn");
GO_FIELD(http2_server_remote, interface,
	 "google.golang.org/grpc/internal/transport.http2Server.remoteAddr");
GO_FIELD(http2_server_peer, interface,
	 "google.golang.org/grpc/internal/transport.http2Server.peer.Addr");

/* type serverStream struct, type StreamDesc struct, stream.go; desc from 1.84: unary RPCs have one */
GO_FIELD(server_stream_s, pointer, "google.golang.org/grpc.serverStream.s");
GO_FIELD(server_stream_desc, pointer, "google.golang.org/grpc.serverStream.desc");
GO_FIELD(desc_server_streams, bool, "google.golang.org/grpc.StreamDesc.ServerStreams");
GO_FIELD(desc_client_streams, bool, "google.golang.org/grpc.StreamDesc.ClientStreams");
GO_FRAME(server_recv_frame,
	 "google.golang.org/grpc.(*serverStream).RecvMsg>google.golang.org/grpc.recv");

/* type valueCtx struct { Context; key, val any }, src/context/context.go, Go 1.19 to 1.27 */
GO_TYPE(incoming_key_type, "google.golang.org/grpc/metadata.mdIncomingKey");

extern const volatile __u8 propagate_trace_context; /* http_server.bpf.c */

enum { METADATA_DEPTH = 32 }; /* contexts of stats handlers and taps may be above */

/* What is known of a span by now; in its mark. */
enum { RPC_HAS_STATUS = 1 << 0, RPC_IS_STREAM = 1 << 1 };

struct value_context {
	struct go_interface parent, key, value;
};

struct grpc_metadata {
	struct go_string trace_parent; /* empty when there are several: as if there were none */
	struct go_string trace_state;
	struct go_string authority;
	struct go_string user_agent;
	struct trace_context remote;
};

struct metadata_scratch {
	struct go_map_scratch map;
	struct grpc_metadata metadata;
};

_Static_assert(sizeof(struct metadata_scratch) <= SCRATCH_MAX, "the scratch is too small");

static __always_inline struct grpc_metadata *metadata_of(struct in_flight *span)
{
	return &((struct metadata_scratch *)span_scratch(span))->metadata;
}

/* Keys are in lower case. */
__weak int grpc_take_metadata(struct in_flight *span)
{
	const struct go_string none = {};
	struct go_string value;
	const struct go_map_slot *slot;
	struct grpc_metadata *out;
	__u64 len, key[2] = {};

	if (!span)
		return 0;
	out = metadata_of(span);
	slot = go_map_slot_in(span);
	len = slot->key.len;
	if (len != 10 && len != 11)
		return 0;
	barrier_var(len); /* else the mask is optimised away, which the verifier wants to see */
	if (!slot->elem.len || bpf_probe_read_user(key, len & 15, (void *)slot->key.ptr))
		return 0;
	value = go_string_at(slot->elem.ptr);
	if (key[0] == CHARS('t', 'r', 'a', 'c', 'e', 'p', 'a', 'r') &&
	    key[1] == CHARS('e', 'n', 't', 0, 0, 0, 0, 0))
		out->trace_parent = slot->elem.len == 1 ? value : none;
	else if (key[0] == CHARS('t', 'r', 'a', 'c', 'e', 's', 't', 'a') &&
		 key[1] == CHARS('t', 'e', 0, 0, 0, 0, 0, 0))
		out->trace_state = value;
	else if (key[0] == CHARS(':', 'a', 'u', 't', 'h', 'o', 'r', 'i') &&
		 key[1] == CHARS('t', 'y', 0, 0, 0, 0, 0, 0))
		out->authority = value;
	else if (key[0] == CHARS('u', 's', 'e', 'r', '-', 'a', 'g', 'e') &&
		 key[1] == CHARS('n', 't', 0, 0, 0, 0, 0, 0))
		out->user_agent = value;
	return 0;
}

/* The metadata.MD that a context holds: a map is a pointer, which is the interface's data itself. */
static __always_inline __u64 incoming_metadata(__u64 context, __u64 bias)
{
	struct value_context at;

	if (!incoming_key_type)
		return 0;
	for (int i = 0; i < METADATA_DEPTH && context; i++) {
		if (bpf_probe_read_user(&at, sizeof(at), (void *)context))
			return 0;
		if (at.key.tab == incoming_key_type + bias)
			return at.value.data;
		context = at.parent.data;
	}
	return 0;
}

__weak int grpc_read_metadata(struct in_flight *span, __u64 context)
{
	struct grpc_metadata *out;

	if (!span)
		return 0;
	out = metadata_of(span);
	__builtin_memset(out, 0, sizeof(*out));
	go_map_each(span, incoming_metadata(context, span->record.bias), SLICE_SIZE, grpc_take_metadata);
	return propagate_trace_context ? traceparent_read(&out->trace_parent, &out->remote) : 0;
}

/* Who is on the other end of TRANSPORT, a *http2Server. */
static __always_inline void put_peer(struct in_flight *span, __u64 transport)
{
	__u16 at = http2_server_peer != GO_ABSENT ? http2_server_peer : http2_server_remote;
	struct go_interface addr = {};
	struct ip_address address = {};

	if (at == GO_ABSENT || bpf_probe_read_user(&addr, sizeof(addr), (void *)transport + at))
		return;
	if (!net_address(&addr, span->record.bias, &address))
		span_put_address(span, ATTR_PEER_ADDRESS, &address);
}

/* The Stream in what the transport handed over as the stream. */
static __always_inline __u64 stream_of(__u64 object)
{
	if (grpc_stream_at != GO_ABSENT)
		return go_word(object + grpc_stream_at);
	return grpc_stream_in != GO_ABSENT ? object + grpc_stream_in : object;
}

/*
 * A client of ours may have sent STREAM over TRANSPORT, a *http2Server: then that is the parent. A
 * function of its own for its stack.
 */
__weak int grpc_join_client(struct in_flight *span, __u64 transport, __u64 stream)
{
	struct join_request asked = {.no_method = JOIN_POST};
	struct go_interface conn = {};

	if (!span || http2_server_conn == GO_ABSENT || grpc_stream_id == GO_ABSENT ||
	    bpf_probe_read_user(&conn, sizeof(conn), (void *)transport + http2_server_conn))
		return 0;
	asked.path = go_string_at(stream + grpc_stream_method);
	asked.host = metadata_of(span)->authority;
	asked.stream = go_word(stream + grpc_stream_id);
	return join_accept(span, &conn, &asked, &metadata_of(span)->remote);
}

/* Under net/http the span is below the request's, whose context the stream's comes from. */
static __always_inline void find_parent(struct in_flight *span, const struct goroutine *on,
					const struct go_interface *context, __u64 transport)
{
	if (go_holds(transport, handler_server, span->record.bias) &&
	    context_find(on, context, span->record.bias, &span->parent))
		span_parent(span, &span->parent);
	else
		span_parent(span, &metadata_of(span)->remote);
}

/* func (s *Server) handleStream(t transport.ServerTransport, stream *transport.ServerStream) */
SEC("go_entry/google.golang.org/grpc.(*Server).handleStream")
GO_OF(grpc_server) GO_NEEDED
int grpc_handle_entry(struct pt_regs *ctx)
{
	__u64 transport = go_arg(ctx, 1), object = go_arg(ctx, 3), stream = stream_of(object);
	struct grpc_metadata *metadata;
	struct go_interface context = {};
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_begin(ctx, &on, grpc_server, SPAN_SERVER);
	if (!span)
		return 0;
	if (bpf_probe_read_user(&context, sizeof(context), (void *)stream + grpc_stream_ctx))
		return span_drop(&on, span) & fail(on.pid, FAIL_REQUEST_UNREADABLE);
	span->object = object;
	span_list(span);
	if (!span_is_listed(span, object))
		return span_drop(&on, span); /* it could not be ended */
	grpc_read_metadata(span, context.data);
	if (join_is_active() && go_holds(transport, http2_server, span->record.bias))
		grpc_join_client(span, go_arg(ctx, 2), stream);
	metadata = metadata_of(span);
	find_parent(span, &on, &context, transport);
	if (span_is_own_export(metadata->user_agent)) {
		span->owner.silent = 1;
		fail(on.pid, FAIL_OWN_EXPORT);
	}
	span_put_string(span, ATTR_RPC_METHOD, go_string_at(stream + grpc_stream_method));
	if (!span_is_brief(span)) {
		span_put_string(span, ATTR_RPC_AUTHORITY, metadata->authority);
		if (metadata->remote.from)
			span_put_string(span, ATTR_TRACE_STATE, metadata->trace_state);
		if (go_holds(transport, http2_server, span->record.bias))
			put_peer(span, go_arg(ctx, 2));
	}
	return context_register(span, &context);
}

/*
 * func (t *http2Server) writeStatus(s *ServerStream, st *status.Status) error, WriteStatus to 1.68.
 * A send or receive that failed writes one as well, perhaps on another goroutine while the handler's
 * is busy: what the handler returns comes too late then, the first status is the one that was sent.
 */
SEC("go_entry/google.golang.org/grpc/internal/transport.(*http2Server).writeStatus")
GO_ALSO("google.golang.org/grpc/internal/transport.(*http2Server).WriteStatus")
GO_ALSO("google.golang.org/grpc/internal/transport.(*serverHandlerTransport).writeStatus")
GO_ALSO("google.golang.org/grpc/internal/transport.(*serverHandlerTransport).WriteStatus")
GO_OF(grpc_server) GO_NEEDED
int grpc_write_status_entry(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_by_object(&on, go_arg(ctx, 1));
	if (!span)
		return 0;
	if (!(__sync_fetch_and_or(&span->mark, RPC_HAS_STATUS) & RPC_HAS_STATUS))
		grpc_put_status(span, go_arg(ctx, 2));
	if (span->owner.goid != on.goid)
		return 0;
	if (span->mark & RPC_IS_STREAM)
		grpc_put_messages(span, server_recv_frame != GO_ABSENT);
	return span_end(&on, span);
}

/*
 * func FromError(err error) (s *Status, ok bool), of what processUnaryRPC could not send: where the
 * connection is gone, no status is written.
 */
SEC("go_call/google.golang.org/grpc.(*Server).processUnaryRPC>google.golang.org/grpc/status.FromError")
GO_OF(grpc_server)
int grpc_unary_cut_off(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (!go_holds(go_arg(ctx, 0), connection_error, go_bias(ctx)))
		return 0;
	span = span_here(ctx, &on, grpc_server);
	if (!span || span->mark & RPC_HAS_STATUS)
		return 0;
	span_put_number(span, ATTR_RPC_STATUS, GRPC_UNAVAILABLE);
	return span_end(&on, span);
}

static __always_inline bool is_unary(__u64 server_stream)
{
	__u64 desc;

	if (server_stream_desc == GO_ABSENT || desc_server_streams == GO_ABSENT ||
	    desc_client_streams == GO_ABSENT)
		return false;
	desc = go_word(server_stream + server_stream_desc);
	return !(go_byte(desc + desc_server_streams) | go_byte(desc + desc_client_streams));
}

/* The span of the RPC with this serverStream, unless it is unary: most are, so that comes first. */
static __always_inline struct in_flight *span_of_stream(struct pt_regs *ctx, __u64 server_stream)
{
	struct goroutine on;
	struct in_flight *span;

	if (server_stream_s == GO_ABSENT || is_unary(server_stream) || goroutine_of(ctx, &on))
		return NULL;
	span = span_by_object(&on, go_word(server_stream + server_stream_s));
	if (span)
		__sync_fetch_and_or(&span->mark, RPC_IS_STREAM);
	return span;
}

/* func (ss *serverStream) SendMsg(m any) (err error) */
SEC("go_entry/google.golang.org/grpc.(*serverStream).SendMsg")
GO_OF(grpc_server)
int grpc_server_send(struct pt_regs *ctx)
{
	struct in_flight *span = span_of_stream(ctx, go_arg(ctx, 0));

	if (span)
		__sync_fetch_and_add(&span->sent, 1);
	return 0;
}

/*
 * func recv(p *parser, ...) error, as RecvMsg(m any) (err error) calls it; its receiver is in the
 * spill slot. Where an RPC has but one request it is called a second time, to see the end.
 */
SEC("go_after/google.golang.org/grpc.(*serverStream).RecvMsg>google.golang.org/grpc.recv")
GO_OF(grpc_server) GO_RESULTS(1)
int grpc_server_received(struct pt_regs *ctx)
{
	struct in_flight *span;

	if (server_recv_frame == GO_ABSENT)
		return 0;
	span = span_of_stream(ctx, go_word(ctx->sp + server_recv_frame + 8));
	if (span && !go_arg(ctx, 0))
		__sync_fetch_and_add(&span->received, 1);
	return 0;
}
