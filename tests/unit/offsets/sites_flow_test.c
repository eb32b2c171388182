/* SPDX-License-Identifier: Apache-2.0 */
/* sites: the RETs that are left when a callee's success is seen elsewhere. */
#include "sites_text.h"
#include "fixtures.h"

/* -- real shapes -- */

/* Go 1.27 (*Transport).roundTrip: a call by pointer joins at the test, failure is tried again */
static void only_the_success_of_a_retry_loop_is_spared(void **state)
{
	struct text t = {};
	size_t early, loop, alt, join, success, give_up, failure;

	early = put_early_ret(&t);
	loop = t.size;
	alt = PUT_JE(&t);
	put_call(&t, CALLEE);
	PUT(&t, "\x66\x0f\x1f\x44\x00\x00"); /* nopw */
	join = t.size;
	PUT(&t, "\x48\x85\xdb"); /* test %rbx,%rbx */
	success = PUT_JE(&t);
	put_call(&t, OTHER); /* shouldRetryRequest */
	PUT(&t, "\x84\xc0"); /* test %al,%al */
	give_up = PUT_JE(&t);
	lead(&t, PUT_JMP(&t), loop);
	land(&t, alt);
	PUT(&t, "\xff\xd1"); /* call *%rcx */
	lead(&t, PUT_JMP(&t), join);
	land(&t, success);
	PUT(&t, "\xff\xd0\x48\x81\xc4\x98\x01\x00\x00\x5d"); /* call *%rax; add; pop */
	put_ret(&t);
	land(&t, give_up);
	failure = put_ret(&t);
	EXPECT_RETS(find_except(&t, BX), early, failure);
	assert_string_equal(find_except(&t, BX).why.text, "");
}

/* x/net/http2 (*Transport).RoundTripOpt: failures that are not tried again come to a second test */
static void a_second_test_of_a_result_is_decided(void **state)
{
	struct text t = {};
	size_t early, again, second, success, failure;

	early = put_early_ret(&t);
	put_call(&t, CALLEE);
	PUT(&t, "\x48\x85\xdb"); /* test %rbx,%rbx */
	again = PUT_JE(&t);
	put_call(&t, OTHER); /* shouldRetryRequest */
	land(&t, again);
	PUT(&t, "\x48\x85\xdb"); /* test %rbx,%rbx */
	success = PUT_JE(&t);
	failure = put_ret(&t);
	land(&t, success);
	PUT(&t, "\x48\x81\xc4\x98\x01\x00\x00\x5d"); /* add; pop */
	second = put_ret(&t);
	EXPECT_RETS(find_except(&t, BX), early, failure);
	/* of two results one may be zero at one test, the other at the next */
	EXPECT_RETS(find_except(&t, AX | BX), early, failure, second);
}

/* Go 1.26 x/net/http2 (*Transport).roundTripViaPool: between the tests stands one for a known error */
static void comparisons_with_other_values_are_looked_past(void **state)
{
	struct text t = {};
	size_t early, first, other, second, success, failure;

	early = put_early_ret(&t);
	put_call(&t, CALLEE);
	PUT(&t, TEST_BX);
	first = PUT_JE(&t);
	put_call(&t, OTHER); /* shouldRetryRequest */
	land(&t, first);
	PUT(&t, "\x48\x89\x5c\x24\x40");	     /* mov %rbx,0x40(%rsp) */
	PUT(&t, "\x48\x39\x1d\x77\xac\x43\x00"); /* cmp %rbx,errClientConnNotEstablished(%rip) */
	other = put_jump(&t, "\x0f\x85", 2);	     /* jne */
	put_call(&t, OTHER);			     /* runtime.ifaceeq */
	PUT(&t, "\x84\xc0");			     /* test %al,%al */
	second = PUT_JE(&t);
	put_call(&t, OTHER); /* MarkDead */
	land(&t, second);
	PUT(&t, "\x48\x8b\x5c\x24\x40"); /* mov 0x40(%rsp),%rbx */
	land(&t, other);
	PUT(&t, TEST_BX);
	success = PUT_JE(&t);
	failure = put_ret(&t);
	land(&t, success);
	PUT(&t, "\x31\xdb"); /* xor %ebx,%ebx */
	put_ret(&t);
	EXPECT_RETS(find_except(&t, BX), early, failure);
	assert_string_equal(find_except(&t, BX).why.text, "");
}

