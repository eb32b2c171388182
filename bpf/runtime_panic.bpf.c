// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * runtime.gopanic: puts the panic's value and stack on the goroutine's innermost span, also when a
 * middleware recovers it. What they mean, the agent finds out from the executable. A panic that nobody
 * recovers and runtime.Goexit end what the goroutine is in.
 *
 * Some packages of the standard library panic to get out of a recursion, recover that themselves and
 * return an error. What is told by its type alone is left out here, where a loop of them would take the
 * record's room; the agent leaves out the others.
 */
#include "span.bpf.h"

/* What is left of a record for what ends the span, when a long stack is put into it. */
enum { STACK_RESERVE = 256 };

/* src/runtime/runtime2.go; parentGoid since Go 1.21 */
extern const volatile __u16 runtime_g_stack_hi;
GO_FIELD(runtime_g_gopc, int, "runtime.g.gopc");
GO_FIELD(runtime_g_parent_goid, int, "runtime.g.parentGoid");
GO_TEXT(text_start, text_end);

/* src/fmt/scan.go, encoding/json/encode.go, encoding/gob/error.go, text/template/exec.go; 1.19 to 1.27 */
GO_TYPE(panic_scan, "fmt.scanError");
GO_TYPE(panic_json, "encoding/json.jsonError");
GO_TYPE(panic_gob, "encoding/gob.gobError");
GO_TYPE(panic_template, "text/template.writeError");

/*
 * Where a walk up the stack is. The frame pointer points at a pair, the caller's one and the return
 * address: src/cmd/internal/obj/x86/obj6.go and arm64/obj7.go (Go 1.19 to 1.27). A new goroutine
 * begins with a frame pointer of zero. Where the pair was overwritten, the walk ends and the agent says
 * that there are more: a fault in runtime.duffcopy (Go 1.25 and older, amd64), whose caller keeps its
 * frame pointer where runtime.sigpanic's return address is put. A fault in a function without a frame
 * on arm64 hides its caller.
 */
struct stack_walk {
	__u64 g;
	__u64 below; /* where the frame pointer cannot be: it leads up */
	__u64 fp;
	__u64 pc;    /* a return address */
	__u64 above; /* the word above it on the stack; arm64: 0 */
};

static __always_inline struct stack_walk walk_from(const struct pt_regs *ctx, __u64 g)
{
	struct stack_walk walk = {.g = g, .below = ctx->sp, .fp = go_fp(ctx)};
#if defined(__TARGET_ARCH_x86)
	__u64 words[2] = {};

	bpf_probe_read_user(words, sizeof(words), (void *)ctx->sp);
	walk.pc = words[0];
	walk.above = words[1];
#else
	walk.below -= 16; /* it points to the word below the stack pointer */
	walk.pc = ctx->regs[30];
#endif
	return walk;
}

/* The count is read from memory each time, so that the verifier does not follow its every value. */
static __always_inline void add_pc(struct panic_stack *stack, __u64 addr, __u32 mark)
{
	__u64 cnt = *(volatile __u32 *)&stack->cnt;

	barrier_var(cnt);
	if (cnt >= PANIC_PCS_MAX)
		return;
	stack->pcs[cnt] = addr < PANIC_PC_MAYBE ? addr | mark : PANIC_PC_ELSEWHERE;
	stack->cnt = cnt + 1;
}

static __always_inline void add_pcs(struct panic_stack *stack, const struct stack_walk *walk,
				    __u64 bias)
{
	__u64 above = walk->above - bias;

	add_pc(stack, walk->pc - bias, 0);
	if (above >= text_start && above < text_end)
		add_pc(stack, above, PANIC_PC_MAYBE);
}

/* One frame up; false at the outermost. */
static __always_inline bool walk_up(struct stack_walk *walk, __u64 hi)
{
	__u64 frame[3];

	/* there is more than a word above the outermost function's frame: newproc1() sees to it */
	if (walk->fp <= walk->below || walk->fp & 7 || walk->fp > hi - sizeof(frame) ||
	    bpf_probe_read_user(frame, sizeof(frame), (void *)walk->fp))
		return false;
	walk->below = walk->fp;
	walk->fp = frame[0];
	walk->pc = frame[1];
#if defined(__TARGET_ARCH_x86)
	walk->above = frame[2];
#endif
	return true;
}

