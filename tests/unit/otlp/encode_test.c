/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The golden bytes were made by the protobuf Python library from the official
 * opentelemetry-proto files, from the same values as in sample.h.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../../../otlp/encode.h"
#include "sample.h"

#define ROOT_SPAN                                                                                  \
	"0a100102030405060708090a0b0c0d0e0f101208a1a2a3a4a5a6a7a82a0347455430023901000000"           \
	"00000000410200000000000000"
#define RESOURCE                                                                                   \
	"0a160a0c736572766963652e6e616d6512060a0473686f700a120a0b70726f636573732e70696412"           \
	"03189221"

static void assert_hex(const struct bytes *b, const char *expected)
{
	char *hex = calloc(1, 2 * b->len + 1);

	assert_non_null(hex);
	for (size_t i = 0; i < b->len; i++) {
		hex[2 * i] = "0123456789abcdef"[b->at[i] >> 4];
		hex[2 * i + 1] = "0123456789abcdef"[b->at[i] & 15];
	}
	assert_string_equal(hex, expected);
	free(hex);
}

static void packs_every_field(void **state)
{
	struct bytes b = { 0 };

	assert_int_equal(otlp__append_span(&b, &sample_span), 0);
	assert_hex(&b, "12f502" /* ScopeSpans.spans, 373 bytes */
		   "0a100102030405060708090a0b0c0d0e0f101208a1a2a3a4a5a6a7a81a03613d622208b1b2b3b4b5"
		   "b6b7b82a0e474554202f636172742f7b69647d30023901002a36fe9c971741c0c65736fe9c97174a"
		   "1c0a13687474702e726571756573742e6d6574686f6412050a034745544a0f0a0975726c2e717565"
		   "727912020a004a200a19687474702e726573706f6e73652e7374617475735f636f6465120318f403"
		   "4a100a016e120b18ffffffffffffffffff014a070a0174120210014a070a0166120210004a0e0a01"
		   "64120921000000000000d03f4a100a016c120b2a090a030a01780a020a004a070a016512022a0050"
		   "035a3f0980844836fe9c97171209657863657074696f6e1a270a0e657863657074696f6e2e747970"
		   "6512150a132a6572726f72732e6572726f72537472696e67200160026a2d0a100102030405060708"
		   "090a0b0c0d0e0f101208b1b2b3b4b5b6b7b822080a016b12030a01762804350100000070057a0812"
		   "04626f6f6d1802850101030000");
	bytes__free(&b);
}

static void appends_span_after_span(void **state)
{
	struct bytes b = { 0 };

	assert_int_equal(otlp__append_span(&b, &root_span), 0);
	assert_int_equal(otlp__append_span(&b, &root_span), 0);
	assert_hex(&b, "1235" ROOT_SPAN "1235" ROOT_SPAN);
	bytes__free(&b);
}

/* An AnyValue that holds "" is not an AnyValue that holds nothing. */
static void keeps_an_empty_string_value(void **state)
{
	struct otlp_attribute attribute = { "url.query", OTLP_TEXT, .text = { NULL, 0 } };
	struct bytes b = { 0 };

	assert_int_equal(otlp__pack_resource(&b, &attribute, 1), 0);
	assert_hex(&b, "0a0f" "0a0975726c2e717565727912020a00");
	bytes__free(&b);
}

static void keeps_a_nul_in_a_text(void **state)
{
	struct otlp_attribute attribute = { "k", OTLP_TEXT, .text = TEXT("a\0b") };
	struct bytes b = { 0 };

	assert_int_equal(otlp__pack_resource(&b, &attribute, 1), 0);
	assert_hex(&b, "0a0a" "0a016b12050a03610062");
	bytes__free(&b);
}

static void packs_many_attributes(void **state)
{
	enum { CNT = 1000 };
	struct otlp_attribute *attributes = calloc(CNT, sizeof(*attributes));
	struct otlp_span span = root_span;
	struct bytes b = { 0 };

	assert_non_null(attributes);
	for (size_t i = 0; i < CNT; i++)
		attributes[i] = (struct otlp_attribute){ "k", OTLP_INT, .number = 1 };
	span.attributes = attributes;
	span.attribute_cnt = CNT;
	assert_int_equal(otlp__append_span(&b, &span), 0);
	/* 53 bytes without, 9 for each; tag and a length of two bytes */
	assert_int_equal(b.len, 3 + 53 + 9 * CNT);
	free(attributes);
	bytes__free(&b);
}

