/* SPDX-License-Identifier: Apache-2.0 */
/* sites: entries of amd64 functions. */
#include <errno.h>

#include "sites_text.h"

static void check_entry_push(const char *preamble, size_t len)
{
	struct text t = {};
	size_t jbe, push;

	put(&t, preamble, len);
	jbe = PUT_JBE(&t);
	push = t.size;
	PUT(&t, "\x55\x48\x89\xe5\x5d\xc3"); /* push %rbp; mov %rsp,%rbp; pop %rbp; ret */
	put_morestack(&t, jbe);
	expect_one(find(&t, SITE_ENTRY), push, SITE_EMULATED, 0, "push %rbp");
}

#define CHECK_ENTRY_PUSH(preamble) check_entry_push(preamble, sizeof(preamble) - 1)

static void entry_is_the_push_behind_each_stack_check(void **state)
{
	CHECK_ENTRY_PUSH("\x49\x3b\x66\x10");			  /* cmp 0x10(%r14),%rsp */
	CHECK_ENTRY_PUSH("\x4c\x8d\x64\x24\xd8\x4d\x3b\x66\x10"); /* lea -0x28(%rsp),%r12 */
	CHECK_ENTRY_PUSH("\x4c\x8d\xa4\x24\x40\xfc\xff\xff\x4d\x3b\x66\x10");
	CHECK_ENTRY_PUSH("\x49\x89\xe4\x49\x81\xec\x08\x0f\x01\x00" /* mov, sub $0x10f08 */
			 "\x72\x10\x4d\x3b\x66\x10");		    /* jb, cmp */
	CHECK_ENTRY_PUSH("\x64\x4c\x8b\x34\x25\xf8\xff\xff\xff\x49\x3b\x66\x10"); /* ABI0 */
	CHECK_ENTRY_PUSH("\x49\xc7\xc6\xf8\xff\xff\xff\x64\x4d\x8b\x36\x49\x3b\x66\x10");
	CHECK_ENTRY_PUSH("\x4c\x8b\x35\x00\x10\x00\x00\x64\x4d\x8b\x36"
			 "\x4c\x8d\x64\x24\xd8\x4d\x3b\x66\x10");
}

static void entry_is_the_jbe_when_no_push_follows(void **state)
{
	struct text t = {};
	size_t jbe;

	PUT(&t, "\x49\x3b\x66\x10\x76\x0e"); /* Go 1.19: cmp; jbe rel8 */
	PUT(&t, "\x48\x83\xec\x20");	     /* sub $0x20,%rsp */
	PUT(&t, "\x48\x89\x6c\x24\x18");     /* mov %rbp,0x18(%rsp) */
	PUT(&t, "\x48\x83\xc4\x20\xc3");     /* add $0x20,%rsp; ret */
	jbe = t.size;
	put_call(&t, MORESTACK);
	PUT(&t, "\xeb\xe1"); /* jmp to the start */
	assert_int_equal(jbe, 6 + 0x0e);
	expect_one(find(&t, SITE_ENTRY), 4, SITE_EMULATED, SITE_DROP_CF_ZF, "jbe 0x100014");
}

static void entry_without_stack_check(void **state)
{
	struct text push = {}, lea = {};

	PUT(&push, "\x55\x48\x89\xe5\x5d\xc3");
	expect_one(find(&push, SITE_ENTRY), 0, SITE_EMULATED, 0, "push %rbp");
	PUT(&lea, "\x48\x8d\x04\x18\xc3"); /* lea (%rax,%rbx,1),%rax; ret */
	expect_one(find(&lea, SITE_ENTRY), 0, SITE_STEPPED, 0, "lea (%rax,%rbx,1), %rax");
}

/* What only resembles a stack check is the function's own logic: arguments may be gone there. */
static void entry_distrusts_lookalikes(void **state)
{
	struct text stackguard1 = {}, own_branch = {}, other_callee = {}, je = {};
	size_t jump;

	PUT(&stackguard1, "\x49\x3b\x66\x18"); /* cmp 0x18(%r14),%rsp */
	jump = PUT_JBE(&stackguard1);
	PUT(&stackguard1, "\x55\x5d\xc3");
	put_morestack(&stackguard1, jump);
	assert_int_equal(find(&stackguard1, SITE_ENTRY).site[0].addr, START);

	PUT(&own_branch, "\x49\x3b\x66\x10");
	jump = PUT_JBE(&own_branch);
	PUT(&own_branch, "\x55\x5d\xc3");
	land(&own_branch, jump);
	PUT(&own_branch, "\xc3");
	expect_one(find(&own_branch, SITE_ENTRY), 0, SITE_STEPPED, 0, "cmp 0x10(%r14), %rsp");

	PUT(&other_callee, "\x49\x3b\x66\x10");
	jump = PUT_JBE(&other_callee);
	PUT(&other_callee, "\x55\x5d\xc3");
	land(&other_callee, jump);
	put_call(&other_callee, OTHER);
	put_call(&other_callee, MORESTACK);
	assert_int_equal(find(&other_callee, SITE_ENTRY).site[0].addr, START);

	PUT(&je, "\x49\x3b\x66\x10");
	jump = PUT_JE(&je);
	PUT(&je, "\x55\x5d\xc3");
	put_morestack(&je, jump);
	assert_int_equal(find(&je, SITE_ENTRY).site[0].addr, START);
}

static void entry_is_never_a_jump_target(void **state)
{
	struct text t = {};
	size_t jbe, push;

	PUT(&t, "\x49\x3b\x66\x10");
	jbe = PUT_JBE(&t);
	push = t.size;
	PUT(&t, "\x55\x5d");
	lead(&t, PUT_JE(&t), push);
	PUT(&t, "\xc3");
	put_morestack(&t, jbe);
	expect_one(find(&t, SITE_ENTRY), 4, SITE_EMULATED, SITE_DROP_CF_ZF, "jbe 0x100013");

	lead(&t, PUT_JMP(&t), 4);
	expect_one(find(&t, SITE_ENTRY), 0, SITE_STEPPED, 0, "cmp 0x10(%r14), %rsp");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entry_is_the_push_behind_each_stack_check),
		cmocka_unit_test(entry_is_the_jbe_when_no_push_follows),
		cmocka_unit_test(entry_without_stack_check),
		cmocka_unit_test(entry_distrusts_lookalikes),
		cmocka_unit_test(entry_is_never_a_jump_target),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
