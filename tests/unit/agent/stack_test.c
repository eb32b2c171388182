/* SPDX-License-Identifier: Apache-2.0 */
/* How a stack is printed, from return addresses in tests/unit/fixtures/stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/stack.h"
#include "../offsets/fixtures.h"

struct fixture {
	const char *version;
	const char *mode;
};

static struct fixture fixtures[] = {
	{"1.27.1", "default"},	{"1.27.1", "stripped-pie"}, {"1.24.9", "stripped-pie"},
	{"1.19.13", "default"}, {"1.19.13", "stripped-pie"},
};

/* A stack that is being put together, and its text. */
struct test {
	struct resolve *r;
	struct panic_stack stack;
	struct build_span b;
};

static struct test *new_test(void **state)
{
	const struct fixture *f = *state;
	struct test *t = calloc(1, sizeof(*t));

	t->r = fixture__open(STACK, f->version, f->mode);
	t->stack.goid = 7;
	build__begin(&t->b);
	return t;
}

static void free_test(struct test *t)
{
	resolve__free(t->r);
	free(t);
}

/* A return address in FUNCTION at which INNERMOST (inlined, or itself) calls. */
static uint32_t pc_in(const struct test *t, const char *function, const char *innermost)
{
	struct frame_fact frames[8];
	struct function_fact f;

	assert_int_equal(resolve__function(t->r, function, &f), 0);
	for (uint64_t addr = f.addr + 1; addr < f.addr + f.size; addr++)
		if (resolve__frames(t->r, addr, frames, 8) &&
		    !strcmp(frames[0].function, innermost))
			return addr + 1;
	fail_msg("%s is not inlined into %s", innermost, function);
	return 0;
}

static void add(struct test *t, uint32_t pc)
{
	assert_true(t->stack.cnt < PANIC_PCS_MAX);
	t->stack.pcs[t->stack.cnt++] = pc;
}

static void add_in(struct test *t, const char *function)
{
	add(t, pc_in(t, function, function));
}

static struct otlp_text print(struct test *t)
{
	return stack__print(&t->b, t->r, (const uint8_t *)&t->stack,
			    offsetof(struct panic_stack, pcs) + t->stack.cnt * 4);
}

/* TEXT without what follows "+0x", which is not the tests'. */
static const char *without_offsets(struct otlp_text text)
{
	static char out[65536];
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		out[len++] = text.at[i];
		if (len > 2 && !memcmp(out + len - 3, "+0x", 3))
			while (i + 1 < text.len && text.at[i + 1] != '\n')
				i++;
	}
	out[len] = 0;
	return out;
}

static void expect(struct test *t, const char *text)
{
	assert_string_equal(without_offsets(print(t)), text);
	free_test(t);
}

static void inlined_functions_are_shown(void **state)
{
	struct test *t = new_test(state);

	add(t, pc_in(t, "main.outermost", "main.innermost"));
	add_in(t, "main.main");
	add_in(t, "runtime.main");
	add_in(t, "runtime.goexit");
	expect(t, "goroutine 7 [running]:\n"
		  "main.innermost(...)\n\t/src/stack.go:10\n"
		  "main.middle(...)\n\t/src/stack.go:11\n"
		  "main.outermost(...)\n\t/src/stack.go:15 +0x\n"
		  "main.main(...)\n\t/src/main.go:100 +0x\n");
}

static void the_offset_is_that_of_the_return_address(void **state)
{
	struct test *t = new_test(state);
	struct function_fact f;
	struct otlp_text text;
	char offset[32];

	add_in(t, "main.starts");
	add_in(t, "runtime.goexit");
	resolve__function(t->r, "main.starts", &f);
	snprintf(offset, sizeof(offset), " +%#x\n", (unsigned)(t->stack.pcs[0] - f.addr));
	text = print(t);
	assert_non_null(memmem(text.at, text.len, offset, strlen(offset)));
	free_test(t);
}

static void the_runtime_is_not_shown_but_for_an_earlier_panic(void **state)
{
	struct test *t = new_test(state);
	const char *text;

	add_in(t, "runtime.sigpanic");
	add(t, pc_in(t, "main.outermost", "main.outermost"));
	add_in(t, "runtime.gopanic");
	add_in(t, "main.starts");
	add_in(t, "runtime.goexit");
	text = without_offsets(print(t));
	assert_non_null(strstr(text, "goroutine 7 [running]:\nmain.outermost(...)\n\t/src/stack.go:"));
	assert_non_null(strstr(text, "\npanic(...)\n\t"));
	assert_non_null(strstr(text, "/runtime/panic.go:"));
	assert_non_null(strstr(text, "\nmain.starts(...)\n"));
	assert_null(strstr(text, "runtime.sigpanic"));
	assert_null(strstr(text, "elided"));
	free_test(t);
}

