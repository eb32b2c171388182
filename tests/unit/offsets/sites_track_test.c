/* SPDX-License-Identifier: Apache-2.0 */
/* sites: which branch is known as the test of a callee's result (sites_flow, sites_track_amd64). */
#include "sites_text.h"

enum verdict {
	SEEN,	  /* only what the zero side reaches is spared */
	UNTESTED, /* the branch has another reason: failure reaches both sides as well */
	LOST,	  /* where the result went is not known: nothing is spared either */
};

/* A ret; the call; LEN bytes; je or jne; a ret on each of its sides. */
static enum verdict judge_jump(const char *jump, const char *bytes, size_t len, uint32_t results)
{
	struct text t = {};
	size_t early, to, behind, at;
	struct result r;

	early = put_early_ret(&t);
	put_call(&t, CALLEE);
	put(&t, bytes, len);
	to = put_jump(&t, jump, 2);
	behind = put_ret(&t);
	land(&t, to);
	at = put_ret(&t);
	r = find_except(&t, results);
	assert_true(r.cnt >= 1);
	assert_int_equal(r.site[0].addr - START, early);
	if (r.cnt == 3) {
		if (!strcmp(r.why.text, "every ret: callee's success has none of its own"))
			return UNTESTED;
		assert_memory_equal(r.why.text, "every ret: no test of callee's result", 37);
		return LOST;
	}
	assert_string_equal(r.why.text, "");
	assert_int_equal(r.cnt, 2);
	assert_int_equal(r.site[1].addr - START, jump[1] == '\x84' ? behind : at);
	return SEEN;
}

#define VERDICT(literal, results) judge_jump("\x0f\x84", literal, sizeof(literal) - 1, results)

static void every_comparison_of_a_result_with_zero_counts(void **state)
{
	assert_int_equal(VERDICT("\x48\x85\xdb", BX), SEEN); /* test %rbx,%rbx */
	assert_int_equal(VERDICT("\x48\x85\xdb", AX | BX), SEEN);
	assert_int_equal(VERDICT("\x48\x83\xfb\x00", BX), SEEN); /* cmp $0,%rbx */
	assert_int_equal(VERDICT("\x48\x85\xc9", CX), SEEN);
	assert_int_equal(VERDICT("\x4d\x85\xdb", 1 << REG_8), SEEN);	       /* test %r11,%r11 */
	assert_int_equal(VERDICT("\x4d\x85\xc0", 1 << REG_5), SEEN);	       /* test %r8,%r8 */
	assert_int_equal(judge_jump("\x0f\x85", "\x48\x85\xdb", 3, BX), SEEN); /* jne */
	assert_int_equal(judge_jump("\x0f\x8f", "\x48\x85\xdb", 3, BX), UNTESTED); /* jg */
	/* moves leave flags alone */
	assert_int_equal(VERDICT("\x48\x85\xdb\x48\x89\x4c\x24\x08\x31\x0b", BX), UNTESTED);
	assert_int_equal(VERDICT("\x48\x85\xdb\x48\x89\x4c\x24\x08", BX), SEEN);
}

static void other_comparisons_do_not_count(void **state)
{
	assert_int_equal(VERDICT("\x48\x85\xc0", BX), UNTESTED);	 /* test %rax,%rax */
	assert_int_equal(VERDICT("\x48\x85\xd8", BX), UNTESTED);	 /* test %rbx,%rax */
	assert_int_equal(VERDICT("\x48\x85\xc3", BX), UNTESTED);	 /* test %rax,%rbx */
	assert_int_equal(VERDICT("\x85\xdb", BX), UNTESTED);		 /* test %ebx,%ebx */
	assert_int_equal(VERDICT("\x84\xdb", BX), UNTESTED);		 /* test %bl,%bl */
	assert_int_equal(VERDICT("\x48\x83\xfb\x01", BX), UNTESTED);	 /* cmp $1,%rbx */
	assert_int_equal(VERDICT("\x48\x39\xdb", BX), UNTESTED);	 /* cmp %rbx,%rbx */
	assert_int_equal(VERDICT("\x48\x83\x3b\x00", BX), UNTESTED);	 /* cmpq $0,(%rbx) */
	assert_int_equal(VERDICT("\x48\x85\xdb\x84\x00", BX), UNTESTED); /* test %al,(%rax) */
}

/* What stands before: is the register, its copy in %rdx or at 8(%rsp), then still the result? */
#define SPILL "\x48\x89\x5c\x24\x08" /* mov %rbx,8(%rsp) */
#define TEST_DX "\x48\x85\xd2"
#define TEST_SLOT "\x48\x83\x7c\x24\x08\x00" /* cmpq $0,8(%rsp) */

static void a_result_is_followed_through_copies(void **state)
{
	assert_int_equal(VERDICT("\x48\x89\xda" TEST_DX, BX), SEEN);	     /* mov %rbx,%rdx */
	assert_int_equal(VERDICT("\x48\x89\xda\x31\xdb" TEST_DX, BX), SEEN); /* xor %ebx,%ebx */
	assert_int_equal(VERDICT("\x89\xda" TEST_DX, BX), UNTESTED);	     /* mov %ebx,%edx */
	assert_int_equal(VERDICT("\x48\x8d\x13" TEST_DX, BX), UNTESTED);     /* lea (%rbx),%rdx */
	assert_int_equal(VERDICT("\x48\x8b\x13" TEST_DX, BX), UNTESTED);     /* mov (%rbx),%rdx */
	assert_int_equal(VERDICT(SPILL TEST_SLOT, BX), SEEN);
	assert_int_equal(VERDICT(SPILL "\x83\x7c\x24\x08\x00", BX), UNTESTED); /* cmpl $0 */
	assert_int_equal(VERDICT(SPILL "\x48\x83\x7c\x24\x10\x00", BX), UNTESTED);
	assert_int_equal(VERDICT(SPILL "\x48\x8b\x54\x24\x08" TEST_DX, BX), SEEN);
	assert_int_equal(VERDICT(SPILL "\x48\x89\x44\x24\x10" TEST_SLOT, BX), SEEN);
	assert_int_equal(VERDICT(SPILL "\x48\x89\x04\x24" TEST_SLOT, BX), SEEN);
}

