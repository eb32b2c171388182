/* SPDX-License-Identifier: Apache-2.0 */
/* sites: calls, what follows them, and returns, in amd64 functions. */
#include <errno.h>

#include "sites_text.h"

/* -- call -- */

static void call_finds_every_direct_call(void **state)
{
	struct text t = {};
	struct result r;

	put_call(&t, OTHER);
	put_call(&t, CALLEE);
	PUT(&t, "\xff\xd0"); /* call *%rax */
	put_call(&t, CALLEE);
	PUT(&t, "\xc3");
	r = find_in(GO_ARCH_AMD64, &t, SITE_CALL, "callee", 0);
	assert_int_equal(r.cnt, 2);
	assert_int_equal(r.site[0].addr, START + 5);
	assert_int_equal(r.site[0].kind, SITE_CALL);
	assert_int_equal(r.site[0].len, 5);
	assert_int_equal(r.site[0].cost, SITE_EMULATED);
	assert_string_equal(r.site[0].instruction, "call 0x200100");
	assert_int_equal(r.site[1].addr, START + 12);
}

static void call_of_nothing_says_so(void **state)
{
	struct text t = {};
	struct result r;

	put_call(&t, OTHER);
	PUT(&t, "\xc3");
	r = find_in(GO_ARCH_AMD64, &t, SITE_CALL, "callee", 0);
	assert_int_equal(r.cnt, -ENOENT);
	assert_string_equal(r.why.text, "no direct call of callee, probably inlined");
	assert_int_equal(find_after(&t, AX).cnt, -ENOENT);
}

/* -- after, amd64: real sequences -- */

/* Go 1.24 (*ServeMux).ServeHTTP: pattern string in CX, DI, *pattern in SI */
static void after_is_the_write_barriers_branch(void **state)
{
	struct text t = {};
	size_t je;

	put_call(&t, CALLEE);
	PUT(&t, "\x48\x8b\x54\x24\x68");	 /* mov 0x68(%rsp),%rdx */
	PUT(&t, "\x48\x89\xba\xf0\x00\x00\x00"); /* mov %rdi,0xf0(%rdx) */
	PUT(&t, "\x83\x3d\x48\x25\x3a\x00\x00"); /* cmpl $0,writeBarrier(%rip) */
	je = PUT_JE(&t);
	put_call(&t, OTHER);
	land(&t, je);
	PUT(&t, "\xc3");
	expect_one(find_after(&t, AX | BX | CX | DI | SI), 24, SITE_EMULATED, 0, "jz 0x100023");
}

/* the same in Go 1.24 -race: the first cheap one is a call, and AX is gone there */
static void after_in_race_build(void **state)
{
	struct text t = {};

	put_call(&t, CALLEE);
	PUT(&t, "\x48\x89\x7c\x24\x38"); /* mov %rdi,0x38(%rsp) */
	PUT(&t, "\x48\x89\x4c\x24\x70"); /* mov %rcx,0x70(%rsp) */
	PUT(&t, "\x48\x8b\x84\x24\xa8\x00\x00\x00");
	PUT(&t, "\x48\x05\xe8\x00\x00\x00"); /* add $0xe8,%rax */
	put_call(&t, OTHER);		     /* runtime.racewrite */
	PUT(&t, "\xc3");
	expect_one(find_after(&t, CX | DI | SI), 29, SITE_EMULATED, 0, "call 0x200300");
	expect_one(find_after(&t, AX), 5, SITE_STEPPED, 0, "mov %rdi, 0x38(%rsp)");
}

/* Go 1.27 (*conn).serve: *response in AX, error in BX, CX */
static void after_passes_long_nops(void **state)
{
	struct text t = {};

	put_call(&t, CALLEE);
	PUT(&t, "\x48\x8b\x94\x24\x28\x04\x00\x00"); /* mov 0x428(%rsp),%rdx */
	PUT(&t, "\x66\x90");			     /* xchg %ax,%ax */
	PUT(&t, "\x0f\x1f\x44\x00\x00");	     /* nopl 0(%rax,%rax,1) */
	PUT(&t, "\x48\x85\xdb");		     /* test %rbx,%rbx */
	PUT(&t, "\x74\x00\xc3");		     /* je */
	expect_one(find_after(&t, AX | BX | CX), 23, SITE_EMULATED, 0, "jz 0x100019");
}

/* -- after, amd64: each rule -- */

/* LEN bytes, then a one-byte nop: is the nop the site, or the return address? */
static bool passes(const char *bytes, size_t len, uint32_t needed)
{
	struct text t = {};
	struct result r;

	put_call(&t, CALLEE);
	put(&t, bytes, len);
	PUT(&t, "\x90\xc3");
	r = find_after(&t, needed);
	assert_int_equal(r.cnt, 1);
	if (r.site[0].addr == START + 5 + len)
		return true;
	assert_int_equal(r.site[0].addr, START + 5);
	assert_int_equal(r.site[0].cost, SITE_STEPPED);
	return false;
}