/* Go 1.24 -N -l: the error's itab goes through three stack slots */
static void the_test_of_a_copy_counts(void **state)
{
	struct text t = {};
	size_t early, success, failure;

	early = put_early_ret(&t);
	put_call(&t, CALLEE);
	PUT(&t, "\x48\x89\x84\x24\xf8\x03\x00\x00"); /* mov %rax,0x3f8(%rsp) */
	PUT(&t, "\x48\x89\x9c\x24\x10\x04\x00\x00"); /* mov %rbx,0x410(%rsp) */
	PUT(&t, "\x48\x8b\x8c\x24\x10\x04\x00\x00"); /* mov 0x410(%rsp),%rcx */
	PUT(&t, "\x48\x89\x8c\x24\x70\x04\x00\x00"); /* mov %rcx,0x470(%rsp) */
	PUT(&t, "\x48\x8b\x8c\x24\xf8\x03\x00\x00"); /* mov 0x3f8(%rsp),%rcx */
	PUT(&t, "\x48\x8b\x94\x24\x70\x04\x00\x00"); /* mov 0x470(%rsp),%rdx */
	PUT(&t, "\x48\x89\x94\x24\xc8\x00\x00\x00"); /* mov %rdx,0xc8(%rsp) */
	PUT(&t, "\xeb\x00");
	PUT(&t, "\x48\x83\xbc\x24\xc8\x00\x00\x00\x00"); /* cmpq $0,0xc8(%rsp) */
	PUT(&t, "\x75\x05");				 /* jne +5 */
	success = PUT_JMP(&t);
	failure = put_ret(&t);
	land(&t, success);
	put_ret(&t);
	EXPECT_RETS(find_except(&t, BX), early, failure);
}

/* Go 1.24 grpc (*ClientConn).Invoke; in -race builds results are spilled around racefuncexit */
static void a_result_that_is_handed_on_untested(void **state)
{
	for (int race = 0; race < 2; race++) {
		struct text t = {};
		size_t direct, intercepted, jbe, handed_on;

		PUT(&t, "\x49\x3b\x66\x10");
		jbe = PUT_JBE(&t);
		PUT(&t, "\x48\x85\xd2"); /* test %rdx,%rdx */
		direct = PUT_JE(&t);
		PUT(&t, "\xff\xd1\x5d"); /* call *%rcx; pop %rbp */
		intercepted = put_ret(&t);
		land(&t, direct);
		put_call(&t, CALLEE);
		if (race) {
			PUT(&t, "\x48\x89\x84\x24\x80\x00\x00\x00");
			put_call(&t, RACE);
			PUT(&t, "\x48\x8b\x84\x24\x80\x00\x00\x00");
		}
		PUT(&t, "\x48\x81\xc4\x88\x00\x00\x00\x5d");
		handed_on = put_ret(&t);
		put_call(&t, PANIC);
		PUT(&t, "\x90");
		put_morestack(&t, jbe);
		EXPECT_RETS(find_except(&t, 0), intercepted);
		/* a failure is handed on as well */
		EXPECT_RETS(find_except(&t, AX), intercepted, handed_on);
	}
}

/* -- what is reached -- */

