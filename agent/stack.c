// SPDX-License-Identifier: Apache-2.0
/*
 * stack: see stack.h. The rules are those of Go's src/runtime/traceback.go (1.19 to 1.27):
 * showfuncinfo, elideWrapperCalling, isExportedRuntime, funcNamePiecesForPrint, printcreatedby.
 */
#include <stdio.h>

#include "loop.h"
#include "stack.h"

enum {
	FRAMES_SHOWN_MAX = 100, /* tracebackInnerFrames and tracebackOuterFrames, once _TracebackMaxFrames */
	INLINED_MAX = 64,	/* functions in one body; the outer ones are left out then */
	ENDING_MAX = 2048,	/* room for what follows the frames */
	MAIN_GOROUTINE = 1,
	LONGEST_MS = 50, /* that all may take: a forged executable can make each frame expensive */
};

struct printer {
	const struct resolve *r;
	char *to;
	size_t len, room;
	bool full;
	bool all;	    /* the runtime's own functions as well */
	bool cut;	    /* there are more than were printed */
	size_t shown;
	uint64_t until_ns;
	const char *callee; /* function that the next one calls */
};

/* A place in the code, and whether the instruction there was interrupted, or called what is above. */
struct place {
	uint64_t pc;
	bool interrupted;
};

static uint64_t instruction_of(const struct place *place)
{
	return place->interrupted ? place->pc : place->pc - 1; /* any byte of the call will do */
}

/* -- what is shown -- */

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

/* NAME is what follows "runtime.": an exported function, or such a method of an exported type. */
static bool is_exported(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot)
		return is_upper(*name);
	return is_upper(dot[1]) && is_upper(strncmp(name, "(*", 2) ? *name : name[2]);
}

/* The panic's own functions: a wrapper that they were called by did not call what it wraps. */
static bool is_panic(const char *function)
{
	static const char *const names[] = {"runtime.gopanic", "runtime.sigpanic",
					    "runtime.panicwrap"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(function, names[i]))
			return true;
	return false;
}

static bool is_shown(const struct frame_fact *f, const char *callee, bool is_first)
{
	/* from Go 1.25: what is run for finalizers and cleanups would have no other caller */
	static const char *const always[] = {"runtime.runFinalizers", "runtime.runCleanups"};

	if (f->wrapper && !is_panic(callee))
		return false;
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (!strcmp(f->function, always[i]))
			return true;
	if (!strcmp(f->function, "runtime.gopanic") && !is_first)
		return true;
	if (!strncmp(f->function, "runtime.", 8))
		return is_exported(f->function + 8);
	return strchr(f->function, '.');
}

/* -- printing -- */

static void put(struct printer *p, const char *text, size_t len)
{
	size_t put = build__clean_into(p->to + p->len, p->room - p->len,
				       (struct otlp_text){text, len});

	p->len += put;
	p->full |= put < len;
}

static void put_text(struct printer *p, const char *text)
{
	put(p, text, strlen(text));
}

/* The bracket that closes the one at NAME, or the name's end. */
static const char *closing_bracket(const char *name)
{
	int depth = 0;

	for (; *name; name++) {
		depth += (*name == '[') - (*name == ']');
		if (!depth)
			break;
	}
	return name;
}

/* Type arguments are replaced by dots, as they are in the function table until Go 1.20. */
static void put_name(struct printer *p, const char *name)
{
	if (!strcmp(name, "runtime.gopanic"))
		name = "panic";
	while (*name) {
		size_t len = strcspn(name, "[");

		put(p, name, len);
		name += len;
		if (!*name)
			break;
		put_text(p, "[...]");
		name = closing_bracket(name);
		name += *name == ']';
	}
}

static void put_place(struct printer *p, const char *file, int line, uint64_t off)
{
	char text[48];

	put_text(p, "\t");
	put_text(p, file);
	snprintf(text, sizeof(text), off ? ":%d +%#llx\n" : ":%d\n", line, (unsigned long long)off);
	put_text(p, text);
}

/* False when there is no room for it. */
static bool put_frame(struct printer *p, const struct frame_fact *f, uint64_t pc)
{
	size_t before = p->len;

	if (p->shown == FRAMES_SHOWN_MAX) {
		p->cut = true;
		return false;
	}
	put_name(p, f->function);
	put_text(p, "(...)\n");
	put_place(p, f->file, f->line, f->inlined ? 0 : pc - f->entry);
	if (p->full) {
		p->len = before;
		p->cut = true;
		return false;
	}
	p->shown++;
	return true;
}

static bool put_place_frames(struct printer *p, const struct place *place)
{
	struct frame_fact frames[INLINED_MAX];
	size_t cnt = resolve__frames(p->r, instruction_of(place), frames, INLINED_MAX);

	if (!cnt) { /* of a plugin, or C */
		frames[0] = (struct frame_fact){.function = "?", .file = "?"};
		p->callee = "?";
		return put_frame(p, &frames[0], place->pc);
	}
	for (size_t i = 0; i < cnt; i++) {
		bool shown = p->all || is_shown(&frames[i], p->callee, !p->shown);

		p->callee = frames[i].function;
		if (shown && !put_frame(p, &frames[i], place->pc))
			return false;
	}
	return true;
}

