/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: what goes is counted, level by level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../../agent/build_span.h"

static const struct config unlimited = {
	.attribute_value_length_limit = UINT32_MAX, .attribute_count_limit = UINT32_MAX,
	.event_count_limit = UINT32_MAX,	    .event_attribute_count_limit = UINT32_MAX,
	.link_count_limit = UINT32_MAX,		    .link_attribute_count_limit = UINT32_MAX,
};

static const struct otlp_attribute of_link[2] = {
	{ "k", OTLP_INT, .number = 1 }, { "l", OTLP_INT, .number = 2 },
};

/* Three attributes, two events and two links with two attributes each. */
static struct build_span *full_span(void)
{
	static struct build_span b;
	struct otlp_event *event;

	build__begin(&b);
	build__text(&b, "a", text_of("gr\u00fcn"));
	build__number(&b, "b", 1);
	build__number(&b, "c", 2);
	for (int i = 0; i < 2; i++) {
		event = build__event(&b, "exception", 1);
		build__event_text(&b, event, "exception.type", text_of("t"));
		build__event_text(&b, event, "exception.message", text_of("message"));
		b.links[b.span.link_cnt++] =
			(struct otlp_link){ .attributes = of_link, .attribute_cnt = 2 };
	}
	return &b;
}

static void nothing_goes_without_limits(void **state)
{
	struct build_span *b = full_span();

	(void)state;
	build__limit(b, &unlimited);
	assert_int_equal(b->span.attribute_cnt, 3);
	assert_int_equal(b->span.event_cnt, 2);
	assert_int_equal(b->span.link_cnt, 2);
	assert_int_equal(b->span.events[1].attribute_cnt, 2);
	assert_int_equal(b->span.links[1].attribute_cnt, 2);
	assert_int_equal(b->span.dropped_attribute_cnt + b->span.dropped_event_cnt +
			 b->span.dropped_link_cnt, 0);
}

static void what_goes_is_counted_where_it_was(void **state)
{
	struct build_span *b = full_span();
	struct config limits = unlimited;

	(void)state;
	limits.attribute_count_limit = 1;
	limits.event_count_limit = 1;
	limits.event_attribute_count_limit = 1;
	limits.link_count_limit = 1;
	limits.link_attribute_count_limit = 0;
	limits.attribute_value_length_limit = 3;
	build__limit(b, &limits);
	assert_int_equal(b->span.attribute_cnt, 1);
	assert_int_equal(b->span.dropped_attribute_cnt, 2);
	assert_true(text_is(b->span.attributes[0].text, "gr\u00fc"));
	assert_int_equal(b->span.event_cnt, 1);
	assert_int_equal(b->span.dropped_event_cnt, 1);
	assert_int_equal(b->span.events[0].attribute_cnt, 1);
	assert_int_equal(b->span.events[0].dropped_attribute_cnt, 1);
	assert_string_equal(b->span.events[0].attributes[0].key, "exception.type");
	assert_int_equal(b->span.link_cnt, 1);
	assert_int_equal(b->span.dropped_link_cnt, 1);
	assert_int_equal(b->span.links[0].attribute_cnt, 0);
	assert_int_equal(b->span.links[0].dropped_attribute_cnt, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_goes_without_limits),
		cmocka_unit_test(what_goes_is_counted_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