/* Lengths of three bytes in every place that can have them. */
static void packs_long_texts(void **state)
{
	enum { LEN = 70000 };
	char *text = malloc(LEN + 1);
	struct otlp_text both[2];
	struct otlp_attribute attributes[2];
	struct otlp_event event = { .attributes = attributes, .attribute_cnt = 2 };
	struct otlp_span span = { .events = &event, .event_cnt = 1, .attributes = attributes,
				  .attribute_cnt = 2, .status = OTLP_STATUS_ERROR };
	struct bytes b = { 0 };

	assert_non_null(text);
	memset(text, 'x', LEN);
	text[LEN] = '\0';
	both[0] = both[1] = span.name = span.trace_state = span.status_message = event.name =
		(struct otlp_text){ text, LEN };
	attributes[0] = (struct otlp_attribute){ text, OTLP_TEXT, .text = both[0] };
	attributes[1] = (struct otlp_attribute){ text, OTLP_TEXTS, .texts = { both, 2 } };
	assert_int_equal(otlp__append_span(&b, &span), 0);
	/* 4 texts, 5 in each of two lists of attributes; the rest is tags, lengths, ids */
	assert_in_range(b.len, (4 + 2 * 5) * LEN, (4 + 2 * 5) * (LEN + 16) + 64);
	free(text);
	bytes__free(&b);
}

/* { values { int_value -1 } values { bool_value true } values { double_value 0.5 } values { "x" } } */
static void packs_arrays_of_any_values(void **state)
{
	const struct otlp_attribute items[] = {
		{ NULL, OTLP_INT, .number = -1 },
		{ NULL, OTLP_BOOL, .truth = true },
		{ NULL, OTLP_DOUBLE, .real = 0.5 },
		{ NULL, OTLP_TEXT, .text = TEXT("x") },
	};
	const struct otlp_attribute attributes[] = {
		{ "i", OTLP_ITEMS, .items = { items, 4 } },
		{ "e", OTLP_ITEMS, .items = { items, 0 } },
	};
	struct bytes resource = { 0 };

	assert_int_equal(otlp__pack_resource(&resource, attributes, 2), 0);
	assert_hex(&resource,
		   "0a28" "0a0169" "1223" "2a21"
		   "0a0b" "18ffffffffffffffffff01" "0a02" "1001" "0a09" "21000000000000e03f"
		   "0a03" "0a0178"
		   "0a07" "0a0165" "1202" "2a00");
	bytes__free(&resource);
}

static void puts_the_envelope_around(void **state)
{
	const struct otlp_attribute attributes[] = {
		{ "service.name", OTLP_TEXT, .text = TEXT("shop") },
		{ "process.pid", OTLP_INT, .number = 4242 },
	};
	struct bytes resource = { 0 }, spans = { 0 }, none = { 0 }, traces = { 0 };
	const struct otlp_scope scopes[] = {
		{ "gospan/database/sql", "0.1.0", "https://s/2", &none },
		{ "gospan/net/http", "0.1.0", "https://s/2", &spans },
	};

	assert_int_equal(otlp__pack_resource(&resource, attributes, 2), 0);
	assert_hex(&resource, RESOURCE);
	assert_int_equal(otlp__append_span(&spans, &root_span), 0);
	assert_int_equal(otlp__append_span(&spans, &root_span), 0);
	assert_int_equal(otlp__append_resource_spans(&traces, &resource, "https://s/1", scopes, 2),
			 0);
	assert_hex(&traces, "0ad3010a2c" RESOURCE "1295010a180a0f676f7370616e2f6e65742f68747470"
		   "1205302e312e30" "1235" ROOT_SPAN "1235" ROOT_SPAN
		   "1a0b68747470733a2f2f732f32" "1a0b68747470733a2f2f732f31");
	bytes__free(&resource);
	bytes__free(&spans);
	bytes__free(&traces);
}

static void makes_no_empty_envelope(void **state)
{
	struct bytes resource = { 0 }, none = { 0 }, traces = { 0 };
	const struct otlp_scope scope = { "gospan/net/http", NULL, NULL, &none };

	assert_int_equal(otlp__append_resource_spans(&traces, &resource, NULL, &scope, 1), 0);
	assert_int_equal(traces.len, 0);
	bytes__free(&traces);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packs_every_field),
		cmocka_unit_test(appends_span_after_span),
		cmocka_unit_test(keeps_an_empty_string_value),
		cmocka_unit_test(keeps_a_nul_in_a_text),
		cmocka_unit_test(packs_many_attributes),
		cmocka_unit_test(packs_long_texts),
		cmocka_unit_test(packs_arrays_of_any_values),
		cmocka_unit_test(puts_the_envelope_around),
		cmocka_unit_test(makes_no_empty_envelope),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