static void both_sides_of_later_branches_are_reached(void **state)
{
	struct text t = {};
	size_t early, success, je, jmp;

	early = put_early_ret(&t);
	put_call(&t, CALLEE);
	PUT(&t, TEST_BX);
	success = put_jump(&t, "\x0f\x85", 2); /* jne */
	put_call(&t, OTHER);
	PUT(&t, TEST_BX); /* another value by now */
	je = PUT_JE(&t);
	put_ret(&t);
	land(&t, je);
	jmp = PUT_JMP(&t);
	land(&t, success);
	put_ret(&t);
	land(&t, jmp);
	put_ret(&t);
	EXPECT_RETS(find_except(&t, BX), early, t.size - 2);
	EXPECT_RETS(find_except(&t, 0), early);
}

static void paths_end_where_nothing_returns(void **state)
{
	static const struct {
		const char *bytes;
		uint64_t callee;
	} ends[] = {{"\x0f\x0b", 0}, {"\xcc", 0}, {"", PANIC}, {"", MORESTACK}, {"", CALLEE}};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct text t = {};
		size_t je;

		put_call(&t, CALLEE);
		PUT(&t, TEST_BX);
		je = PUT_JE(&t);
		put_ret(&t);
		land(&t, je);
		put(&t, ends[i].bytes, strlen(ends[i].bytes));
		if (ends[i].callee)
			put_call(&t, ends[i].callee);
		PUT(&t, "\xb8\x01\x00\x00\x00"); /* mov $1,%eax */
		put_ret(&t);
		if (ends[i].callee == CALLEE) /* whose return is followed on its own */
			EXPECT_RETS(find_except(&t, BX), je + 4);
		else
			EXPECT_RETS(find_except(&t, BX), je + 4, t.size - 1);
	}
}

/* A failure of the second call is none of the first one's success. */
static void each_call_is_followed_to_its_own_success(void **state)
{
	struct text t = {};
	size_t failed, succeeded;

	put_call(&t, CALLEE);
	PUT(&t, TEST_BX);
	failed = put_jump(&t, "\x0f\x85", 2);
	put_call(&t, CALLEE);
	PUT(&t, TEST_BX);
	succeeded = PUT_JE(&t);
	land(&t, failed);
	put_ret(&t);
	land(&t, succeeded);
	put_ret(&t);
	EXPECT_RETS(find_except(&t, BX), succeeded + 4);
}

/* -- what failure reaches too -- */

static void a_ret_of_success_and_failure_is_found(void **state)
{
	struct text t = {};
	size_t early, failed, success, ret;
	struct result r;

	early = put_early_ret(&t);
	put_call(&t, CALLEE);
	PUT(&t, TEST_BX);
	failed = put_jump(&t, "\x0f\x85", 2); /* jne */
	put_call(&t, OTHER);
	success = PUT_JMP(&t);
	land(&t, failed);
	put_call(&t, OTHER);
	land(&t, success);
	ret = put_ret(&t);
	r = find_except(&t, BX);
	EXPECT_RETS(r, early, ret);
	assert_string_equal(r.why.text, "every ret: callee's success has none of its own");
}

/* at a test of the result a path that did not call is told from success, elsewhere it is not */
static void a_ret_of_who_never_called_is_found(void **state)
{
	for (int joins_test = 0; joins_test < 2; joins_test++) {
		struct text t = {};
		size_t never, success, failure, ret;

		never = PUT_JE(&t);
		put_call(&t, CALLEE);
		if (joins_test)
			land(&t, never);
		PUT(&t, TEST_BX);
		success = PUT_JE(&t);
		failure = put_ret(&t);
		if (!joins_test)
			land(&t, never);
		land(&t, success);
		ret = put_ret(&t);
		if (joins_test)
			EXPECT_RETS(find_except(&t, BX), failure);
		else
			EXPECT_RETS(find_except(&t, BX), failure, ret);
	}
}

