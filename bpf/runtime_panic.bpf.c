// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * runtime.gopanic: puts the panic's value on the goroutine's innermost span, also when a middleware
 * recovers it. What the value means, the agent finds out from its Go type. runtime.Goexit: ends what
 * the goroutine is in.
 */
#include "span.bpf.h"

/* A string at the value's start: of a string, an error built on one (errors.errorString, ...). */
static __always_inline void put_text(struct in_flight *span, const struct panic_value *value)
{
	struct go_string s;
	__u8 probe;

	__builtin_memcpy(&s, value->value, sizeof(s));
	if (!s.len || s.len > 1 << 20 || bpf_probe_read_user(&probe, 1, (void *)s.ptr))
		return;
	span_put_text(span, ATTR_PANIC_TEXT, s.ptr, s.len);
}

/* func gopanic(e any) */
SEC("go_entry/runtime.gopanic")
int panic_entry(struct pt_regs *ctx)
{
	struct panic_value value = {.type = go_arg(ctx, 0)};
	__u64 data = go_arg(ctx, 1);
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_current(&on);
	if (!span || span_is_brief(span))
		return 0;
	value.time_ns = bpf_ktime_get_boot_ns();
	span_panicked(&on, value.time_ns);
	/* Types that are one pointer have it in the interface itself: data is the pointee then. */
	if (data)
		bpf_probe_read_user(value.value, sizeof(value.value), (void *)data) &&
			bpf_probe_read_user(value.value, 16, (void *)data) &&
			bpf_probe_read_user(value.value, 8, (void *)data);
	if (!span_put_value(span, ATTR_PANIC, &value))
		put_text(span, &value);
	return 0;
}

/* func Goexit(), src/runtime/panic.go */
SEC("go_entry/runtime.Goexit")
GO_CHILDREN
int goexit_entry(struct pt_regs *ctx)
{
	struct goroutine on;

	return goroutine_of(ctx, &on) ? 0 : span_goexit(&on);
}
