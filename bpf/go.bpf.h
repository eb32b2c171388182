/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Go as a BPF program sees it: registers of the internal ABI, strings, slices, interfaces, the
 * goroutine; and the declarations by which a library's file says what it needs. The agent reads
 * the declarations from the object's BTF (decl tags) and section names; nothing is listed twice.
 *
 *   SEC("go_entry/FUNC")           at the entry of FUNC
 *   SEC("go_call/CALLER>CALLEE")   at the direct call(s) of CALLEE in CALLER
 *   SEC("go_after/CALLER>CALLEE")  after they return
 *   SEC("go_join/CALLER>CALLEE")   the same, where other paths may join: look at the registers
 *   SEC("go_return/FUNC")          at every RET of FUNC, or with GO_EXCEPT at some of them
 *
 * Go ABI: src/cmd/compile/abi-internal.md (Go 1.17 to 1.27).
 */
#ifndef GOSPAN_BPF_GO_H
#define GOSPAN_BPF_GO_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include "span.h"

#define GO_TAG(text) __attribute__((btf_decl_tag(text)))

/*
 * GO_FIELD(variable, kind, "package.Type.field"): the field's offset, or GO_ABSENT when the binary
 * has no such field or it is of another KIND (bool int uint pointer string struct slice map
 * interface func array; int is any integer).
 */
