// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * dispatch: the one program that is attached. All sites of a process hang on one uprobe_multi link
 * (closing links is slow, one after the other), which allows one program; so this one jumps to the
 * library's program by the attach cookie. The same with perf_event links, on older kernels.
 */
#include "go.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MAX_PROGRAMS);
	__type(key, __u32);
	__type(value, __u32);
} programs SEC(".maps");

const volatile __u8 never = 0;

/* The kernel lets a uprobe program change registers (7.0, commit 7384893d970e). */
const volatile __u8 may_write_registers = 0;

#if defined(__TARGET_ARCH_x86)

enum { FLAG_CARRY = 1 << 0, FLAG_ZERO = 1 << 6 };

/* A jbe that is about to jump to morestack: the function will be entered again. */
static __always_inline bool is_morestack(const struct pt_regs *ctx, __u32 flags)
{
	return flags & COOKIE_DROP_CF_ZF && ctx->flags & (FLAG_CARRY | FLAG_ZERO);
}

/*
 * Does the RET itself, so that the kernel need not single-step it. Two agents on the same site must
 * not pop twice: the second sees an ip that is not the site's (pages are 4 KiB at least).
 */
static __always_inline void emulate_ret(struct pt_regs *ctx, __u64 cookie)
{
	__u64 to;

	if ((ctx->ip & 0xfff) != (cookie & 0xfff))
		return;
	if (bpf_probe_read_user(&to, sizeof(to), (void *)ctx->sp))
		return;
	ctx->sp += sizeof(to);
	ctx->ip = to;
}

#else

enum { PSTATE_CARRY = 1 << 29, PSTATE_ZERO = 1 << 30 };

static __always_inline bool is_morestack(const struct pt_regs *ctx, __u32 flags)
{
	return flags & COOKIE_DROP_LS &&
	       (!(ctx->pstate & PSTATE_CARRY) || ctx->pstate & PSTATE_ZERO);
}

/* arm64 kernels simulate RET. */
static __always_inline void emulate_ret(struct pt_regs *ctx, __u64 cookie)
{
}

#endif

SEC("uprobe")
int dispatch(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 flags = cookie >> COOKIE_FLAGS_SHIFT;

	if (is_morestack(ctx, flags))
		return 0;
	if (may_write_registers && flags & COOKIE_IS_RET)
		emulate_ret(ctx, cookie);
	bpf_tail_call(ctx, &programs, (cookie >> COOKIE_PROGRAM_SHIFT) & 0xff);
	return 0;
}
