/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * otel_sdk: life beside an OpenTelemetry SDK inside the program. Its spans are found in contexts, as
 * parents of ours; and libraries that the SDK's own instrumentation covers are left to it as soon as
 * it makes spans.
 */
#ifndef GOSPAN_BPF_OTEL_SDK_H
#define GOSPAN_BPF_OTEL_SDK_H

#include "span.bpf.h"

/* Link-time address of the type under whose key contexts hold spans; 0: no such API is linked. */
extern const volatile __u64 otel_key_type;

/* Spans that an SDK in the same program makes as well are left to it. */
extern const volatile __u8 sdk_fills;

/*
 * Bits of libraries, by index, that are the SDK's once it makes spans. What a new instance has: none,
 * as most programs have no SDK.
 */
extern const volatile __u64 sdk_libraries;

/* Is LIBRARY the SDK's in the process with this PID, as the agent sees it? */
bool sdk_has(__u32 pid, __u16 library);

static __always_inline bool is_left_to_sdk(__u32 pid, __u16 library)
{
	return sdk_libraries && sdk_has(pid, library);
}

/*
 * The span of the SDK, or the remote one, that the object at CONTEXT holds, if it is a valueCtx with
 * one. Sets OUT->from to PARENT_REMOTE for what came from elsewhere.
 */
int sdk_span_in(__u64 context, __u64 bias, struct trace_context *out);

#endif
