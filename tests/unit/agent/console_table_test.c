/* SPDX-License-Identifier: Apache-2.0 */
/* How exact the table is, and how large it gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/console_table.h"
#include "../../../agent/console_text.h"

#define MS 1000000ull

static struct otlp_text text(const char *s)
{
	return (struct otlp_text){ s, strlen(s) };
}

static unsigned count_lines(const char *printed)
{
	unsigned cnt = 0;

	for (; (printed = strchr(printed, '\n')); printed++)
		cnt++;
	return cnt;
}

static void too_many_routes_share_a_row(void **state)
{
	struct table *table;
	char name[16], *printed;
	size_t len;
	FILE *out = open_memstream(&printed, &len);

	(void)state;
	assert_int_equal(table__new(&table), 0);
	for (unsigned i = 0; i < TABLE_ROUTES + 50; i++) {
		snprintf(name, sizeof(name), "GET /%u", i);
		table__add(table, text(name), MS, false, NULL);
	}
	table__print(table, out, 100, false);
	fclose(out);
	assert_int_equal(count_lines(printed), 2 + TABLE_ROUTES + 1);
	assert_non_null(strstr(printed, " (other)       50 "));
	table__free(table);
	free(printed);
}

/* The error of a percentile, over the whole range: less than 1 %. */
static void percentiles_are_close(void **state)
{
	(void)state;
	for (uint64_t ns = 1; ns < 3600ull * 1000 * MS; ns += ns / 7 + 1) {
		struct table *table;
		char *printed, want[DURATION_BYTES];
		size_t len;
		FILE *out = open_memstream(&printed, &len);
		double got;

		assert_int_equal(table__new(&table), 0);
		table__add(table, text("r"), ns, false, NULL);
		table__add(table, text("r"), 2 * ns + 1000, false, NULL);
		table__print(table, out, 100, false);
		fclose(out);
		got = table__percentile(table, text("r"), 50);
		assert_true(got > ns * 0.992 && got < ns * 1.008);
		format_duration(2 * ns + 1000, want);
		assert_non_null(strstr(printed, want)); /* the maximum is exact */
		table__free(table);
		free(printed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(too_many_routes_share_a_row),
		cmocka_unit_test(percentiles_are_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
