/* SPDX-License-Identifier: Apache-2.0 */
/* sites: all kinds in arm64 functions. */
#include <errno.h>

#include "sites_text.h"

static void put_words(struct text *t, const uint32_t *words, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		put_word(t, words[i]);
}

/* WORDS, then b.ls over a ret to the morestack block */
static void check_arm64_entry(const uint32_t *words, size_t cnt, bool found)
{
	struct text t = {};
	struct result r;
	size_t off;

	put_words(&t, words, cnt);
	off = t.size;
	put_word(&t, 0x54000069); /* b.ls +12 */
	put_word(&t, 0xf81d0ffe); /* str x30,[sp,#-48]! */
	put_word(&t, 0xd65f03c0); /* ret */
	put_word(&t, 0xf90007e0); /* str x0,[sp,#8] */
	put_word(&t, 0xaa1e03e3); /* mov x3,x30 */
	put_bl(&t, MORESTACK);
	put_word(&t, 0x17fffffc);
	r = find_in(GO_ARCH_ARM64, &t, SITE_ENTRY, NULL, 0);
	assert_int_equal(r.cnt, 1);
	assert_int_equal(r.site[0].addr, found ? START + off : START);
	assert_int_equal(r.site[0].cost, found ? SITE_SIMULATED : SITE_STEPPED);
	assert_int_equal(r.site[0].flags, found ? SITE_DROP_LS : 0);
	assert_int_equal(r.site[0].len, 4);
	assert_memory_equal(r.site[0].instruction, found ? "b.ls 0x" : ".inst 0x", 7);
}

#define CHECK_ARM64_ENTRY(found, ...)                                                              \
	check_arm64_entry((const uint32_t[]){__VA_ARGS__}, sizeof((uint32_t[]){__VA_ARGS__}) / 4,  \
			  found)

static void arm64_entry_is_the_stack_checks_branch(void **state)
{
	const uint32_t ldr = 0xf9400b90; /* ldr x16,[x28,#16] */

	CHECK_ARM64_ENTRY(true, ldr, 0xeb3063ff);	      /* cmp sp,x16 */
	CHECK_ARM64_ENTRY(true, ldr, 0xd10f03f1, 0xeb10023f); /* sub x17,sp,#960; cmp x17,x16 */
	CHECK_ARM64_ENTRY(true, ldr, 0xd14007f1, 0xd10f0231, 0xeb10023f); /* sub in two parts */
	CHECK_ARM64_ENTRY(true, ldr, 0xf13e43f1, 0x540005a3, 0xeb10023f); /* subs; b.lo; cmp */
	CHECK_ARM64_ENTRY(true, ldr, 0xd282021b, 0xeb3b63f1, 0x540005a3, 0xeb10023f);
	CHECK_ARM64_ENTRY(true, ldr, 0xd29e101b, 0xf2a0003b, 0xeb3b63f1, 0x540005a3, 0xeb10023f);
	CHECK_ARM64_ENTRY(false, 0xf9400f90, 0xeb3063ff); /* stackguard1 */
	CHECK_ARM64_ENTRY(false, ldr, 0xeb10023f);	  /* cmp x17 that was never set */
	CHECK_ARM64_ENTRY(false, ldr, 0xd10f03f1, 0xeb3063ff);
	CHECK_ARM64_ENTRY(false, ldr, 0xf13e43f1, 0xeb10023f); /* b.lo missing */
}

static struct result arm64_after(uint32_t word, uint32_t needed)
{
	struct text t = {};

	put_bl(&t, CALLEE);
	put_word(&t, word);
	put_word(&t, 0x54000040); /* b.eq +8 */
	put_word(&t, 0xd503201f);
	put_word(&t, 0xd65f03c0);
	return find_in(GO_ARCH_ARM64, &t, SITE_AFTER, "callee", needed);
}

static bool arm64_passes(uint32_t word, uint32_t needed)
{
	struct result r = arm64_after(word, needed);

	assert_int_equal(r.cnt, 1);
	if (r.site[0].addr == START + 8) {
		assert_string_equal(r.site[0].instruction, "b.eq 0x100010");
		return true;
	}
	assert_int_equal(r.site[0].addr, START + 4);
	return false;
}

