/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>

#include "../../../offsets/names.h"

static void check_normalised(const char *name, const char *expected)
{
	char buf[256];

	assert_int_equal(name__normalise(name, strlen(name), buf, sizeof(buf)), strlen(expected));
	assert_string_equal(buf, expected);
}

static void normalises(void **state)
{
	check_normalised("net/http.(*conn).serve", "net/http.(*conn).serve");
	check_normalised("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3.Unmarshal");
	check_normalised("vendor/golang.org/x/net/http2/hpack.Encode",
			 "golang.org/x/net/http2/hpack.Encode");
	check_normalised("a.com/b/vendor/c.com/d/vendor/e.com/f.G", "e.com/f.G");
	check_normalised("main.T[a.com/vendor/b.C]", "main.T[a.com/vendor/b.C]");
	check_normalised("my/vendors/x.Y", "my/vendors/x.Y");
	check_normalised("a%zz.b%2", "a%zz.b%2");
	check_normalised("", "");
}

static void refuses_a_small_buffer(void **state)
{
	char buf[4];

	assert_int_equal(name__normalise("abcd", 4, buf, sizeof(buf)), -E2BIG);
	assert_int_equal(name__normalise("abc", 3, buf, sizeof(buf)), 3);
	assert_int_equal(name__normalise("", 0, buf, 0), -E2BIG);
}

static bool equal(const char *a, const char *b)
{
	return name__equal(a, strlen(a), b, strlen(b));
}

static void compares_normalised(void **state)
{
	assert_true(equal("gopkg.in/yaml%2ev3.F", "gopkg.in/yaml.v3.F"));
	assert_true(equal("vendor/x.com/y.F", "a/vendor/x.com/y.F"));
	assert_false(equal("x.com/y.F", "x.com/y.Fn"));
	assert_false(equal("x.com/y.F", "z/x.com/y.F"));
	assert_true(equal("", ""));
}

static void finds_the_package(void **state)
{
	static const char *const cases[][2] = {
		{"net/http.(*conn).serve", "net/http"},
		{"main.main", "main"},
		{"google.golang.org/grpc.(*Server).Serve", "google.golang.org/grpc"},
		{"main.MakePair[go.shape.string,a/b.c]", "main"},
		{"sync/atomic.(*Pointer[net/http.response]).Load", "sync/atomic"},
		{"memeqbody", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(name__package_len(cases[i][0], strlen(cases[i][0])),
				 strlen(cases[i][1]));
}

/* Names that compare equal must land in the same bucket, or look-ups would miss them. */
static void hashes_alike_what_is_equal(void **state)
{
	static const char *const cases[][2] = {
		{"gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml.v3.Unmarshal"},
		{"x.com/a%2eb.F", "x.com/a.b.F"},
		{"vendor/y.F", "y.F"},
		{"a/vendor/y.LongFunctionNameHere", "y.LongFunctionNameHere"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(name__tail_hash(cases[i][0], strlen(cases[i][0]), "/"),
				 name__tail_hash(cases[i][1], strlen(cases[i][1]), "/"));
		assert_int_equal(name__tail_hash(cases[i][0], strlen(cases[i][0]), "./"),
				 name__tail_hash(cases[i][1], strlen(cases[i][1]), "./"));
	}
}

static void index_gives_back_every_number(void **state)
{
	struct name_index index;
	bool seen[100] = {false};

	assert_int_equal(name_index__init(&index, 100), 0);
	for (uint32_t i = 0; i < 100; i++)
		name_index__add(&index, i % 7, i);
	for (uint32_t hash = 0; hash < 7; hash++) {
		for (uint32_t e = name_index__first(&index, hash); e;
		     e = name_index__next(&index, e))
			seen[e - 1] = true;
	}
	for (size_t i = 0; i < 100; i++)
		assert_true(seen[i]);
	name_index__free(&index);
	assert_int_equal(name_index__first(&index, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(normalises),
		cmocka_unit_test(refuses_a_small_buffer),
		cmocka_unit_test(compares_normalised),
		cmocka_unit_test(finds_the_package),
		cmocka_unit_test(hashes_alike_what_is_equal),
		cmocka_unit_test(index_gives_back_every_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