static void a_jump_table_before_the_call_leads_anywhere(void **state)
{
	struct text t = {};
	size_t success, failure;
	struct result r;

	PUT(&t, "\x74\x02\xff\xe0"); /* je +2; jmp *%rax */
	put_call(&t, CALLEE);
	PUT(&t, TEST_BX);
	success = PUT_JE(&t);
	failure = put_ret(&t);
	land(&t, success);
	put_ret(&t);
	r = find_except(&t, BX);
	EXPECT_RETS(r, failure, failure + 1);
	assert_string_equal(r.why.text, "every ret: a jump table at 0x100002");
}

/* -- when in doubt -- */

static void a_jump_table_on_the_way_spares_nothing(void **state)
{
	struct text reached = {}, elsewhere = {};
	struct result r;

	put_early_ret(&reached);
	put_call(&reached, CALLEE);
	PUT(&reached, "\x74\x02\xff\xe0\xc3"); /* je +2; jmp *%rax; ret */
	r = find_except(&reached, 0);
	EXPECT_RETS(r, 2, 12);
	assert_string_equal(r.why.text, "every ret: a jump table at 0x10000a");

	PUT(&elsewhere, "\x74\x03\xff\xe0\xc3");
	put_call(&elsewhere, CALLEE);
	put_ret(&elsewhere);
	r = find_except(&elsewhere, 0);
	EXPECT_RETS(r, 4);
	assert_string_equal(r.why.text, "");
}

static void bytes_that_do_not_decode_spare_nothing(void **state)
{
	struct text t = {};
	struct result r;

	put_early_ret(&t);
	put_call(&t, CALLEE);
	PUT(&t, "\xeb\x01\xb8\x06\x00\x00\x00\xc3"); /* jmp into the mov */
	r = find_except(&t, 0);
	EXPECT_RETS(r, 2, 15);
	assert_string_equal(r.why.text, "every ret: no instruction at 0x10000b");
}

static void jumps_out_of_the_function_are_no_return(void **state)
{
	struct text t = {};

	put_early_ret(&t);
	put_call(&t, CALLEE);
	lead(&t, PUT_JE(&t), 0x5000);
	lead(&t, PUT_JMP(&t), 0x6000);
	EXPECT_RETS(find_except(&t, 0), 2);
	put_call(&t, CALLEE); /* at the very end */
	EXPECT_RETS(find_except(&t, 0), 2);
}

static void without_a_direct_call_every_ret_is_found(void **state)
{
	struct text t = {};
	struct result r;

	put_early_ret(&t);
	put_call(&t, OTHER);
	put_ret(&t);
	r = find_except(&t, 0);
	EXPECT_RETS(r, 2, 8);
	assert_string_equal(r.why.text, "every ret: no direct call of callee");
}

static void the_last_ret_is_not_spared(void **state)
{
	struct text t = {};
	struct result r;

	PUT(&t, "\x74\x05"); /* je over the call */
	put_call(&t, CALLEE);
	put_ret(&t);
	r = find_except(&t, 0);
	EXPECT_RETS(r, 7);
	assert_string_equal(r.why.text, "every ret: callee's success leads to all");
}

static void arm64_spares_nothing(void **state)
{
	struct text t = {};
	struct result r;

	put_word(&t, 0x54000040); /* b.eq +8 */
	put_word(&t, 0xd65f03c0); /* ret */
	put_bl(&t, CALLEE);
	put_word(&t, 0xd65f03c0);
	r = find_in(GO_ARCH_ARM64, &t, SITE_RETURN, "callee", 0);
	assert_int_equal(r.cnt, 2);
	assert_int_equal(r.site[0].cost, SITE_SIMULATED);
	assert_string_equal(r.why.text, "");
}

/* -- real functions -- */

static const char *name_at(void *ctx, uint64_t addr)
{
	struct function_fact f;
	const char *name = resolve__function_at(ctx, addr, &f);

	return name && f.addr == addr ? name : NULL;
}

static int find_real(struct resolve *r, const char *function, const char *callee, uint32_t results,
		     struct site *out, struct why *why)
{
	struct sites_code code = {.arch = GO_ARCH_AMD64, .function_at = name_at, .ctx = r};
	struct function_fact f;