static void whatever_may_overwrite_a_result_does(void **state)
{
	assert_int_equal(VERDICT("\x48\x89\xc3" TEST_BX, BX), LOST); /* mov %rax,%rbx */
	assert_int_equal(VERDICT("\x48\x89\xc3" TEST_BX, AX), SEEN);
	assert_int_equal(VERDICT("\xb3\x01" TEST_BX, BX), LOST);     /* mov $1,%bl */
	assert_int_equal(VERDICT("\xb7\x01" TEST_BX, BX), LOST);     /* mov $1,%bh */
	assert_int_equal(VERDICT("\x48\x87\xda" TEST_BX, BX), LOST); /* xchg %rbx,%rdx */
	assert_int_equal(VERDICT("\xff\xd0" TEST_BX, BX), LOST);     /* call *%rax */
	assert_int_equal(VERDICT("\x0f\x05" TEST_BX, BX), LOST);     /* syscall */
	/* the slot, when the register is gone */
	assert_int_equal(VERDICT(SPILL "\x31\xdb" TEST_SLOT, BX), SEEN);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x89\x44\x24\x04" TEST_SLOT, BX), SEEN);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x89\x44\x24\x05" TEST_SLOT, BX), LOST);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x88\x44\x24\x0f" TEST_SLOT, BX), LOST);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x0f\x11\x04\x24" TEST_SLOT, BX), LOST);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x48\x89\x01" TEST_SLOT, BX), LOST);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x48\x89\x04\x04" TEST_SLOT, BX), LOST);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x50" TEST_SLOT, BX), LOST); /* push %rax */
	assert_int_equal(VERDICT(SPILL "\x31\xdb\x48\x83\xec\x08" TEST_SLOT, BX), LOST);
	assert_int_equal(VERDICT(SPILL "\x31\xdb\xf3\x48\xab" TEST_SLOT, BX), LOST); /* rep stos */
	assert_int_equal(VERDICT(SPILL "\xff\xd0" TEST_SLOT, BX), LOST);
}

static void calls_keep_slots_only_of_the_race_detector(void **state)
{
	static const uint64_t callees[] = {RACE, OTHER};

	for (int i = 0; i < 2; i++) {
		struct text t = {};
		size_t early, je;
		struct result r;

		early = put_early_ret(&t);
		put_call(&t, CALLEE);
		PUT(&t, SPILL);
		put_call(&t, callees[i]);
		PUT(&t, "\x48\x8b\x54\x24\x08" TEST_DX);
		je = PUT_JE(&t);
		put_ret(&t);
		land(&t, je);
		put_ret(&t);
		r = find_except(&t, BX);
		if (callees[i] == RACE)
			EXPECT_RETS(r, early, je + 4);
		else
			EXPECT_RETS(r, early, je + 4, je + 5);
	}
}

/* a write barrier stands before the test */
static void other_branches_are_looked_past(void **state)
{
	struct text t = {};
	size_t early, barrier, je, failure;

	early = put_early_ret(&t);
	put_call(&t, CALLEE);
	PUT(&t, "\x83\x3d\x48\x25\x3a\x00\x00"); /* cmpl $0,writeBarrier(%rip) */
	barrier = PUT_JE(&t);
	PUT(&t, "\x48\x89\xd6"); /* mov %rdx,%rsi */
	land(&t, barrier);
	PUT(&t, TEST_BX);
	je = PUT_JE(&t);
	failure = put_ret(&t);
	land(&t, je);
	put_ret(&t);
	EXPECT_RETS(find_except(&t, BX), early, failure);
}

static void paths_without_end_are_given_up(void **state)
{
	struct text loop = {}, forks = {};
	struct result r;

	put_early_ret(&loop);
	put_call(&loop, CALLEE);
	PUT(&loop, "\xeb\xfe");
	r = find_except(&loop, BX);
	EXPECT_RETS(r, 2);
	assert_string_equal(r.why.text, "every ret: no end of paths behind callee");

	put_early_ret(&forks);
	put_call(&forks, CALLEE);
	PUT(&forks, "\x7f\x00\x7f\x00\x7f\x00\x7f\x00\x7f\x00\x7f\x00\x7f\x00\x7f\x00\x7f\x00\xc3");
	r = find_except(&forks, BX);
	EXPECT_RETS(r, 2, 26);
	assert_string_equal(r.why.text, "every ret: no test of callee's result before 0x100018");
	EXPECT_RETS(find_except(&forks, 0), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_comparison_of_a_result_with_zero_counts),
		cmocka_unit_test(other_comparisons_do_not_count),
		cmocka_unit_test(a_result_is_followed_through_copies),
		cmocka_unit_test(whatever_may_overwrite_a_result_does),
		cmocka_unit_test(calls_keep_slots_only_of_the_race_detector),
		cmocka_unit_test(other_branches_are_looked_past),
		cmocka_unit_test(paths_without_end_are_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
