/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a record's body, with constants of tests/unit/fixtures/stack. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/body.h"
#include "../offsets/fixtures.h"

struct test {
	struct resolve *r;
	struct span_record record;
	uint8_t bytes[512];
};

static int begin(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	t->r = fixture__open(STACK, "1.27.1", "stripped-pie");
	*state = t;
	return 0;
}

static int end(void **state)
{
	struct test *t = *state;

	resolve__free(t->r);
	free(t);
	return 0;
}

static void add(struct test *t, uint16_t key, uint16_t flags, const void *value, uint16_t len)
{
	struct attribute_header header = {key, len | flags};

	memcpy(t->bytes + t->record.size, &header, sizeof(header));
	memcpy(t->bytes + t->record.size + sizeof(header), value, len);
	t->record.size += (sizeof(header) + len + 3) & ~3;
}

static void add_constant(struct test *t, uint64_t addr, uint64_t len)
{
	struct constant_text text = {addr, len};

	add(t, ATTR_PANIC_TEXT, ATTRIBUTE_CONSTANT, &text, sizeof(text));
}

/* Any bytes that the executable has: its code. */
static uint64_t some_constant(const struct test *t)
{
	struct function_fact f;

	assert_int_equal(resolve__function(t->r, "main.main", &f), 0);
	return f.addr;
}

static void expect(struct body *body, uint16_t key, const void *value, size_t len)
{
	struct row row;

	assert_true(body__next(body, &row));
	assert_int_equal(row.key, key);
	assert_int_equal(row.len, len);
	assert_memory_equal(row.value, value, len);
}

static void rows_come_one_by_one(void **state)
{
	struct test *t = *state;
	struct body body;
	struct row row;

	add(t, ATTR_HTTP_METHOD, 0, "GET", 3);
	add(t, ATTR_HTTP_HOST, 0, "", 0);
	add(t, ATTR_MAX + 1, 0, "later", 5);
	body = body__of(&t->record, t->bytes, NULL);
	expect(&body, ATTR_HTTP_METHOD, "GET", 3);
	expect(&body, ATTR_HTTP_HOST, "", 0);
	expect(&body, ATTR_MAX + 1, "later", 5);
	assert_false(body__next(&body, &row));
	t->record.size--; /* in the padding */
	body = body__of(&t->record, t->bytes, NULL);
	for (int i = 0; i < 3; i++)
		assert_true(body__next(&body, &row));
	t->record.size -= 3;
	body = body__of(&t->record, t->bytes, NULL);
	for (int i = 0; i < 2; i++)
		assert_true(body__next(&body, &row));
	assert_false(body__next(&body, &row));
}

static void a_constant_is_read_from_the_executable(void **state)
{
	struct test *t = *state;
	uint64_t addr = some_constant(t);
	struct body body;

	add_constant(t, addr, 12);
	add(t, ATTR_HTTP_METHOD, 0, "GET", 3);
	body = body__of(&t->record, t->bytes, t->r);
	expect(&body, ATTR_PANIC_TEXT, resolve__bytes(t->r, addr, 12), 12);
	expect(&body, ATTR_HTTP_METHOD, "GET", 3);
	body = body__of(&t->record, t->bytes, NULL);
	expect(&body, ATTR_PANIC_TEXT, "", 0);
}

static void what_can_be_written_to_is_no_constant(void **state)
{
	struct test *t = *state;
	uint64_t data = resolve__end(t->r) - 64;
	struct body body;

	assert_non_null(resolve__bytes(t->r, data, 8));
	add_constant(t, data, 8);
	add_constant(t, resolve__constants_end(t->r) - 4, 8);
	add_constant(t, some_constant(t), TEXT_MAX + 1);
	add_constant(t, UINT64_MAX - 4, 8);
	add(t, ATTR_PANIC_TEXT, ATTRIBUTE_CONSTANT, "cut", 3);
	body = body__of(&t->record, t->bytes, t->r);
	for (int i = 0; i < 5; i++)
		expect(&body, ATTR_PANIC_TEXT, "", 0);
}

static void a_value_may_be_a_constant(void **state)
{
	struct test *t = *state;
	struct panic_value value = {.type = 1, .constant = some_constant(t)}, read;
	struct body body;
	struct row row;

	add(t, ATTR_PANIC, 0, &value, sizeof(value));
	value.constant = 0;
	value.value[0] = 7;
	add(t, ATTR_PANIC, 0, &value, sizeof(value));
	add(t, ATTR_PANIC, 0, &value, 8);
	body = body__of(&t->record, t->bytes, t->r);
	assert_true(body__next(&body, &row) && body__value(&body, &row, &read));
	assert_memory_equal(read.value, resolve__bytes(t->r, some_constant(t), PANIC_VALUE_MAX),
			    PANIC_VALUE_MAX);
	assert_true(body__next(&body, &row) && body__value(&body, &row, &read));
	assert_memory_equal(&read, &value, sizeof(value));
	assert_true(body__next(&body, &row));
	assert_false(body__value(&body, &row, &read));
}

static void a_type_may_be_told_by_its_itab(void **state)
{
	struct test *t = *state;
	struct panic_value value = {.type = 0}, read;
	struct type_fact type;
	uint64_t itab;
	struct body body;
	struct row row;

	assert_int_equal(resolve__itab(t->r, "error", "*errors.errorString", &itab), 0);
	assert_int_equal(resolve__type(t->r, "*errors.errorString", &type), 0);
	value.itab = itab;
	add(t, ATTR_ERROR, 0, &value, sizeof(value));
	value.itab = UINT64_MAX - 4;
	add(t, ATTR_ERROR, 0, &value, sizeof(value));
	t->record.bias = 0x1000;
	body = body__of(&t->record, t->bytes, t->r);
	assert_true(body__next(&body, &row) && body__value(&body, &row, &read));
	assert_int_equal(read.type, type.addr + 0x1000);
	assert_true(body__next(&body, &row) && body__value(&body, &row, &read));
	assert_int_equal(read.type, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(rows_come_one_by_one, begin, end),
		cmocka_unit_test_setup_teardown(a_constant_is_read_from_the_executable, begin, end),
		cmocka_unit_test_setup_teardown(what_can_be_written_to_is_no_constant, begin, end),
		cmocka_unit_test_setup_teardown(a_value_may_be_a_constant, begin, end),
		cmocka_unit_test_setup_teardown(a_type_may_be_told_by_its_itab, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