/* -- the walk -- */

/*
 * Is the marked PCS[I] the return address of the function at BEFORE? It is when that one has no frame.
 * The address that comes next must be another one: duffcopy and its like are called with a frame
 * pointer of their own.
 */
static bool is_caller(const struct resolve *r, const uint32_t *pcs, size_t cnt, size_t i,
		      const struct place *before)
{
	uint32_t size;

	return before->pc && !resolve__frame_size(r, instruction_of(before), &size) && !size &&
	       (i + 1 == cnt || pcs[i + 1] != (pcs[i] & ~PANIC_PC_MAYBE));
}

/* Above it on the stack is what an earlier goroutine left there. */
static bool is_outermost(const char *function)
{
	return !strcmp(function, "runtime.goexit");
}

static void put_frames(struct printer *p, const uint32_t *pcs, size_t cnt)
{
	struct place place = {0};

	p->callee = "runtime.gopanic";
	for (size_t i = 0; i < cnt && !is_outermost(p->callee); i++) {
		if (pcs[i] & PANIC_PC_MAYBE && !is_caller(p->r, pcs, cnt, i, &place))
			continue;
		place = (struct place){.pc = pcs[i] & ~PANIC_PC_MAYBE,
				       .interrupted = !strcmp(p->callee, "runtime.sigpanic")};
		if (loop__now_ns() > p->until_ns) {
			p->cut = true;
			return;
		}
		if (!put_place_frames(p, &place))
			return;
	}
	p->cut = !is_outermost(p->callee);
}

/* The function that has the go statement, at its line, even where one that was inlined has it. */
static void put_creator(struct printer *p, const struct panic_stack *stack)
{
	struct place place = {.pc = stack->created_by};
	struct frame_fact frames[INLINED_MAX];
	size_t cnt = 0, before = p->len;
	char text[48];

	if (place.pc)
		cnt = resolve__frames(p->r, instruction_of(&place), frames, INLINED_MAX);
	if (!cnt || stack->goid == MAIN_GOROUTINE || !is_shown(&frames[cnt - 1], "", false))
		return;
	put_text(p, "created by ");
	put_name(p, frames[cnt - 1].function);
	snprintf(text, sizeof(text), " in goroutine %llu", (unsigned long long)stack->parent);
	put_text(p, stack->parent ? text : "");
	put_text(p, "\n");
	put_place(p, frames[0].file, frames[0].line, place.pc - frames[0].entry);
	if (p->full)
		p->len = before;
}

static void print(struct printer *p, const struct panic_stack *stack, size_t cnt)
{
	size_t room = p->room;
	char text[48];

	snprintf(text, sizeof(text), "goroutine %llu [running]:\n", (unsigned long long)stack->goid);
	put_text(p, text);
	p->room -= ENDING_MAX;
	put_frames(p, stack->pcs, cnt);
	if (!p->shown) { /* a panic of the runtime's own */
		p->all = true;
		put_frames(p, stack->pcs, cnt);
	}
	p->room = room;
	p->full = false;
	if (p->cut)
		put_text(p, "...additional frames elided...\n");
	put_creator(p, stack);
}

const char *stack__raiser(const struct resolve *r, const uint8_t *raw, size_t sz)
{
	const size_t fixed = offsetof(struct panic_stack, pcs);
	struct frame_fact frame;
	uint32_t pc;

	if (!r || sz < fixed + sizeof(pc))
		return NULL;
	memcpy(&pc, raw + fixed, sizeof(pc));
	return resolve__frames(r, instruction_of(&(struct place){.pc = pc}), &frame, 1) ? frame.function
										      : NULL;
}

struct otlp_text stack__print(struct build_span *b, const struct resolve *r, const uint8_t *raw,
			      size_t sz)
{
	const size_t fixed = offsetof(struct panic_stack, pcs);
	struct printer p = {.r = r, .to = b->stacks + b->stacks_used,
			    .room = sizeof(b->stacks) - b->stacks_used,
			    .until_ns = loop__now_ns() + LONGEST_MS * 1000000ULL};
	struct panic_stack stack;
	size_t cnt;

	if (!r || sz <= fixed || sz > sizeof(stack) || p.room < 2 * ENDING_MAX)
		return (struct otlp_text){NULL, 0};
	memcpy(&stack, raw, sz);
	cnt = (sz - fixed) / sizeof(stack.pcs[0]);
	print(&p, &stack, cnt < stack.cnt ? cnt : stack.cnt);
	b->stacks_used += p.len;
	return (struct otlp_text){p.to, p.len};
}
