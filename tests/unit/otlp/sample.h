/* SPDX-License-Identifier: Apache-2.0 */
/* A span that uses every field, for the tests of otlp/. */
#ifndef GOSPAN_TESTS_OTLP_SAMPLE_H
#define GOSPAN_TESTS_OTLP_SAMPLE_H

#include "../../../otlp/span.h"

#define TEXT(literal) { literal, sizeof(literal) - 1 }
#define TRACE_ID { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 }
#define SPAN_ID { 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8 }
#define PARENT_ID { 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8 }

static const struct otlp_text sample_texts[] = { TEXT("x"), TEXT("") };

static const struct otlp_attribute sample_attributes[] = {
	{ "http.request.method", OTLP_TEXT, .text = TEXT("GET") },
	{ "url.query", OTLP_TEXT, .text = TEXT("") },
	{ "http.response.status_code", OTLP_INT, .number = 500 },
	{ "n", OTLP_INT, .number = -1 },
	{ "t", OTLP_BOOL, .truth = true },
	{ "f", OTLP_BOOL, .truth = false },
	{ "d", OTLP_DOUBLE, .real = 0.25 },
	{ "l", OTLP_TEXTS, .texts = { sample_texts, 2 } },
	{ "e", OTLP_TEXTS, .texts = { NULL, 0 } },
};

static const struct otlp_attribute sample_event_attributes[] = {
	{ "exception.type", OTLP_TEXT, .text = TEXT("*errors.errorString") },
};

static const struct otlp_event sample_events[] = {
	{ 1700000000002000000, TEXT("exception"), sample_event_attributes, 1, 1, false },
};

static const struct otlp_attribute sample_link_attributes[] = {
	{ "k", OTLP_TEXT, .text = TEXT("v") },
};

static const struct otlp_link sample_links[] = {
	{ TRACE_ID, PARENT_ID, 1, sample_link_attributes, 1, 4 },
};

static const struct otlp_span sample_span = {
	.trace_id = TRACE_ID,
	.span_id = SPAN_ID,
	.parent_id = PARENT_ID,
	.flags = 1 | OTLP_FLAG_HAS_IS_REMOTE | OTLP_FLAG_IS_REMOTE,
	.kind = OTLP_SERVER,
	.start_unix_ns = 1700000000000000001,
	.end_unix_ns = 1700000000003000000,
	.name = TEXT("GET /cart/{id}"),
	.trace_state = TEXT("a=b"),
	.status = OTLP_STATUS_ERROR,
	.status_message = TEXT("boom"),
	.attributes = sample_attributes,
	.attribute_cnt = sizeof(sample_attributes) / sizeof(sample_attributes[0]),
	.dropped_attribute_cnt = 3,
	.events = sample_events,
	.event_cnt = 1,
	.dropped_event_cnt = 2,
	.links = sample_links,
	.link_cnt = 1,
	.dropped_link_cnt = 5,
};

/* As few fields as a span can have. */
static const struct otlp_span root_span = {
	.trace_id = TRACE_ID,
	.span_id = SPAN_ID,
	.kind = OTLP_SERVER,
	.start_unix_ns = 1,
	.end_unix_ns = 2,
	.name = TEXT("GET"),
};

#endif