static void a_stack_of_the_runtime_alone_is_shown(void **state)
{
	struct test *t = new_test(state);

	add_in(t, "runtime.mallocgc");
	add_in(t, "runtime.goexit");
	assert_non_null(strstr(without_offsets(print(t)), "runtime.mallocgc(...)\n"));
	free_test(t);
}

static void type_arguments_are_replaced(void **state)
{
	struct test *t = new_test(state);
	static const char *const names[] = { /* to Go 1.20 the linker does it */
		"main.generic[go.shape.struct { main.n []int }]", "main.generic[...]"};
	struct function_fact f;

	for (size_t i = 0; i < 2; i++)
		if (!resolve__function(t->r, names[i], &f))
			add_in(t, names[i]);
	add_in(t, "runtime.goexit");
	expect(t, "goroutine 7 [running]:\nmain.generic[...](...)\n\t/src/stack.go:22 +0x\n");
}

static void a_wrapper_is_shown_only_if_it_panics_itself(void **state)
{
	struct test *t = new_test(state);

	add_in(t, "main.(*record).Print");
	add_in(t, "main.promoting.Print");
	add_in(t, "runtime.goexit");
	assert_null(strstr(without_offsets(print(t)), "main.promoting.Print"));
	t->stack.cnt = 0;
	add_in(t, "runtime.panicwrap");
	add_in(t, "main.promoting.Print");
	add_in(t, "runtime.goexit");
	expect(t, "goroutine 7 [running]:\nmain.promoting.Print(...)\n\t<autogenerated>:1 +0x\n");
}

/* The fault is at the instruction itself, which may be the function's first. */
static void what_was_interrupted_is_where_it_says(void **state)
{
	struct test *t = new_test(state);
	struct function_fact f;

	resolve__function(t->r, "main.(*record).leaf", &f);
	add_in(t, "runtime.sigpanic");
	add(t, f.addr);
	add_in(t, "runtime.goexit");
	expect(t, "goroutine 7 [running]:\nmain.(*record).leaf(...)\n\t/src/stack.go:19\n");
}

static void a_function_without_a_frame_has_its_caller_above(void **state)
{
	struct test *t = new_test(state);
	struct function_fact f;
	uint32_t starts = pc_in(t, "main.starts", "main.starts") + 16; /* behind its prologue */
	uint32_t main = pc_in(t, "main.main", "main.main") + 16;

	resolve__function(t->r, "main.(*record).leaf", &f);
	add_in(t, "runtime.sigpanic");
	add(t, f.addr);
	add(t, starts | PANIC_PC_MAYBE);
	add(t, main | PANIC_PC_MAYBE); /* starts has a frame, so it is something else */
	add_in(t, "runtime.goexit");
	expect(t, "goroutine 7 [running]:\n"
		  "main.(*record).leaf(...)\n\t/src/stack.go:19\n"
		  "main.starts(...)\n\t/src/stack.go:31 +0x\n");
}

static void a_caller_is_shown_once(void **state)
{
	struct test *t = new_test(state);
	struct function_fact f;
	uint32_t starts = pc_in(t, "main.starts", "main.starts") + 16;

	resolve__function(t->r, "main.(*record).leaf", &f);
	add_in(t, "runtime.sigpanic");
	add(t, f.addr);
	add(t, starts | PANIC_PC_MAYBE);
	add(t, starts);
	add_in(t, "runtime.goexit");
	expect(t, "goroutine 7 [running]:\n"
		  "main.(*record).leaf(...)\n\t/src/stack.go:19\n"
		  "main.starts(...)\n\t/src/stack.go:31 +0x\n");
}

static void nothing_is_above_the_outermost_function(void **state)
{
	struct test *t = new_test(state);

	add_in(t, "main.main");
	add_in(t, "runtime.goexit"); /* has no frame */
	add(t, pc_in(t, "main.starts", "main.starts") | PANIC_PC_MAYBE);
	expect(t, "goroutine 7 [running]:\nmain.main(...)\n\t/src/main.go:100 +0x\n");
}

static void who_created_the_goroutine_is_told(void **state)
{
	struct test *t = new_test(state);

	add_in(t, "main.starts");
	add_in(t, "runtime.goexit");
	t->stack.created_by = pc_in(t, "main.outermost", "main.innermost");
	t->stack.parent = 1;
	assert_string_equal(without_offsets(print(t)),
			    "goroutine 7 [running]:\n"
			    "main.starts(...)\n\t/src/stack.go:31 +0x\n"
			    "created by main.outermost in goroutine 1\n\t/src/stack.go:10 +0x\n");
	t->stack.parent = 0; /* not known before Go 1.21 */
	assert_non_null(strstr(without_offsets(print(t)), "created by main.outermost\n\t"));
	t->stack.created_by = pc_in(t, "runtime.mallocgc", "runtime.mallocgc");
	assert_null(strstr(without_offsets(print(t)), "created by"));
	t->stack.created_by = pc_in(t, "main.starts", "main.starts");
	t->stack.goid = 1; /* the main goroutine */
	assert_null(strstr(without_offsets(print(t)), "created by"));
	free_test(t);
}