/* Built in place: behind the body there is room for it, which is not sent. */
__weak int put_stack(struct in_flight *span, const struct stack_walk *from)
{
	struct attribute_header *header;
	struct stack_walk walk;
	struct panic_stack *stack;
	__u64 at, hi, size;

	if (!span || !from)
		return 0;
	walk = *from;
	at = span->used;
	barrier_var(at); /* one register: 6.1's verifier loses the bound of a copy */
	if (at > GOSPAN_BODY_MAX - STACK_RESERVE - sizeof(*header) - offsetof(struct panic_stack, pcs[1])) {
		span->record.truncated++;
		return 0;
	}
	header = (void *)&span->body[at];
	stack = (void *)(header + 1);
	stack->goid = span->owner.goid;
	stack->parent = runtime_g_parent_goid == GO_ABSENT ? 0 :
			go_word(walk.g + runtime_g_parent_goid);
	stack->created_by = 0;
	stack->cnt = 0;
	if (runtime_g_gopc != GO_ABSENT) {
		__u64 gopc = go_word(walk.g + runtime_g_gopc) - span->record.bias;

		stack->created_by = gopc < PANIC_PC_MAYBE ? gopc : PANIC_PC_ELSEWHERE;
	}
	hi = go_word(walk.g + runtime_g_stack_hi);
	for (int i = 0; i < PANIC_PCS_MAX; i++) {
		add_pcs(stack, &walk, span->record.bias);
		if (!walk_up(&walk, hi))
			break;
	}
	size = sizeof(*header) + offsetof(struct panic_stack, pcs) + stack->cnt * sizeof(stack->pcs[0]);
	if (size > GOSPAN_BODY_MAX - STACK_RESERVE - at)
		size = GOSPAN_BODY_MAX - STACK_RESERVE - at;
	header->key = ATTR_PANIC_STACK;
	header->len = size - sizeof(*header);
	span->used = at + size;
	return 0;
}

/* No other package can make a value of TYPE, and its own lets none out. */
static __always_inline bool is_way_out(__u64 type)
{
	return type && (type == panic_scan || type == panic_json || type == panic_gob ||
			type == panic_template);
}

/* func gopanic(e any) */
SEC("go_entry/runtime.gopanic")
int panic_entry(struct pt_regs *ctx)
{
	__u64 type = go_arg(ctx, 0), data = go_arg(ctx, 1);
	struct go_string text;
	struct in_flight *span;
	struct stack_walk walk;
	struct goroutine on;

	if (is_way_out(type - go_bias(ctx)) || goroutine_of(ctx, &on))
		return 0;
	span = span_around(ctx, &on);
	if (span && !span_is_brief(span) && !span_put_value(span, ATTR_PANIC, type, 0, data)) {
		/* of a string, or of an error built on one (errors.errorString, ...) */
		text = go_string_at(data);
		span_put_perhaps(span, ATTR_PANIC_TEXT, &text);
		walk = walk_from(ctx, on.g);
		put_stack(span, &walk);
	}
	/* not before the event, which is to lie within what it ends */
	return span_panicked(&on, bpf_ktime_get_boot_ns());
}

/* func fatalpanic(msgs *_panic), src/runtime/panic.go: it prints, and the process is no more */
SEC("go_call/runtime.gopanic>runtime.fatalpanic")
int panic_is_fatal(struct pt_regs *ctx)
{
	struct goroutine on;

	return goroutine_of(ctx, &on) ? 0 : span_unwind_all(&on, UNWIND_PANIC);
}

/*
 * func recovery(gp *g), on the system stack, which ends by func gogo(buf *gobuf): the goroutine goes on
 * in the function whose deferred one has recovered. type gobuf struct { sp, pc uintptr; ... },
 * src/runtime/{panic,runtime2}.go, Go 1.19 to 1.27
 */
SEC("go_call/runtime.recovery>runtime.gogo")
int panic_recovered(struct pt_regs *ctx)
{
	__u64 buf = go_arg(ctx, 0);
	struct goroutine on = {};
	__u64 g;

	stay_on_own_stack(ctx);
	g = goroutine_served(go_g(ctx));
	return g && !goroutine_at(g, &on) ? span_recovered(&on, go_word(buf)) : 0;
}

/* func Goexit(), src/runtime/panic.go */
SEC("go_entry/runtime.Goexit")
GO_CHILDREN
int goexit_entry(struct pt_regs *ctx)
{
	struct goroutine on;

	return goroutine_of(ctx, &on) ? 0 : span_unwind_all(&on, UNWIND_GOEXIT);
}
