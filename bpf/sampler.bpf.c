// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* sampler: gives a span its trace, new or its parent's, and decides whether it is recorded. */
#include "span.bpf.h"

/* Set by the agent; the defaults have the verifier see every path. */
const volatile __u8 sampler_parent_based = 1;
const volatile __u64 sampler_threshold = 1ULL << 63; /* of 2^63: 0 never, 2^63 always */

/* As OpenTelemetry's TraceIdRatioBased: the id's last 8 bytes, big endian, upper 63 bits. */
static __always_inline bool sampled_by_ratio(const __u8 *trace_id)
{
	__u64 low;

	__builtin_memcpy(&low, trace_id + 8, sizeof(low));
	return (__builtin_bswap64(low) >> 1) < sampler_threshold;
}

__weak int span_parent(struct in_flight *span, const struct trace_context *parent)
{
	struct span_record *record;
	bool sampled;

	if (!span || !parent)
		return 0;
	record = &span->record;
	if (parent->from) {
		__builtin_memcpy(record->trace_id, parent->trace_id, sizeof(record->trace_id));
		__builtin_memcpy(record->parent_id, parent->span_id, sizeof(record->parent_id));
		if (parent->from == PARENT_REMOTE)
			record->flags |= SPAN_REMOTE_PARENT;
		else if (parent->from == PARENT_SILENT)
			span->owner.silent = 1;
		record->trace_flags = parent->flags & 0x3; /* sampled, random (W3C level 2) */
		sampled = sampler_parent_based ? parent->flags & 1
					       : sampled_by_ratio(record->trace_id);
	} else {
		__u64 id[2] = {random64(), random64() | 1 << 8};

		__builtin_memcpy(record->trace_id, id, sizeof(id));
		sampled = sampled_by_ratio(record->trace_id);
	}
	record->trace_flags = (record->trace_flags & ~1) | sampled;
	if (sampled)
		record->flags |= SPAN_SAMPLED;
	return 0;
}