#define PASSES(literal, needed) passes(literal, sizeof(literal) - 1, needed)

static void after_heeds_every_way_to_write(void **state)
{
	assert_true(PASSES("\x48\x89\xd8", BX)); /* mov %rbx,%rax */
	assert_false(PASSES("\x48\x89\xd8", AX));
	assert_false(PASSES("\x31\xc0", AX));		  /* xor %eax,%eax */
	assert_false(PASSES("\xb0\x01", AX));		  /* mov $1,%al */
	assert_false(PASSES("\xb4\x01", AX));		  /* mov $1,%ah */
	assert_false(PASSES("\x66\xb9\x01\x00", CX));	  /* mov $1,%cx */
	assert_false(PASSES("\x0f\x94\xc1", CX));	  /* sete %cl */
	assert_false(PASSES("\x48\x0f\x44\xcb", CX));	  /* cmove %rbx,%rcx */
	assert_false(PASSES("\xf0\x48\x0f\xb1\x0a", AX)); /* lock cmpxchg %rcx,(%rdx) */
	assert_true(PASSES("\xf0\x48\x0f\xb1\x0a", CX));
	assert_false(PASSES("\x48\x87\xd1", CX)); /* xchg %rdx,%rcx */
	assert_false(PASSES("\x48\x91", CX));	  /* xchg %rax,%rcx */
	assert_false(PASSES("\x48\xf7\xe3", AX)); /* mul %rbx */
	assert_false(PASSES("\xf3\x48\xab", DI)); /* rep stos */
	assert_false(PASSES("\x48\xa5", SI));	  /* movsq */
	assert_false(PASSES("\x5b", BX));	  /* pop %rbx */
	assert_false(PASSES("\x4d\x31\xf6", G));  /* xor %r14,%r14 */
	assert_false(PASSES("\x64\x4c\x8b\x34\x25\xf8\xff\xff\xff", G));
	assert_true(PASSES("\x4d\x31\xed", G));		   /* xor %r13,%r13 */
	assert_false(PASSES("\x4d\x31\xdb", 1u << REG_8)); /* xor %r11,%r11 */
	assert_true(PASSES("\x84\x00", AX | BX));	   /* test %al,(%rax) */
	assert_true(PASSES("\x0f\x11\x44\x24\x10", AX));   /* movups %xmm0,0x10(%rsp) */
	assert_false(PASSES("\xff\xd2", SI));		   /* call *%rdx */
	assert_false(PASSES("\x0f\x05", SI));		   /* syscall */
	assert_false(PASSES("\xe3\x00", 0));		   /* jrcxz, which is stepped */
	assert_false(PASSES("\xc3", 0));
	assert_false(PASSES("\xff\xe2", 0)); /* jmp *%rdx */
}

static void after_is_each_emulated_instruction(void **state)
{
	static const char *const emulated[] = {"\x55", "\x41\x57", "\x90", "\x74", "\xeb"};
	struct text t;

	for (size_t i = 0; i < sizeof(emulated) / sizeof(*emulated); i++) {
		t = (struct text){};
		put_call(&t, CALLEE);
		PUT(&t, "\x48\x85\xdb"); /* test %rbx,%rbx */
		put(&t, emulated[i], strlen(emulated[i]));
		PUT(&t, "\x00\xc3\x90\xc3");
		assert_int_equal(find_after(&t, AX).site[0].addr, START + 8);
	}
}

static void after_needs_to_be_reached_from_the_call_alone(void **state)
{
	struct text t = {};
	struct result r;

	put_call(&t, CALLEE);
	PUT(&t, "\x48\x85\xdb\x48\x85\xdb\x90"); /* test; test; nop */
	lead(&t, PUT_JE(&t), 8);
	PUT(&t, "\xc3");
	expect_one(find_after(&t, AX), 5, SITE_STEPPED, 0, "test %rbx, %rbx");

	lead(&t, PUT_JMP(&t), 5);
	r = find_after(&t, AX);
	assert_int_equal(r.cnt, -ENOENT);
	assert_string_equal(r.why.text,
			    "other paths join right behind the call of callee at 0x100000");
}

static void after_distrusts_jump_tables_and_deferreturn(void **state)
{
	struct text table = {}, deferred = {};

	put_call(&table, CALLEE);
	PUT(&table, "\x48\x85\xdb\x74\x01\xc3\xff\x24\xc1"); /* test; je; ret; jmp *(%rcx,%rax,8) */
	assert_int_equal(find_after(&table, AX).site[0].addr, START + 5);

	put_call(&deferred, CALLEE);
	PUT(&deferred, "\x48\x85\xdb");
	put_call(&deferred, DEFERRETURN);
	PUT(&deferred, "\xc3");
	assert_int_equal(find_after(&deferred, AX).site[0].addr, START + 5);
}

