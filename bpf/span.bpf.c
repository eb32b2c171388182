// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* span: see span.bpf.h. This file owns the map of spans under way. */
#include "span.bpf.h"
#include "context.bpf.h"
#include "join.bpf.h"
#include "otel_sdk.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Never LRU: that would evict live spans uncounted. Preallocated on old kernels (agent/kernel.c), which
 * sets the size too: GOSPAN_MAX_IN_FLIGHT.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* span id */
	__type(value, struct in_flight);
} in_flight SEC(".maps");

struct open_span {
	__u64 id;
	__u64 parent; /* of a span_child() */
	__u32 depth;
	__u32 pad;
};

struct goroutine_spans {
	__u32 cnt;
	__u32 pad;
	__u64 panic_ns; /* of the last panic on it, 0: none */
	struct open_span open[MAX_NESTING];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct goroutine_key);
	__type(value, struct goroutine_spans);
} goroutines SEC(".maps");

extern const volatile __u16 http_server; /* net_http_server.bpf.c */

/* src/runtime/runtime2.go */
GO_FIELD_NEEDED(all, runtime_g_stack_hi, int, "runtime.g.stack.hi");

/* What new values start as: too large for the stack, of which callers need their part. */
static const struct in_flight blank_span;
static const struct goroutine_spans blank_spans;

static __always_inline struct goroutine_key key_of(const struct goroutine *on)
{
	struct goroutine_key key = {.process = on->process, .goid = on->goid};

	return key;
}

static int close_span(struct in_flight *span, __u64 id)
{
	/* of two that end it at once, on two goroutines, the one that takes it off the list does */
	if (span->owner.listed[0] && !span_unlist(span))
		return 0;
	join_withdraw(span);
	if (!span->owner.silent && !is_left_to_sdk(span->record.pid, span->record.library) &&
	    span_send(span))
		fail(span->record.pid, FAIL_RING_FULL);
	return bpf_map_delete_elem(&in_flight, &id);
}

/*
 * Ends the span with this id, whose own end was not seen: a panic that somebody recovered, at
 * PANIC_NS if that is known, or a Goexit. A global function: the verifier looks at it once, not in each
 * step of each loop below.
 */
__weak int span_finish_unwound(__u64 id, __u64 panic_ns)
{
	struct in_flight *span = bpf_map_lookup_elem(&in_flight, &id);

	if (!span)
		return 0;
	if (panic_ns > span->record.start_ns) {
		span->record.end_ns = panic_ns;
		span_put_number(span, ATTR_UNWOUND, UNWIND_PANIC);
	} else if (span->record.kind == SPAN_SERVER && !span->owner.silent) {
		/* nobody knows when it ended, nor how */
		span->owner.silent = 1;
		fail(span->record.pid, FAIL_ABANDONED);
	}
	return close_span(span, id);
}

/* The same of one whose goroutine leaves all its functions by runtime.Goexit. */
static int finish_exited(struct in_flight *span, __u64 id)
{
	span_put_number(span, ATTR_UNWOUND, UNWIND_GOEXIT);
	return close_span(span, id);
}

/* Ends every span on the goroutine whose frame cannot exist any more, as deep as the stack is now. */
static __always_inline void unwind(struct goroutine_spans *spans, __u32 depth)
{
	for (int i = 0; i < MAX_NESTING; i++) {
		__u32 top = spans->cnt - 1;

		if (top >= MAX_NESTING || spans->open[top].depth < depth)
			break;
		span_finish_unwound(spans->open[top].id, spans->panic_ns);
		spans->cnt = top;
	}
}