static size_t count(const char *text, const char *what)
{
	size_t cnt = 0;

	while ((text = strstr(text, what))) {
		text += strlen(what);
		cnt++;
	}
	return cnt;
}

static void a_long_stack_is_cut_and_says_so(void **state)
{
	struct test *t = new_test(state);
	uint32_t pc = pc_in(t, "main.starts", "main.starts");
	const char *text;

	t->stack.created_by = pc;
	while (t->stack.cnt < PANIC_PCS_MAX)
		add(t, pc);
	text = without_offsets(print(t));
	assert_int_equal(count(text, "main.starts(...)\n"), 100);
	assert_int_equal(count(text, "\n...additional frames elided...\ncreated by main.starts\n"), 1);
	/* as many as are shown, and the end */
	t->stack.cnt = 100;
	add_in(t, "runtime.goexit");
	text = without_offsets(print(t));
	assert_int_equal(count(text, "main.starts(...)\n"), 100);
	assert_int_equal(count(text, "elided"), 0);
	/* the walk ended too early */
	t->stack.cnt = 2;
	assert_int_equal(count(without_offsets(print(t)), "\n...additional frames elided...\n"), 1);
	free_test(t);
}

static void code_of_nobody_is_a_question_mark(void **state)
{
	struct test *t = new_test(state);

	add(t, PANIC_PC_ELSEWHERE);
	add(t, 16);
	add(t, pc_in(t, "main.main", "main.main") | PANIC_PC_MAYBE);
	add_in(t, "runtime.goexit");
	expect(t, "goroutine 7 [running]:\n?(...)\n\t?:0\n?(...)\n\t?:0 +0x\n");
}

/* Stacks of one span share a buffer; what is full gives no half frames. */
static void the_room_is_shared(void **state)
{
	struct test *t = new_test(state);
	uint32_t pc = pc_in(t, "main.starts", "main.starts");
	struct otlp_text text;
	size_t total = 0;

	while (t->stack.cnt < PANIC_PCS_MAX)
		add(t, pc);
	for (int i = 0; i < 100; i++) {
		text = print(t);
		total += text.len;
		assert_true(total <= BUILD_STACKS_MAX);
		if (!text.len)
			break;
		assert_int_equal(text.at[text.len - 1], '\n');
		assert_non_null(strstr(without_offsets(text), "+0x\n...additional frames elided...\n"));
	}
	assert_int_equal(text.len, 0);
	free_test(t);
}

static void nonsense_has_no_text(void **state)
{
	struct test *t = new_test(state);
	const uint8_t *raw = (const uint8_t *)&t->stack;
	const size_t fixed = offsetof(struct panic_stack, pcs);

	add_in(t, "main.main");
	assert_int_equal(stack__print(&t->b, NULL, raw, fixed + 4).len, 0);
	assert_int_equal(stack__print(&t->b, t->r, NULL, 0).len, 0);
	assert_int_equal(stack__print(&t->b, t->r, raw, fixed).len, 0);
	assert_int_equal(stack__print(&t->b, t->r, raw, sizeof(t->stack) + 4).len, 0);
	t->stack.cnt = UINT32_MAX; /* what travelled counts */
	assert_int_equal(count(without_offsets(stack__print(&t->b, t->r, raw, fixed + 4)),
			       "main.main(...)\n"), 1);
	free_test(t);
}

int main(void)
{
	static const struct CMUnitTest templates[] = {
		cmocka_unit_test(inlined_functions_are_shown),
		cmocka_unit_test(the_offset_is_that_of_the_return_address),
		cmocka_unit_test(the_runtime_is_not_shown_but_for_an_earlier_panic),
		cmocka_unit_test(a_stack_of_the_runtime_alone_is_shown),
		cmocka_unit_test(type_arguments_are_replaced),
		cmocka_unit_test(a_wrapper_is_shown_only_if_it_panics_itself),
		cmocka_unit_test(what_was_interrupted_is_where_it_says),
		cmocka_unit_test(a_function_without_a_frame_has_its_caller_above),
		cmocka_unit_test(a_caller_is_shown_once),
		cmocka_unit_test(nothing_is_above_the_outermost_function),
		cmocka_unit_test(who_created_the_goroutine_is_told),
		cmocka_unit_test(a_long_stack_is_cut_and_says_so),
		cmocka_unit_test(code_of_nobody_is_a_question_mark),
		cmocka_unit_test(the_room_is_shared),
		cmocka_unit_test(nonsense_has_no_text),
	};
	enum {
		TEMPLATES = sizeof(templates) / sizeof(templates[0]),
		FIXTURES = sizeof(fixtures) / sizeof(fixtures[0])
	};
	struct CMUnitTest tests[TEMPLATES * FIXTURES];

	for (size_t i = 0; i < TEMPLATES * FIXTURES; i++) {
		tests[i] = templates[i % TEMPLATES];
		tests[i].initial_state = &fixtures[i / TEMPLATES];
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