static void after_counts_every_call(void **state)
{
	struct text t = {};
	struct result r;

	put_call(&t, CALLEE);
	put_call(&t, CALLEE);
	PUT(&t, "\x31\xc0\x90\xc3");
	r = find_after(&t, AX);
	assert_int_equal(r.cnt, 2);
	assert_int_equal(r.site[0].addr, START + 5);
	assert_int_equal(r.site[0].cost, SITE_EMULATED);
	assert_int_equal(r.site[1].addr, START + 10);
	assert_int_equal(r.site[1].cost, SITE_STEPPED);
}

static void join_may_be_reached_from_elsewhere(void **state)
{
	struct text t = {};
	struct result r;

	put_call(&t, CALLEE);
	PUT(&t, "\x48\x85\xdb\x90"); /* test; nop */
	lead(&t, PUT_JE(&t), 5);
	PUT(&t, "\xc3");
	assert_int_equal(find_after(&t, AX).cnt, -ENOENT);
	r = find_in(GO_ARCH_AMD64, &t, SITE_JOIN, "callee", AX);
	expect_one(r, 8, SITE_EMULATED, 0, "nop");
}

static void after_a_call_at_the_very_end(void **state)
{
	struct text t = {};

	put_call(&t, CALLEE);
	assert_int_equal(find_after(&t, AX).cnt, -ENOENT);
}

/* -- return -- */

static void return_finds_every_ret(void **state)
{
	struct text t = {};
	struct result r;

	PUT(&t, "\x74\x01\xc3\x74\x03\xc2\x10\x00\xf3\xc3\xcc\xcc\xcc");
	r = find(&t, SITE_RETURN);
	assert_int_equal(r.cnt, 3);
	assert_int_equal(r.site[0].addr, START + 2);
	assert_int_equal(r.site[0].flags, SITE_IS_RET);
	assert_int_equal(r.site[0].cost, SITE_STEPPED);
	assert_string_equal(r.site[0].instruction, "ret");
	assert_int_equal(r.site[1].addr, START + 5);
	assert_int_equal(r.site[1].flags, 0);
	assert_int_equal(r.site[2].flags, 0);
}

static void return_of_a_function_that_never_does(void **state)
{
	struct text t = {};

	put_call(&t, OTHER);
	PUT(&t, "\x0f\x0b\xcc\xcc");
	assert_int_equal(find(&t, SITE_RETURN).cnt, -ENOENT);
}

/* -- what is not code, and limits -- */

static void junk_is_refused(void **state)
{
	struct text empty = {}, padding = {}, junk = {}, cut = {}, last = {};

	assert_int_equal(find(&empty, SITE_ENTRY).cnt, -ENOENT);
	PUT(&padding, "\xcc\xcc");
	assert_int_equal(find(&padding, SITE_ENTRY).cnt, -ENOENT);
	PUT(&junk, "\xc3\x06\xc3"); /* 06 is no instruction in 64-bit mode */
	assert_int_equal(find(&junk, SITE_RETURN).cnt, -EINVAL);
	assert_string_equal(find(&junk, SITE_RETURN).why.text,
			    "bytes at 0x100001 are no instruction");
	PUT(&cut, "\xc3\xe8\x00\x00");
	assert_int_equal(find(&cut, SITE_RETURN).cnt, -EINVAL);
	PUT(&last, "\x90\xc3\xeb\xcc\xcc\xcc"); /* the first cc belongs to the jmp */
	expect_one(find(&last, SITE_RETURN), 1, SITE_STEPPED, SITE_IS_RET, "ret");
}

static void int3_inside_is_code(void **state)
{
	struct text t = {};

	PUT(&t, "\xcc\x90\xc3\xcc");
	assert_int_equal(find(&t, SITE_RETURN).cnt, 1);
}

static void too_many_leave_the_output_alone(void **state)
{
	struct text t = {};
	struct result r;

	for (int i = 0; i < 5; i++)
		PUT(&t, "\xc3");
	r = find(&t, SITE_RETURN);
	assert_int_equal(r.cnt, -E2BIG);
	assert_int_equal(r.site[0].addr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(call_finds_every_direct_call),
		cmocka_unit_test(call_of_nothing_says_so),
		cmocka_unit_test(after_is_the_write_barriers_branch),
		cmocka_unit_test(after_in_race_build),
		cmocka_unit_test(after_passes_long_nops),
		cmocka_unit_test(after_heeds_every_way_to_write),
		cmocka_unit_test(after_is_each_emulated_instruction),
		cmocka_unit_test(after_needs_to_be_reached_from_the_call_alone),
		cmocka_unit_test(after_distrusts_jump_tables_and_deferreturn),
		cmocka_unit_test(after_counts_every_call),
		cmocka_unit_test(join_may_be_reached_from_elsewhere),
		cmocka_unit_test(after_a_call_at_the_very_end),
		cmocka_unit_test(return_finds_every_ret),
		cmocka_unit_test(return_of_a_function_that_never_does),
		cmocka_unit_test(junk_is_refused),
		cmocka_unit_test(int3_inside_is_code),
		cmocka_unit_test(too_many_leave_the_output_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
