/* SPDX-License-Identifier: Apache-2.0 */
/* Where the contexts of tests/unit/fixtures/contexts hold their parents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/context_types.h"
#include "../offsets/fixtures.h"

struct fixture {
	const char *version;
	const char *mode;
};

static struct fixture fixtures[] = {
	{"1.27.1", "default"},	    {"1.27.1", "stripped-pie"},	 {"1.24.9", "default"},
	{"1.24.9", "stripped-pie"}, {"1.20.14", "default"},	 {"1.20.14", "stripped-pie"},
	{"1.19.13", "default"},	    {"1.19.13", "stripped-pie"},
};

struct expected {
	const char *type;
	uint16_t offset;
	enum context_via via;
	const char *next;
};

/* First, InPlace, Orphan, Ring and Other are not among them, nor what the standard library has. */
static const struct expected everywhere[] = {
	{"*main.Second", 16, CONTEXT_VIA_CONTEXT, NULL},
	{"*main.Outer", 32, CONTEXT_VIA_CONTEXT, NULL},
	{"*main.Held", 16, CONTEXT_VIA_CONTEXT, NULL},
	{"*main.Both", 16, CONTEXT_VIA_CONTEXT, NULL},
	{"*main.Framework", 32, CONTEXT_VIA_REQUEST, NULL},
	{"*main.Preferring", 24, CONTEXT_VIA_CONTEXT, NULL},
	{"*main.Wrapper", 0, CONTEXT_VIA_POINTER, "*main.Framework"},
	{"*main.Deep", 8, CONTEXT_VIA_POINTER, "*main.Base"},
	{"*main.Base", 16, CONTEXT_VIA_POINTER, "*main.Second"},
	{"*main.Plain", 8, CONTEXT_VIA_POINTER, "*main.First"},
	{"*main.Scoped", 8, CONTEXT_VIA_CONTEXT, NULL},
	{"*main.Wide", 8, CONTEXT_VIA_CONTEXT, NULL},
	{"main.ByValue", 8, CONTEXT_VIA_CONTEXT, NULL},
};

/* type timerCtx struct { *cancelCtx; ... }, src/context/context.go, Go 1.20 alone */
static const struct expected in_1_20 = {"*context.timerCtx", 0, CONTEXT_VIA_POINTER,
					"*context.cancelCtx"};

static void expect(const struct resolve *r, const struct context_type *types, size_t cnt,
		   const struct expected *e)
{
	char name[128];
	size_t i = 0;

	for (; i < cnt; i++)
		if (resolve__type_name(r, types[i].type, name, sizeof(name)) > 0 &&
		    !strcmp(name, e->type))
			break;
	if (i == cnt)
		fail_msg("%s is not there", e->type);
	print_message("%s\n", e->type);
	assert_int_equal(types[i].offset, e->offset);
	assert_int_equal(types[i].via, e->via);
	if (e->next) {
		assert_true(resolve__type_name(r, types[i].next, name, sizeof(name)) > 0);
		assert_string_equal(name, e->next);
	} else {
		assert_int_equal(types[i].next, 0);
	}
}

static void finds_parents(void **state)
{
	const struct fixture *f = *state;
	struct resolve *r = fixture__open(CONTEXTS, f->version, f->mode);
	struct context_type types[CONTEXT_TYPES_MAX];
	size_t cnt = context_types__find(r, types);
	size_t expected_cnt = sizeof(everywhere) / sizeof(everywhere[0]);

	for (size_t i = 0; i < expected_cnt; i++)
		expect(r, types, cnt, &everywhere[i]);
	if (!strncmp(f->version, "1.20.", 5)) {
		expect(r, types, cnt, &in_1_20);
		expected_cnt++;
	}
	assert_int_equal(cnt, expected_cnt);
	for (size_t i = 1; i < cnt; i++)
		assert_true(types[i - 1].type < types[i].type);
	resolve__free(r);
}

/* Without net/http, and without context at all. */
static void finds_none(void **state)
{
	const struct fixture *f = *state;
	struct context_type types[CONTEXT_TYPES_MAX];
	struct resolve *r;

	if (!strncmp(f->version, "1.20.", 5))
		skip(); /* only CONTEXTS is built with it */
	r = fixture__open(HELLO, f->version, f->mode);
	assert_int_equal(context_types__find(r, types), 0);
	resolve__free(r);
	r = fixture__open(SERVER, f->version, f->mode);
	assert_int_equal(context_types__find(r, types), 0);
	resolve__free(r);
}

static int count(void *ctx, const struct type_fact *type)
{
	++*(int *)ctx;
	return 0;
}

static void keeps_as_many_as_there_is_room_for(void **state)
{
	struct resolve *r = fixture__open(MANY_CONTEXTS, "1.27.1", "default");
	struct {
		struct context_type types[CONTEXT_TYPES_MAX];
		uint64_t behind;
	} out = {.behind = 42};
	int there = 0;

	assert_int_equal(resolve__each_implementer(r, "context.Context", count, &there), 0);
	assert_true(there >= 36);
	assert_int_equal(context_types__find(r, out.types), CONTEXT_TYPES_MAX);
	assert_int_equal(out.behind, 42);
	for (size_t i = 0; i < CONTEXT_TYPES_MAX; i++) {
		assert_true(!i || out.types[i - 1].type < out.types[i].type);
		assert_int_equal(out.types[i].via, CONTEXT_VIA_CONTEXT);
		assert_int_equal(out.types[i].offset, 8);
	}
	resolve__free(r);
}

int main(void)
{
	enum { FIXTURES = sizeof(fixtures) / sizeof(fixtures[0]) };
	struct CMUnitTest tests[2 * FIXTURES + 1];

	for (size_t i = 0; i < FIXTURES; i++) {
		tests[2 * i] = (struct CMUnitTest)cmocka_unit_test(finds_parents);
		tests[2 * i + 1] = (struct CMUnitTest)cmocka_unit_test(finds_none);
		tests[2 * i].initial_state = tests[2 * i + 1].initial_state = &fixtures[i];
	}
	tests[2 * FIXTURES] =
		(struct CMUnitTest)cmocka_unit_test(keeps_as_many_as_there_is_room_for);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
