// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* span_send: how a span's record gets to the agent; see span.bpf.h. */
#include "span.bpf.h"

/* The size is set by the agent before load: GOSPAN_RING_BYTES. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 8 << 20);
} events SEC(".maps");

enum {
	WAKEUPS = 16, /* in each ring_wakeup_bytes */
	RING_HEADER = 8, /* BPF_RINGBUF_HDR_SZ, include/uapi/linux/bpf.h */
};

/* Set by the agent; the default has the verifier see every path. */
const volatile __u64 ring_wakeup_bytes = 1 << 20;

/*
 * Do SIZE bytes more wake the agent? By fill level (it looks by timer otherwise, design D6), then once
 * in a while: a wake-up costs more than the record, and who is behind is awake.
 */
static __always_inline __u64 wakeup(__u32 size)
{
	__u64 step = ring_wakeup_bytes / WAKEUPS, at; /* a power of two, as the ring's size is */

	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) < ring_wakeup_bytes)
		return BPF_RB_NO_WAKEUP;
	at = step ? bpf_ringbuf_query(&events, BPF_RB_PROD_POS) & (step - 1) : 0;
	return at + RING_HEADER + size >= step ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

__hidden int span_send(struct in_flight *span)
{
	__u32 size = span->used;

	if (size > GOSPAN_BODY_MAX)
		size = GOSPAN_BODY_MAX;
	span->record.size = size;
	if (!span->record.end_ns)
		span->record.end_ns = bpf_ktime_get_boot_ns();
	size += sizeof(span->record);
	return bpf_ringbuf_output(&events, &span->record, size, wakeup(size));
}
