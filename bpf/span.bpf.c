// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* span: see span.bpf.h. This file owns the maps of spans under way, events and failures. */
#include "span.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Sizes are set by the agent before load: GOSPAN_RING_BYTES, GOSPAN_MAX_IN_FLIGHT. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

/* Plain and preallocated, never LRU: an LRU would evict live spans uncounted. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64); /* span id */
	__type(value, struct in_flight);
} in_flight SEC(".maps");

struct open_span {
	__u64 id;
	__u32 depth;
	__u32 pad;
};

struct goroutine_spans {
	__u32 cnt;
	__u32 pad;
	struct open_span open[MAX_NESTING];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct goroutine_key);
	__type(value, struct goroutine_spans);
} goroutines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* pid in the agent's namespace */
	__type(value, struct failure_counts);
} failures SEC(".maps");

/* Processes to trace, when not every process of the executable is. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* pid in the agent's namespace */
	__type(value, __u8);
} targets SEC(".maps");

/* Set by the agent; the defaults have the verifier see every path. */
const volatile __u8 only_targets = 1;
const volatile __u32 agent_pid_level = 1;
const volatile __u64 agent_pid_namespace = 0; /* kernel address */
const volatile __u64 ring_wakeup_bytes = 1 << 20;
const volatile __u8 sampler_parent_based = 1;
const volatile __u64 sampler_threshold = 1ULL << 63; /* of 2^63: 0 never, 2^63 always */

/* src/runtime/runtime2.go */
GO_FIELD_NEEDED(all, runtime_g_goid, int, "runtime.g.goid");
GO_FIELD_NEEDED(all, runtime_g_stack_hi, int, "runtime.g.stack.hi");

/* What a new span starts as; a value this large does not fit on the stack. */
static const struct in_flight blank_span;
static const struct failure_counts blank_counts;

