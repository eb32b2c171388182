/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_text: builds functions of a few instructions for the tests of sites and searches in them.
 * The bytes are those that Go's compiler and assembler write (1.19 to 1.27, default, -race and
 * -N -l builds), only shortened in between.
 */
#ifndef GOSPAN_TESTS_SITES_TEXT_H
#define GOSPAN_TESTS_SITES_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../../offsets/sites.h"

enum {
	START = 0x100000,
	MORESTACK = 0x200000,
	CALLEE = 0x200100,
	DEFERRETURN = 0x200200,
	OTHER = 0x200300,
	PANIC = 0x200400,
	RACE = 0x200500,
};

enum { AX = 1 << REG_0, BX = 1 << REG_1, CX = 1 << REG_2, DI = 1 << REG_3, SI = 1 << REG_4 };

static const uint32_t G = 1u << 31;

static const char *function_at(void *ctx, uint64_t addr)
{
	switch (addr) {
	case MORESTACK:
		return "runtime.morestack_noctxt";
	case CALLEE:
		return "callee";
	case DEFERRETURN:
		return "runtime.deferreturn";
	case OTHER:
		return "other";
	case PANIC:
		return "runtime.panicSliceB";
	case RACE:
		return "runtime.racefuncexit";
	default:
		return NULL;
	}
}

/* -- a function under construction -- */

struct text {
	uint8_t bytes[512];
	size_t size;
};

static inline void put(struct text *t, const char *bytes, size_t len)
{
	assert_true(t->size + len <= sizeof(t->bytes));
	memcpy(t->bytes + t->size, bytes, len);
	t->size += len;
}

#define PUT(t, literal) put(t, literal, sizeof(literal) - 1)

static inline void put_word(struct text *t, uint32_t word)
{
	char bytes[] = {(char)word, (char)(word >> 8), (char)(word >> 16), (char)(word >> 24)};

	put(t, bytes, sizeof(bytes));
}

static inline void put_call(struct text *t, uint64_t callee)
{
	PUT(t, "\xe8");
	put_word(t, (uint32_t)(callee - (START + t->size + 4)));
}

/* A jump with a 32-bit displacement whose place is returned for land(). */
static inline size_t put_jump(struct text *t, const char *opcode, size_t len)
{
	put(t, opcode, len);
	put_word(t, 0);
	return t->size - 4;
}

#define PUT_JBE(t) put_jump(t, "\x0f\x86", 2)
#define PUT_JE(t) put_jump(t, "\x0f\x84", 2)
#define PUT_JMP(t) put_jump(t, "\xe9", 1)

static inline void lead(struct text *t, size_t jump, size_t to)
{
	uint32_t distance = (uint32_t)(to - (jump + 4));

	memcpy(t->bytes + jump, &distance, sizeof(distance));
}

static inline void land(struct text *t, size_t jump)
{
	lead(t, jump, t->size);
}

/* The block at a function's end that grows the stack, spilling two arguments around it. */
static inline void put_morestack(struct text *t, size_t jbe)
{
	land(t, jbe);
	PUT(t, "\x48\x89\x44\x24\x08\x48\x89\x5c\x24\x10"); /* mov %rax,8(%rsp); mov %rbx,.. */
	put_call(t, MORESTACK);
	PUT(t, "\x48\x8b\x44\x24\x08\x48\x8b\x5c\x24\x10");
	lead(t, PUT_JMP(t), 0);
}

static inline void put_bl(struct text *t, uint64_t callee)
{
	put_word(t, 0x94000000 | ((callee - (START + t->size)) / 4 & 0x3ffffff));
}

/* -- the search on it -- */

struct result {
	int cnt;
	struct site site[4];
	struct why why;
};

static inline struct result find_in(enum go_arch arch, const struct text *t, enum site_kind kind,
				    const char *callee, uint32_t needed)
{
	struct sites_code code = {
		.arch = arch, .addr = START, .size = t->size, .function_at = function_at};
	uint8_t *exact = test_malloc(t->size ?: 1); /* so that ASan sees a read behind the end */
	struct result r = {};

	memcpy(exact, t->bytes, t->size);
	code.bytes = exact;
	r.cnt = sites__find(&code, kind, callee, needed, r.site, 4, &r.why);
	test_free(exact);
	return r;
}

static inline struct result find(const struct text *t, enum site_kind kind)
{
	return find_in(GO_ARCH_AMD64, t, kind, NULL, 0);
}

static inline struct result find_after(const struct text *t, uint32_t needed)
{
	return find_in(GO_ARCH_AMD64, t, SITE_AFTER, "callee", needed);
}

static inline void expect_one(struct result r, size_t off, enum site_cost cost, uint32_t flags,
			      const char *instruction)
{
	assert_int_equal(r.cnt, 1);
	assert_int_equal(r.site[0].addr - START, off);
	assert_int_equal(r.site[0].cost, cost);
	assert_int_equal(r.site[0].flags, flags);
	assert_string_equal(r.site[0].instruction, instruction);
}

/* -- RETs, but for those behind a callee -- */

#define TEST_BX "\x48\x85\xdb" /* test %rbx,%rbx */

static inline struct result find_except(const struct text *t, uint32_t results)
{
	return find_in(GO_ARCH_AMD64, t, SITE_RETURN, "callee", results);
}

#define EXPECT_RETS(r, ...)                                                                        \
	expect_rets(r, (const size_t[]){__VA_ARGS__},                                              \
		    sizeof((size_t[]){__VA_ARGS__}) / sizeof(size_t))

static inline void expect_rets(struct result r, const size_t *offs, int cnt)
{
	assert_int_equal(r.cnt, cnt);
	for (int i = 0; i < cnt; i++) {
		assert_int_equal(r.site[i].addr - START, offs[i]);
		assert_int_equal(r.site[i].kind, SITE_RETURN);
		assert_int_equal(r.site[i].cost, SITE_STEPPED);
		assert_int_equal(r.site[i].flags, SITE_IS_RET);
	}
}

static inline size_t put_ret(struct text *t)
{
	PUT(t, "\xc3");
	return t->size - 1;
}

/* je over a RET that is there for another reason */
static inline size_t put_early_ret(struct text *t)
{
	PUT(t, "\x74\x01");
	return put_ret(t);
}

#endif