static void arm64_after_heeds_every_way_to_write(void **state)
{
	const uint32_t all = 0x1ff | G;

	assert_true(arm64_passes(0xd503201f, all)); /* nop */
	assert_true(arm64_passes(0xf90027e0, all)); /* str x0,[sp,#72] */
	assert_true(arm64_passes(0xa90987e0, all)); /* stp x0,x1,[sp,#152] */
	assert_true(arm64_passes(0xf82068a2, all)); /* str x2,[x5,x0] */
	assert_true(arm64_passes(0xfd0013e0, all)); /* str d0,[sp,#32] */
	assert_true(arm64_passes(0xfd4013e0, all)); /* ldr d0,[sp,#32] */
	assert_true(arm64_passes(0xad4007e0, all)); /* ldp q0,q1,[sp] */
	assert_true(arm64_passes(0xf100003f, all)); /* cmp x1,#0 */
	assert_true(arm64_passes(0xeb01001f, all)); /* cmp x0,x1 */
	assert_true(arm64_passes(0xf94057e9, all)); /* ldr x9,[sp,#168] */
	assert_true(arm64_passes(0xf94057e3, 7));   /* ldr x3,[sp,#168] */
	assert_false(arm64_passes(0xf94057e3, 8));
	assert_false(arm64_passes(0xf85f83e1, 2));    /* ldur x1,[sp,#-8] */
	assert_false(arm64_passes(0xf8606822, 4));    /* ldr x2,[x1,x0] */
	assert_false(arm64_passes(0xa94987e0, 2));    /* ldp x0,x1,[sp,#152] */
	assert_false(arm64_passes(0xf8008420, 2));    /* str x0,[x1],#8 */
	assert_false(arm64_passes(0xa8810440, 4));    /* stp x0,x1,[x2],#16 */
	assert_false(arm64_passes(0x58000041, 2));    /* ldr x1,literal */
	assert_false(arm64_passes(0xf8e10022, 4));    /* ldaddal x1,x2,[x1] */
	assert_false(arm64_passes(0xc85ffc41, 2));    /* ldaxr x1,[x2] */
	assert_false(arm64_passes(0xaa0103e0, 1));    /* mov x0,x1 */
	assert_false(arm64_passes(0x9a811001, 2));    /* csel x1,x0,x1,ne */
	assert_false(arm64_passes(0xd2800020, 1));    /* mov x0,#1 */
	assert_false(arm64_passes(0x9e660001, 2));    /* fmov x1,d0 */
	assert_false(arm64_passes(0xd53bd040, 1));    /* mrs x0,tpidr_el0 */
	assert_false(arm64_passes(0xaa0003fc, G));    /* mov x28,x0 */
	assert_false(arm64_passes(0xd4000001, 0x80)); /* svc */
	assert_false(arm64_passes(0xd4200000, 0));    /* brk */
}

static void arm64_after_is_each_simulated_instruction(void **state)
{
	static const struct {
		uint32_t word;
		const char *text;
	} simulated[] = {
		{0x14000002, "b 0x10000c"},	   {0x94000002, "bl 0x10000c"},
		{0x54000041, "b.ne 0x10000c"},	   {0xb4000040, "cbz x0, 0x10000c"},
		{0x35000041, "cbnz w1, 0x10000c"}, {0x36000040, "tbz w0, 0x10000c"},
		{0xb0001b7b, "adrp x27"},	   {0xd65f03c0, "ret"},
		{0xd63f0040, ".inst 0xd63f0040"},
	};

	for (size_t i = 0; i < sizeof(simulated) / sizeof(*simulated); i++)
		expect_one(arm64_after(simulated[i].word, 0x1ff), 4, SITE_SIMULATED, 0,
			   simulated[i].text);
}

static void arm64_return(void **state)
{
	struct text t = {};

	put_word(&t, 0x910083ff); /* add sp,sp,#32 */
	put_word(&t, 0xd65f03c0);
	put_word(&t, 0);
	expect_one(find_in(GO_ARCH_ARM64, &t, SITE_RETURN, NULL, 0), 4, SITE_SIMULATED, SITE_IS_RET,
		   "ret");
	PUT(&t, "\x01\x02");
	assert_int_equal(find_in(GO_ARCH_ARM64, &t, SITE_RETURN, NULL, 0).cnt, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arm64_entry_is_the_stack_checks_branch),
		cmocka_unit_test(arm64_after_heeds_every_way_to_write),
		cmocka_unit_test(arm64_after_is_each_simulated_instruction),
		cmocka_unit_test(arm64_return),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