#define GO_ABSENT 0xffff
#define GO_FIELD(variable, kind, path) \
	const volatile __u16 variable GO_TAG("go:field " #kind " " path) = GO_ABSENT

/* The same for a type that lives only on stacks (an argument by value): DWARF may be asked. */
#define GO_STACK_FIELD(variable, kind, path) \
	const volatile __u16 variable GO_TAG("go:stack " #kind " " path) = GO_ABSENT

/* A field without which LIBRARY's spans would be wrong ("all": no library works): absent turns it off. */
#define GO_FIELD_NEEDED(library, variable, kind, path) \
	const volatile __u16 variable GO_TAG("go:need " #library " " #kind " " path) = GO_ABSENT

/* Link-time address of a type's descriptor ("*net/http.response"), 0 when it is not there. */
#define GO_TYPE(variable, name) const volatile __u64 variable GO_TAG("go:type " name) = 0

/* Link-time address of the itab by which an interface holds a type, 0 when the linker made none. */
#define GO_ITAB(variable, interface, type) \
	const volatile __u64 variable GO_TAG("go:itab " interface " " type) = 0

/* An INTERFACE (with methods) that holds a TYPE, for go_holds(): NAME_type and NAME_itab. */
#define GO_HELD(name, interface, type) \
	GO_TYPE(name##_type, type); \
	GO_ITAB(name##_itab, interface, type)

/* Link-time address of a function, 0 when it is not linked. */
#define GO_FUNCTION(variable, name) const volatile __u64 variable GO_TAG("go:function " name) = 0

/* Bytes of a value of a type, for slices of it; 0 when the type is not there. */
#define GO_SIZE(variable, name) const volatile __u16 variable GO_TAG("go:size " name) = 0

/* Link-time address behind the executable's last byte: a pointer above it is to the heap or a stack. */
#define GO_END(variable) const volatile __u64 variable GO_TAG("go:end") = 0

/*
 * Link-time address behind what of the executable nobody can write to, constants among it: they need not
 * be in memory before the program reads them, but the agent has the file.
 */
#define GO_CONSTANTS_END(variable) const volatile __u64 variable GO_TAG("go:constants-end") = 0

/* Link-time addresses between which the Go code lies: START <= code < END. */
#define GO_TEXT(start, end) \
	const volatile __u64 start GO_TAG("go:text-start") = 0; \
	const volatile __u64 end GO_TAG("go:text-end") = 0

/*
 * A library: VARIABLE holds the index that span_begin() wants; NAME is the Go package (scope
 * "gospan/NAME"), KIND a span kind, DOMAIN the semantic conventions its attributes follow.
 */
#define GO_SPAN(variable, name, kind, domain) \
	const volatile __u16 variable GO_TAG("go:span " #kind " " #domain " " name) = 0

/*
 * Before the GO_SPAN of LIBRARY: instrumentation of it for OpenTelemetry's SDK, a function or a whole
 * package. Where that is linked, the library is left to the SDK once it makes spans (--with-sdk).
 */
#define GO_INSTRUMENTED(library, what) \
	extern const volatile __u16 library GO_TAG("go:instrumented " what)

/* On a program: only where a library may be left to an SDK. On a __u64 variable: which, as bits. */
#define GO_SDK GO_TAG("go:sdk")

/* Size of CALLER's frame where CALLEE ("CALLER>CALLEE") returns: SP at CALLER's entry - SP there. */
#define GO_FRAME(variable, calls) const volatile __u16 variable GO_TAG("go:frame " calls) = GO_ABSENT

/* On a program: the library (variable of GO_SPAN) it belongs to. */
#define GO_OF(variable) GO_TAG("go:of " #variable)
/* On a program: another function (or CALLER>CALLEE) it attaches to as well. */
#define GO_ALSO(function) GO_TAG("go:also " function)
/* On a program: attached only when CALLER calls CALLEE directly / does not ("CALLER>CALLEE"). */
#define GO_WHEN(calls) GO_TAG("go:when " calls)
#define GO_UNLESS(calls) GO_TAG("go:unless " calls)
/*
 * On a go_return program: not at those RETs of CALLER that are reached after its direct calls of
 * CALLEE ("CALLER>CALLEE") returned successfully, for a go_after site ends the span there at a
 * fraction of the price. With GO_RESULTS, success is a zero in one of those result registers (an
 * error's itab): of a comparison with zero only that side is followed. Without, it is any return.
 * A RET that failure leads to as well is probed then. What joins at such a comparison, with a zero
 * of another origin, or without GO_RESULTS shares a RET with those paths, is lost: see its end
 * elsewhere. On the other hand RETs may be probed for which there was no need (no direct call, a
 * jump table, a comparison that is not recognised, arm64), so the program must bear spans that have
 * ended. Several for one CALLER are the names that CALLEE has in different builds: one that is
 * called directly counts.
 */
#define GO_EXCEPT(calls) GO_TAG("go:except " calls)
/*
 * On a go_after program: the result registers (bits of 1 << N) it reads. On a go_return program
 * with GO_EXCEPT: those of CALLEE of which one is zero when it succeeded.
 */
#define GO_RESULTS(mask) GO_TAG("go:results " #mask)
/*
 * On a program: attached only when a library is on whose spans are below others (any kind but
 * SERVER). On a __u8 variable: whether one is.
 */
#define GO_CHILDREN GO_TAG("go:children")
/* On a program: it writes into the target, so attached only where the kernel allows that. */
#define GO_WRITES GO_TAG("go:writes")
/* On a __u8 variable: whether PROGRAM ("": any with GO_WRITES) is attached. */
#define GO_ATTACHED(variable, program) \
	const volatile __u8 variable GO_TAG("go:attached " program) = 0
/* On a program: without it the library's spans would be wrong, so the library is off. */
#define GO_NEEDED GO_TAG("go:needed")

struct go_string {
	__u64 ptr;
	__u64 len;
};

struct go_slice {
	__u64 ptr;
	__u64 len;
	__u64 cap;
};

struct go_interface {
	__u64 tab; /* *itab, or *type for an empty interface */
	__u64 data;
};

/* The Nth integer argument (or, at a return, result) register. */
static __always_inline __u64 go_arg(const struct pt_regs *ctx, int n)
{
#if defined(__TARGET_ARCH_x86)
	switch (n) {
	case 0: return ctx->ax;
	case 1: return ctx->bx;
	case 2: return ctx->cx;
	case 3: return ctx->di;
	case 4: return ctx->si;
	case 5: return ctx->r8;
	case 6: return ctx->r9;
	case 7: return ctx->r10;
	default: return ctx->r11;
	}
#else
	return ctx->regs[n];
#endif
}

/* At a call: word N of those arguments that are on the stack for want of registers. */
static __always_inline __u64 go_stack_arg(const struct pt_regs *ctx, int n)
{
	__u64 word = 0;
#if defined(__TARGET_ARCH_x86)
	__u64 first = ctx->sp;
#else
	__u64 first = ctx->sp + 8; /* behind the callee's return address */
#endif

	bpf_probe_read_user(&word, sizeof(word), (void *)first + 8 * n);
	return word;
}

/* The current g. Right wherever Go code of the internal ABI runs on a goroutine's own stack. */
static __always_inline __u64 go_g(const struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return ctx->r14;
#else
	return ctx->regs[28];
#endif
}

/* The frame pointer: the caller's where the function has not made its own frame yet. */
static __always_inline __u64 go_fp(const struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return ctx->bp;
#else
	return ctx->regs[29];
#endif
}

static __always_inline __u64 go_ip(const struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	return ctx->ip;
#else
	return ctx->pc;
#endif
}

/* Link-time address of the probed site. */
static __always_inline __u64 go_site(struct pt_regs *ctx)
{
	return bpf_get_attach_cookie(ctx) & ((1ULL << COOKIE_PROGRAM_SHIFT) - 1);
}

/* Where the executable was loaded relative to its link-time addresses. Not at an emulated RET. */
static __always_inline __u64 go_bias(struct pt_regs *ctx)
{
	return go_ip(ctx) - go_site(ctx);
}

/* dispatch.bpf.c */
extern const volatile __u8 may_write_registers;

/* At a RET: SP as it was at the function's entry, also where dispatch has popped the address. */
static __always_inline __u64 go_return_sp(struct pt_regs *ctx)
{
#if defined(__TARGET_ARCH_x86)
	__u32 flags = bpf_get_attach_cookie(ctx) >> COOKIE_FLAGS_SHIFT;

	if (may_write_registers && flags & COOKIE_IS_RET)
		return ctx->sp - 8;
#endif
	return ctx->sp;
}

/*
 * Up to SIZE bytes at ADDR, of something that may be smaller: what lies behind it may be a page that is
 * not there. A page has 4,096 bytes or a multiple of them. False when nothing can be read.
 */
static __always_inline bool go_read_some(void *out, __u64 size, __u64 addr)
{
	__u64 rest = 4096 - (addr & 4095);

	if (!addr)
		return false;
	if (!bpf_probe_read_user(out, size, (void *)addr))
		return true;
	barrier_var(rest); /* one register: 6.1's verifier loses the bound of a copy */
	return rest < size && !bpf_probe_read_user(out, rest, (void *)addr);
}

/* One word of the target, 0 when it cannot be read. */
static __always_inline __u64 go_word(__u64 addr)
{
	__u64 word = 0;

	if (addr)
		bpf_probe_read_user(&word, sizeof(word), (void *)addr);
	return word;
}

static __always_inline __u8 go_byte(__u64 addr)
{
	__u8 byte = 0;

	if (addr)
		bpf_probe_read_user(&byte, sizeof(byte), (void *)addr);
	return byte;
}

static __always_inline struct go_string go_string_at(__u64 addr)
{
	struct go_string s = {};

	if (addr)
		bpf_probe_read_user(&s, sizeof(s), (void *)addr);
	return s;
}

/* Eight characters as the word they are in memory (little endian). */
#define CHARS(a, b, c, d, e, f, g, h) \
	((__u64)(a) | (__u64)(b) << 8 | (__u64)(c) << 16 | (__u64)(d) << 24 | (__u64)(e) << 32 | \
	 (__u64)(f) << 40 | (__u64)(g) << 48 | (__u64)(h) << 56)

/*
 * Does the non-empty interface with this itab hold the type linked at TYPE? The itab that the linker made
 * is known by its address, KNOWN; others are made at run time, and say by their type what they are.
 * itab: src/internal/abi/iface.go, {Inter, Type, Hash, Fun}, unchanged 1.17 to 1.27.
 */
static __always_inline bool go_itab_is(__u64 itab, __u64 known, __u64 type, __u64 bias)
{
	if (!type || !itab)
		return false;
	return (known && itab == known + bias) || go_word(itab + 8) == type + bias;
}

/* The same by the NAME of a GO_HELD. */
#define go_holds(itab, name, bias) go_itab_is(itab, name##_itab, name##_type, bias)

extern const volatile __u8 never; /* 0; dispatch.bpf.c */

/*
 * Each library's program needs this in its own body. From 6.13 on (commit a76ab5731e32) programs of this
 * type get one stack for each CPU, safe only where a program is not run again before it ends, and a
 * uprobe's is: it can be preempted. One that has a tail call in it keeps to the task's stack. The call
 * itself is found dead by the verifier and taken out.
 */
static __always_inline void stay_on_own_stack(struct pt_regs *ctx)
{
	if (never)
		bpf_tail_call(ctx, NULL, 0);
}

#endif
