/* SPDX-License-Identifier: Apache-2.0 */
/* Widths, durations, and rows that hold whatever is put into them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/console_text.h"
#include "../../../agent/log.h"

#define MS 1000000ull

static struct otlp_text text(const char *s)
{
	return (struct otlp_text){ s, strlen(s) };
}

static void durations_are_short(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0µs" },		   { 412345, "412µs" },		{ 999499, "999µs" },
		{ 999500, "1.0ms" },	   { 3141592, "3.1ms" },	{ 18400000, "18.4ms" },
		{ 99949000, "99.9ms" },	   { 99951000, "100ms" },	{ 184 * MS, "184ms" },
		{ 1840 * MS, "1.84s" },	   { 12345 * MS, "12.3s" },	{ 125 * 1000 * MS, "2m05s" },
		{ 7260 * 1000 * MS, "2h01m" }, { UINT64_MAX, "5124095h34m" },
	};
	char got[DURATION_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		format_duration(cases[i].ns, got);
		assert_string_equal(got, cases[i].text);
	}
}

static void width_is_that_of_the_screen(void **state)
{
	static const struct {
		const char *text;
		unsigned width;
	} cases[] = {
		{ "", 0 },	{ "abc", 3 },	   { "ü", 1 },	  { "日本", 4 },
		{ "e\u0301", 1 }, { "\xff", 4 },   { "\x1b", 4 }, { "\xf0\x9f\x98\x80", 2 },
		{ "\xed\xa0\x80", 12 } /* a surrogate: three bad bytes */,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(text__width(text(cases[i].text)), cases[i].width);
}

/* The same name in a table and in a message about it looks the same. */
static void rows_and_log_lines_spell_alike(void **state)
{
	static const char *const texts[] = {
		"plain ü 日本", "\x1b[2J\n\x7f", "c1 \xc2\x85\xc2\x9b", "bad \x85\xff\xed\xa0\x80",
		"\xe2\x80\xae\xe2\x80\x8b\xef\xbb\xbf\xc2\xad", "\xf3\xa0\x81\x81",
	};
	char escaped[256];
	struct row row;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		row__start(&row, false);
		row__foreign(&row, text(texts[i]), 200);
		row.at[row.len] = '\0';
		assert_string_equal(row.at, log__escaped(texts[i], escaped, sizeof(escaped)));
		assert_int_equal(row.width, text__width(text(escaped)));
	}
}

static void a_row_never_overflows(void **state)
{
	struct row row;
	char *long_text = malloc(3 * ROW_BYTES);
	char *printed;
	size_t len;
	FILE *out = open_memstream(&printed, &len);

	(void)state;
	memset(long_text, '\033', 3 * ROW_BYTES);
	row__start(&row, true);
	row__style(&row, RED);
	row__foreign(&row, (struct otlp_text){ long_text, 3 * ROW_BYTES }, 4 * ROW_BYTES);
	row__own(&row, "abc");
	row__pad_to(&row, 5 * ROW_BYTES);
	row__style(&row, PLAIN);
	row__print(&row, out);
	fclose(out);
	assert_true(len <= ROW_BYTES + 8);
	assert_string_equal(printed + len - 4, "\033[m\n");
	free(printed);
	free(long_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(durations_are_short),
		cmocka_unit_test(width_is_that_of_the_screen),
		cmocka_unit_test(rows_and_log_lines_spell_alike),
		cmocka_unit_test(a_row_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