/* The thread group's pid as the agent sees it, 0 when it cannot see it. */
static __always_inline __u32 pid_for_agent(__u32 tgid)
{
	struct task_struct *task;
	struct pid *pid;
	struct upid *at;
	__u32 level = agent_pid_level;

	if (!level) /* the agent is in the initial namespace, where everybody has this one */
		return tgid;
	task = (void *)bpf_get_current_task();
	pid = BPF_CORE_READ(task, group_leader, thread_pid);
	if (BPF_CORE_READ(pid, level) < level)
		return 0;
	at = (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	     level * bpf_core_type_size(struct upid);
	if ((__u64)BPF_CORE_READ(at, ns) != agent_pid_namespace)
		return 0;
	return BPF_CORE_READ(at, nr);
}

__hidden int fail(__u32 pid, enum failure why)
{
	struct failure_counts *counts = bpf_map_lookup_elem(&failures, &pid);
	__u32 i = why;

	if (!counts) {
		bpf_map_update_elem(&failures, &pid, &blank_counts, BPF_NOEXIST);
		counts = bpf_map_lookup_elem(&failures, &pid);
		if (!counts) { /* more processes than rows: count against nobody */
			pid = 0;
			counts = bpf_map_lookup_elem(&failures, &pid);
		}
	}
	if (counts && i < FAIL_MAX)
		__sync_fetch_and_add(&counts->at[i], 1);
	return 0;
}

__hidden int goroutine_of(struct pt_regs *ctx, struct goroutine *out)
{
	out->tgid = bpf_get_current_pid_tgid() >> 32;
	out->pid = pid_for_agent(out->tgid);
	if (!out->pid)
		return 1;
	if (only_targets && !bpf_map_lookup_elem(&targets, &out->pid))
		return 1;
	out->g = go_g(ctx);
	out->goid = 0;
	if (bpf_probe_read_user(&out->goid, sizeof(out->goid), (void *)out->g + runtime_g_goid)) {
		fail(out->pid, FAIL_NO_GOROUTINE);
		return 1;
	}
	return 0;
}

static __always_inline struct goroutine_key key_of(const struct goroutine *on)
{
	struct goroutine_key key = {.tgid = on->tgid, .goid = on->goid};

	return key;
}

/* Sends the record. Woken by fill level only; the agent looks by timer otherwise (design D6). */
static int send(struct in_flight *span)
{
	__u32 size = span->used;
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (size > GOSPAN_BODY_MAX)
		size = GOSPAN_BODY_MAX;
	span->record.size = size;
	span->record.end_ns = bpf_ktime_get_boot_ns();
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= ring_wakeup_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	return bpf_ringbuf_output(&events, &span->record, sizeof(span->record) + size, flags);
}

static int close_span(struct in_flight *span, __u64 id)
{
	if (!span->owner.silent && send(span))
		fail(span->record.pid, FAIL_RING_FULL);
	return bpf_map_delete_elem(&in_flight, &id);
}

/* Ends the span with this id, whose own end was not seen. */
static int finish_unwound(__u64 id)
{
	struct in_flight *span = bpf_map_lookup_elem(&in_flight, &id);

	if (!span)
		return 0;
	span->record.flags |= SPAN_PANICKED;
	return close_span(span, id);
}

/* Ends every span on the goroutine whose frame cannot exist any more at DEPTH. */
static __always_inline void unwind(struct goroutine_spans *spans, __u32 depth)
{
	for (int i = 0; i < MAX_NESTING; i++) {
		__u32 top = spans->cnt - 1;

		if (top >= MAX_NESTING || spans->open[top].depth < depth)
			break;
		finish_unwound(spans->open[top].id);
		spans->cnt = top;
	}
}

static __always_inline struct goroutine_spans *spans_of(const struct goroutine *on, bool create)
{
	struct goroutine_key key = key_of(on);
	struct goroutine_spans *spans = bpf_map_lookup_elem(&goroutines, &key);
	struct goroutine_spans none = {};

	if (spans || !create)
		return spans;
	if (bpf_map_update_elem(&goroutines, &key, &none, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&goroutines, &key);
}

static __always_inline __u64 random64(void)
{
	__u64 high = bpf_get_prandom_u32();

	return high << 32 | bpf_get_prandom_u32();
}

__hidden struct in_flight *span_begin(struct pt_regs *ctx, const struct goroutine *on,
				      __u16 library, enum span_kind kind)
{
	struct goroutine_spans *spans = spans_of(on, true);
	struct in_flight *span;
	__u64 id = random64() | 1; /* never zero */
	__u32 depth = go_word(on->g + runtime_g_stack_hi) - ctx->sp;
	__u32 top;

	if (!spans)
		goto full;
	unwind(spans, depth);
	top = spans->cnt;
	barrier_var(top); /* one register: 6.1's verifier loses the bound of a copy */
	if (top >= MAX_NESTING || bpf_map_update_elem(&in_flight, &id, &blank_span, BPF_NOEXIST))
		goto full;
	span = bpf_map_lookup_elem(&in_flight, &id);
	if (!span)
		goto full;
	spans->open[top].id = id;
	spans->open[top].depth = depth;
	spans->cnt = top + 1;
	span->owner.goid = on->goid;
	span->owner.tgid = on->tgid;
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
	fail(on->pid, FAIL_IN_FLIGHT_FULL);
	return NULL;
}

/* As OpenTelemetry's TraceIdRatioBased: the id's last 8 bytes, big endian, upper 63 bits. */
static __always_inline bool sampled_by_ratio(const __u8 *trace_id)
{
	__u64 low;

	__builtin_memcpy(&low, trace_id + 8, sizeof(low));
	return (__builtin_bswap64(low) >> 1) < sampler_threshold;
}

__hidden int span_parent(struct in_flight *span, const struct trace_context *remote)
{
	struct span_record *record = &span->record;
	bool sampled;

	if (remote->remote) {
		__builtin_memcpy(record->trace_id, remote->trace_id, sizeof(record->trace_id));
		__builtin_memcpy(record->parent_id, remote->span_id, sizeof(record->parent_id));
		record->flags |= SPAN_REMOTE_PARENT;
		record->trace_flags = remote->flags & 0x3; /* sampled, random (W3C level 2) */
		sampled = sampler_parent_based ? remote->flags & 1
					       : sampled_by_ratio(record->trace_id);
	} else {
		__u64 id[2] = {random64(), random64() | 1 << 8};

		__builtin_memcpy(record->trace_id, id, sizeof(id));
		record->trace_flags = 0x2; /* we made it, and at random */
		sampled = sampled_by_ratio(record->trace_id);
	}
	record->trace_flags = (record->trace_flags & ~1) | sampled;
	if (sampled)
		record->flags |= SPAN_SAMPLED;
	return 0;
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

__hidden struct in_flight *span_by_id(__u64 id)
{
	return bpf_map_lookup_elem(&in_flight, &id);
}

/* Takes SPAN and what is above it (whose ends were missed) off the goroutine that began it. */
static __always_inline void leave(const struct goroutine *on, __u64 id)
{
	struct goroutine_key key = key_of(on);
	struct goroutine_spans *spans = bpf_map_lookup_elem(&goroutines, &key);

	if (!spans)
		return;
	for (int i = 0; i < MAX_NESTING; i++) {
		__u32 top = spans->cnt - 1;

		if (top >= MAX_NESTING)
			break;
		spans->cnt = top;
		if (spans->open[top].id == id)
			break;
		finish_unwound(spans->open[top].id);
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

__hidden int span_end(const struct goroutine *on, struct in_flight *span)
{
	__u64 id = id_of(span);

	leave(on, id);
	return close_span(span, id);
}

__hidden int span_drop(const struct goroutine *on, struct in_flight *span)
{
	span->owner.silent = 1;
	return span_end(on, span);
}

static __always_inline __u8 *put_header(struct in_flight *span, enum attribute_key key, __u32 len)
{
	__u32 at = span->used;
	__u32 size = sizeof(struct attribute_header) + len;
	struct attribute_header header = {.key = key, .len = len};

	size = (size + ATTRIBUTE_ALIGN - 1) & ~(ATTRIBUTE_ALIGN - 1);
	if (at + size > GOSPAN_BODY_MAX) {
		span->record.truncated++;
		return NULL;
	}
	if (at > GOSPAN_BODY_MAX)
		return NULL;
	span->used = at + size;
	__builtin_memcpy(&span->body[at], &header, sizeof(header));
	return &span->body[at] + sizeof(header);
}

__hidden int span_put_text(struct in_flight *span, enum attribute_key key, __u64 ptr, __u64 len,
			   __u32 max)
{
	__u32 size = max;
	__u16 used = span->used;
	__u8 *to;

	if (size > TEXT_MAX)
		size = TEXT_MAX;
	if (len <= size)
		size = len;
	else
		span->record.truncated++;
	to = put_header(span, key, size);
	if (!to)
		return 0;
	if (bpf_probe_read_user(to, size, (void *)ptr)) {
		span->used = used;
		fail(span->record.pid, FAIL_UNREADABLE);
	}
	return 0;
}

__hidden int span_put_number(struct in_flight *span, enum attribute_key key, __u64 number)
{
	__u8 *to = put_header(span, key, sizeof(number));

	if (to)
		__builtin_memcpy(to, &number, sizeof(number));
	return 0;
}

__hidden int span_put_panic(struct in_flight *span, const struct panic_value *value)
{
	__u8 *to = put_header(span, ATTR_PANIC, sizeof(*value));

	if (!to)
		return 1;
	__builtin_memcpy(to, value, sizeof(*value));
	return 0;
}
