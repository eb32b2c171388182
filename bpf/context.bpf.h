/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context: which span a context.Context or a goroutine belongs to (design D7). A span registers the
 * context it hands on; a context derived from that leads back to it through its parents. A goroutine
 * started while a span is open belongs to that span until it ends.
 */
#ifndef GOSPAN_BPF_CONTEXT_H
#define GOSPAN_BPF_CONTEXT_H

#include "span.bpf.h"

/*
 * Remembers that CONTEXT is SPAN's, by the interface that holds it (tab 0: unknown), which must not be
 * any object's but a context's own. Nothing when nobody asks.
 */
int context_register(struct in_flight *span, const struct go_interface *context);

/*
 * SPAN, of a server, ends before the server cancels the context that is registered: for a moment, or
 * FOR_LONG, where the handler has taken the connection over.
 */
int context_outlives(const struct in_flight *span, bool for_long);

/*
 * The two ways of context_find(): nearly always the parent is the interface at offset 0, and types
 * need not be looked at. Not one inside the other: 6.1 allows 512 bytes of stack along all calls.
 */
int context_find_up(const struct goroutine *on, const struct go_interface *context, __u64 bias,
		    struct trace_context *out);
int context_find_by_type(const struct goroutine *on, const struct go_interface *context, __u64 bias,
			 struct trace_context *out);

/*
 * Whose CONTEXT is: the span that registered it or its nearest ancestor, perhaps ended since; or one
 * of an OpenTelemetry SDK inside the program, if that is nearer. True when there is one. BIAS is the
 * executable's. Without CONTEXT->tab only spans of ours.
 */
static __always_inline int context_find(const struct goroutine *on,
					const struct go_interface *context, __u64 bias,
					struct trace_context *out)
{
	return context_find_up(on, context, bias, out) ||
	       context_find_by_type(on, context, bias, out);
}

/*
 * Is ERROR what CONTEXT was canceled with, and not at its deadline? As context.WithCancelCause's function
 * was told, which golang.org/x/sync/errgroup tells the first error (Go 1.20).
 */
int context_canceled_by(const struct go_interface *context, const struct go_interface *error,
			__u64 bias);

/* Id of the span that was its creator's when the goroutine was started; 0: none. */
__u64 context_of_birth(const struct goroutine *on);

#endif