static __always_inline struct goroutine_spans *spans_of(const struct goroutine *on, bool create)
{
	struct goroutine_key key = key_of(on);
	struct goroutine_spans *spans = bpf_map_lookup_elem(&goroutines, &key);

	if (spans || !create)
		return spans;
	if (bpf_map_update_elem(&goroutines, &key, &blank_spans, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&goroutines, &key);
}

/* A goroutine that is in no span takes no room: it may end without another one. */
static __always_inline void forget_if_idle(const struct goroutine *on,
					   const struct goroutine_spans *spans)
{
	struct goroutine_key key = key_of(on);

	if (spans && !spans->cnt)
		bpf_map_delete_elem(&goroutines, &key);
}

static __always_inline __u32 depth_of(const struct goroutine *on, __u64 sp)
{
	return go_word(on->g + runtime_g_stack_hi) - sp;
}

__hidden struct in_flight *span_begin(struct pt_regs *ctx, const struct goroutine *on,
				      __u16 library, enum span_kind kind)
{
	struct goroutine_spans *spans;
	struct in_flight *span;
	__u64 id = random64() | 1; /* never zero */
	__u32 depth = depth_of(on, ctx->sp);
	long err = 0;
	__u32 top;

	if (is_left_to_sdk(on->pid, library))
		return NULL;
	spans = spans_of(on, true);
	if (!spans)
		goto full;
	unwind(spans, depth);
	top = spans->cnt;
	barrier_var(top); /* one register: 6.1's verifier loses the bound of a copy */
	if (top >= MAX_NESTING)
		goto full;
	err = bpf_map_update_elem(&in_flight, &id, &blank_span, BPF_NOEXIST);
	if (err)
		goto full;
	span = bpf_map_lookup_elem(&in_flight, &id);
	if (!span)
		goto full;
	spans->open[top].id = id;
	spans->open[top].parent = 0;
	spans->open[top].depth = depth;
	spans->cnt = top + 1;
	span->owner.goid = on->goid;
	span->owner.process = on->process;
	span->owner.pid = on->pid;
	span->record.type = RECORD_SPAN;
	span->record.kind = kind;
	span->record.library = library;
	span->record.pid = on->pid;
	span->record.bias = go_bias(ctx);
	span->record.start_ns = bpf_ktime_get_boot_ns();
	__builtin_memcpy(span->record.span_id, &id, sizeof(id));
	return span;
full:
	forget_if_idle(on, spans);
	/* -E2BIG: as many as there may be; the map is not preallocated everywhere */
	fail(on->pid, err == -ENOMEM ? FAIL_NO_MEMORY : FAIL_IN_FLIGHT_FULL);
	return NULL;
}

__weak int span_context(const struct in_flight *span, struct trace_context *out)
{
	if (!span || !out)
		return 0;
	__builtin_memcpy(out->trace_id, span->record.trace_id, sizeof(out->trace_id));
	__builtin_memcpy(out->span_id, span->record.span_id, sizeof(out->span_id));
	out->flags = span->record.trace_flags;
	out->from = span->owner.silent ? PARENT_SILENT : PARENT_LOCAL;
	if (span->owner.silent)
		out->flags &= ~1; /* who is called shall not wait for a parent that never comes */
	out->sdk = span->parent.sdk;
	return 0;
}

/* The span with this id becomes SPAN's parent, if it is still under way. */
static __always_inline void take_parent(struct in_flight *span, __u64 id)
{
	struct in_flight *parent = bpf_map_lookup_elem(&in_flight, &id);

	if (parent)
		span_context(parent, &span->parent);
}

/* Is the goroutine in the span with this id, or in one that was begun below it? */
static __always_inline bool is_in(const struct goroutine_spans *spans, __u32 cnt, __u64 id)
{
	for (__u32 i = 0; i < MAX_NESTING; i++)
		if (i < cnt && (spans->open[i].id == id || spans->open[i].parent == id))
			return true;
	return false;
}

/*
 * What the goroutine is in wins over the context when it is below the context's own span: a driver
 * that is given the caller's context while the call's span is open.
 */
__weak int span_child(struct in_flight *span, const struct goroutine *on,
			const struct go_interface *context)
{
	struct goroutine_spans *spans;
	__u32 above; /* index of SPAN: the number of those it is in */
	__u64 id = 0;

	if (!span || !on || !context)
		return 0;
	spans = spans_of(on, false);
	above = spans ? spans->cnt - 1 : 0;
	if (!spans || above >= MAX_NESTING)
		return span_parent(span, &span->parent);
	if (context->data && context_find(on, context, span->record.bias, &span->parent))
		__builtin_memcpy(&id, span->parent.span_id, sizeof(id));
	if (id && !is_in(spans, above, id))
		goto found;
	if (above)
		id = spans->open[(above - 1) & (MAX_NESTING - 1)].id;
	else if (!id)
		id = context_of_birth(on);
	if (id)
		take_parent(span, id);
found:
	barrier_var(above); /* one register: 6.1's verifier loses the bound of a copy */
	spans->open[above & (MAX_NESTING - 1)].parent = id;
	return span_parent(span, &span->parent);
}

__hidden struct in_flight *span_current(const struct goroutine *on)
{
	struct goroutine_spans *spans = spans_of(on, false);
	__u32 top;

	if (!spans)
		return NULL;
	top = spans->cnt - 1;
	if (top >= MAX_NESTING)
		return NULL;
	return bpf_map_lookup_elem(&in_flight, &spans->open[top].id);
}

__hidden struct in_flight *span_find(const struct goroutine *on, __u16 library)
{
	struct goroutine_spans *spans = spans_of(on, false);

	if (!spans)
		return NULL;
	for (int i = 0; i < MAX_NESTING; i++) {
		__u32 top = spans->cnt - 1 - i;
		struct in_flight *span;

		if (top >= MAX_NESTING)
			break;
		span = bpf_map_lookup_elem(&in_flight, &spans->open[top].id);
		if (span && span->record.library == library)
			return span;
	}
	return NULL;
}

__hidden struct in_flight *span_around(struct pt_regs *ctx, const struct goroutine *on)
{
	struct goroutine_spans *spans = spans_of(on, false);

	if (!spans)
		return NULL;
	unwind(spans, depth_of(on, ctx->sp));
	forget_if_idle(on, spans);
	return span_current(on);
}

__hidden struct in_flight *span_of_frame(const struct goroutine *on, __u16 library, __u64 sp)
{
	struct goroutine_spans *spans = spans_of(on, false);
	__u32 depth = depth_of(on, sp);
	struct in_flight *span;
	__u64 id = 0;

	if (!spans)
		return NULL;
	for (__u32 i = 0; i < MAX_NESTING; i++)
		if (i < spans->cnt && spans->open[i].depth == depth)
			id = spans->open[i].id;
	span = id ? bpf_map_lookup_elem(&in_flight, &id) : NULL;
	return span && span->record.library == library ? span : NULL;
}

__hidden struct in_flight *span_by_id(__u64 id)
{
	return bpf_map_lookup_elem(&in_flight, &id);
}

__weak int span_unwind_all(const struct goroutine *on, enum unwinding how)
{
	struct goroutine_spans *spans;
	struct goroutine_key key;

	if (!on)
		return 0;
	key = key_of(on);
	spans = spans_of(on, false);
	if (!spans)
		return 0;
	for (int i = 0; i < MAX_NESTING; i++) {
		__u32 top = spans->cnt - 1;
		struct in_flight *span;

		if (top >= MAX_NESTING)
			break;
		span = bpf_map_lookup_elem(&in_flight, &spans->open[top].id);
		if (how == UNWIND_GOEXIT && span && span->record.library == http_server)
			break;
		spans->cnt = top;
		if (how == UNWIND_PANIC)
			span_finish_unwound(spans->open[top].id, spans->panic_ns);
		else if (span)
			finish_exited(span, spans->open[top].id);
	}
	return spans->cnt ? 0 : bpf_map_delete_elem(&goroutines, &key);
}

/* A function's own SP at its entry is above that of its frame, and that of what it calls is below. */
__weak int span_recovered(const struct goroutine *on, __u64 sp)
{
	struct goroutine_spans *spans;

	if (!on)
		return 0;
	spans = spans_of(on, false);
	if (!spans)
		return 0;
	unwind(spans, depth_of(on, sp) + 1);
	forget_if_idle(on, spans);
	return 0;
}

__weak int span_panicked(const struct goroutine *on, __u64 time_ns)
{
	struct goroutine_spans *spans;

	if (!on)
		return 0;
	spans = spans_of(on, false);
	if (spans)
		spans->panic_ns = time_ns;
	return 0;
}

__weak __u64 span_id_of(const struct goroutine *on)
{
	struct goroutine_spans *spans;
	__u32 top;

	if (!on)
		return 0;
	spans = spans_of(on, false);
	top = spans ? spans->cnt - 1 : MAX_NESTING;
	return spans && top < MAX_NESTING ? spans->open[top].id : context_of_birth(on);
}

/* Takes a span and what is above it (whose ends were missed) off the goroutine, if it is in it. */
static __always_inline void leave(const struct goroutine *on, __u64 id)
{
	struct goroutine_key key = key_of(on);
	struct goroutine_spans *spans = bpf_map_lookup_elem(&goroutines, &key);
	bool is_there = false;

	if (!spans)
		return;
	for (__u32 i = 0; i < MAX_NESTING; i++)
		is_there |= i < spans->cnt && spans->open[i].id == id;
	if (!is_there)
		return;
	for (int i = 0; i < MAX_NESTING; i++) {
		__u32 top = spans->cnt - 1;

		if (top >= MAX_NESTING)
			break;
		spans->cnt = top;
		if (spans->open[top].id == id)
			break;
		span_finish_unwound(spans->open[top].id, spans->panic_ns);
	}
	if (!spans->cnt)
		bpf_map_delete_elem(&goroutines, &key);
}

static __always_inline __u64 id_of(const struct in_flight *span)
{
	__u64 id;

	__builtin_memcpy(&id, span->record.span_id, sizeof(id));
	return id;
}

__weak int span_end(const struct goroutine *on, struct in_flight *span)
{
	__u64 id;

	if (!on || !span)
		return 0;
	id = id_of(span);
	if (!span->detached)
		leave(on, id);
	return close_span(span, id);
}

__weak int span_end_panicked(const struct goroutine *on, struct in_flight *span)
{
	struct goroutine_spans *spans;
	__u64 panic_ns, id;

	if (!on || !span)
		return 0;
	spans = spans_of(on, false);
	panic_ns = spans ? spans->panic_ns : 0;
	id = id_of(span);
	if (panic_ns <= span->record.start_ns)
		return 0;
	leave(on, id);
	span_finish_unwound(id, panic_ns);
	return 1;
}

__weak int span_detach(const struct goroutine *on, struct in_flight *span)
{
	if (!on || !span)
		return 0;
	if (!span->detached)
		leave(on, id_of(span));
	span->detached = 1;
	return 0;
}

__weak int span_drop(const struct goroutine *on, struct in_flight *span)
{
	if (!on || !span)
		return 0;
	span->owner.silent = 1;
	return span_end(on, span);
}