	assert_int_equal(resolve__function(r, function, &f), 0);
	code.bytes = resolve__bytes(r, f.addr, f.size);
	code.addr = f.addr;
	code.size = f.size;
	assert_non_null(code.bytes);
	return sites__find(&code, SITE_RETURN, callee, results, out, 32, why);
}

/* -N -l builds of Go 1.27 have add, pop and ret on the line of the function's closing brace. */
static int line_of_ret(const struct resolve *r, uint64_t addr)
{
	const int brace = 770;
	const char *file;
	int line;

	assert_int_equal(resolve__line(r, addr, &file, &line), 0);
	if (line == brace)
		assert_int_equal(resolve__line(r, addr - 9, &file, &line), 0);
	return line;
}

/* LINE: of `return resp, nil` in (*Transport).roundTrip, src/net/http/transport.go */
static void check_round_trip(const char *version, const char *mode, int line)
{
	const char *function = "net/http.(*Transport).roundTrip";
	struct resolve *r = fixture__open(SERVER, version, mode);
	struct site all[32], some[32];
	struct why why = {""};
	int all_cnt, some_cnt, n = 0;

	all_cnt = find_real(r, function, NULL, 0, all, &why);
	some_cnt = find_real(r, function, "net/http.(*persistConn).roundTrip", BX, some, &why);
	assert_string_equal(why.text, "");
	assert_true(all_cnt >= 15);
	assert_int_equal(some_cnt, all_cnt - 1);
	while (n < some_cnt && all[n].addr == some[n].addr)
		n++;
	assert_int_equal(line_of_ret(r, all[n].addr), line);

	/* its caller has one RET, for success and failure */
	some_cnt = find_real(r, "net/http.(*Transport).RoundTrip", function, 0, some, &why);
	assert_int_equal(some_cnt, 1);
	assert_string_equal(why.text, "every ret: net/http.(*Transport).roundTrip's success leads "
				      "to all");
	resolve__free(r);
}

static void only_the_success_of_a_real_round_trip_is_spared(void **state)
{
	static const struct {
		const char *version;
		int line;
	} built[] = {{"1.19.13", 599}, {"1.24.9", 708}, {"1.27.1", 737}};

	for (size_t i = 0; i < sizeof(built) / sizeof(built[0]); i++) {
		check_round_trip(built[i].version, "default", built[i].line);
		check_round_trip(built[i].version, "stripped-pie", built[i].line);
		check_round_trip(built[i].version, "unoptimised", built[i].line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_success_of_a_retry_loop_is_spared),
		cmocka_unit_test(a_second_test_of_a_result_is_decided),
		cmocka_unit_test(comparisons_with_other_values_are_looked_past),
		cmocka_unit_test(the_test_of_a_copy_counts),
		cmocka_unit_test(a_result_that_is_handed_on_untested),
		cmocka_unit_test(both_sides_of_later_branches_are_reached),
		cmocka_unit_test(paths_end_where_nothing_returns),
		cmocka_unit_test(each_call_is_followed_to_its_own_success),
		cmocka_unit_test(a_ret_of_success_and_failure_is_found),
		cmocka_unit_test(a_ret_of_who_never_called_is_found),
		cmocka_unit_test(a_jump_table_before_the_call_leads_anywhere),
		cmocka_unit_test(a_jump_table_on_the_way_spares_nothing),
		cmocka_unit_test(bytes_that_do_not_decode_spare_nothing),
		cmocka_unit_test(jumps_out_of_the_function_are_no_return),
		cmocka_unit_test(without_a_direct_call_every_ret_is_found),
		cmocka_unit_test(the_last_ret_is_not_spared),
		cmocka_unit_test(arm64_spares_nothing),
		cmocka_unit_test(only_the_success_of_a_real_round_trip_is_spared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
