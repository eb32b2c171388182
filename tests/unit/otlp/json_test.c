/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "../../../otlp/json.h"
#include "sample.h"

static void assert_span_json(const struct otlp_span *span, const char *expected)
{
	struct bytes packed = { 0 }, json = { 0 };

	assert_int_equal(otlp__append_span(&packed, span), 0);
	assert_int_equal(otlp__span_to_json(&packed, &json), 0);
	assert_int_equal(bytes__append(&json, "", 1), 0);
	assert_string_equal((const char *)json.at, expected);
	bytes__free(&packed);
	bytes__free(&json);
}

static void prints_every_field(void **state)
{
	assert_span_json(
		&sample_span,
		"{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"a1a2a3a4a5a6a7a8\","
		"\"traceState\":\"a=b\",\"parentSpanId\":\"b1b2b3b4b5b6b7b8\","
		"\"name\":\"GET /cart/{id}\",\"kind\":2,"
		"\"startTimeUnixNano\":\"1700000000000000001\","
		"\"endTimeUnixNano\":\"1700000000003000000\",\"attributes\":["
		"{\"key\":\"http.request.method\",\"value\":{\"stringValue\":\"GET\"}},"
		"{\"key\":\"url.query\",\"value\":{\"stringValue\":\"\"}},"
		"{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":\"500\"}},"
		"{\"key\":\"n\",\"value\":{\"intValue\":\"-1\"}},"
		"{\"key\":\"t\",\"value\":{\"boolValue\":true}},"
		"{\"key\":\"f\",\"value\":{\"boolValue\":false}},"
		"{\"key\":\"d\",\"value\":{\"doubleValue\":0.25}},"
		"{\"key\":\"l\",\"value\":{\"arrayValue\":{\"values\":"
		"[{\"stringValue\":\"x\"},{\"stringValue\":\"\"}]}}},"
		"{\"key\":\"e\",\"value\":{\"arrayValue\":{}}}],\"droppedAttributesCount\":3,"
		"\"events\":[{\"timeUnixNano\":\"1700000000002000000\",\"name\":\"exception\","
		"\"attributes\":[{\"key\":\"exception.type\","
		"\"value\":{\"stringValue\":\"*errors.errorString\"}}],"
		"\"droppedAttributesCount\":1}],\"droppedEventsCount\":2,"
		"\"links\":[{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\","
		"\"spanId\":\"b1b2b3b4b5b6b7b8\","
		"\"attributes\":[{\"key\":\"k\",\"value\":{\"stringValue\":\"v\"}}],"
		"\"droppedAttributesCount\":4,\"flags\":1}],\"droppedLinksCount\":5,"
		"\"status\":{\"message\":\"boom\",\"code\":2},\"flags\":769}");
}

static void leaves_defaults_out(void **state)
{
	assert_span_json(&root_span,
			 "{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\","
			 "\"spanId\":\"a1a2a3a4a5a6a7a8\",\"name\":\"GET\",\"kind\":2,"
			 "\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\"}");
}

static void escapes_text(void **state)
{
	struct otlp_span span = root_span;

	span.name = (struct otlp_text)TEXT("a\"\\\n\r\t\0\x1b[31m\x7f\xc2\x9b\xc3\xa9/");
	assert_span_json(&span,
			 "{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\","
			 "\"spanId\":\"a1a2a3a4a5a6a7a8\","
			 "\"name\":\"a\\\"\\\\\\n\\r\\t\\u0000\\u001b[31m\\u007f\\u009b\xc3\xa9/\","
			 "\"kind\":2,\"startTimeUnixNano\":\"1\",\"endTimeUnixNano\":\"2\"}");
}

static void prints_doubles_shortest(void **state)
{
	static const struct {
		double real;
		const char *text;
	} cases[] = {
		{ 0.1, "0.1" },
		{ 0, "0" },
		{ 1.0 / 3, "0.3333333333333333" },
		{ 1e300, "1e+300" },
		{ 5e-324, "4.94065645841247e-324" },
		{ NAN, "\"NaN\"" },
		{ INFINITY, "\"Infinity\"" },
		{ -INFINITY, "\"-Infinity\"" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct otlp_attribute attribute = { "k", OTLP_DOUBLE, .real = cases[i].real };
		struct bytes resource = { 0 }, traces = { 0 }, spans = { 0 }, json = { 0 };
		struct otlp_scope scope = { "s", NULL, NULL, &spans };
		char expected[256];

		snprintf(expected, sizeof(expected), "\"value\":{\"doubleValue\":%s}",
			 cases[i].text);
		assert_int_equal(otlp__pack_resource(&resource, &attribute, 1), 0);
		assert_int_equal(otlp__append_span(&spans, &root_span), 0);
		assert_int_equal(otlp__append_resource_spans(&traces, &resource, NULL, &scope, 1),
				 0);
		assert_int_equal(otlp__traces_to_json(&traces, &json), 0);
		assert_int_equal(bytes__append(&json, "", 1), 0);
		assert_non_null(strstr((const char *)json.at, expected));
		bytes__free(&resource);
		bytes__free(&traces);
		bytes__free(&spans);
		bytes__free(&json);
	}
}

static void refuses_what_is_not_protobuf(void **state)
{
	struct bytes bad = { (uint8_t *)"\x0a\xff", 2, 2 }, json = { 0 };

	assert_int_equal(otlp__traces_to_json(&bad, &json), -EPROTO);
	assert_int_equal(otlp__span_to_json(&bad, &json), -EPROTO);
	assert_int_equal(json.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_every_field),
		cmocka_unit_test(leaves_defaults_out),
		cmocka_unit_test(escapes_text),
		cmocka_unit_test(prints_doubles_shortest),
		cmocka_unit_test(refuses_what_is_not_protobuf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
