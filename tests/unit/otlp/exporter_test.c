/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OTLP exporter against a receiver that answers by script (tests/harness/receiver.py, where the
 * words of the scripts are explained). Waits are shrunk: back-off starts at 20 ms.
 */
#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "../receiver.h"

static const char *header(const json_t *request, const char *name)
{
	const char *value = json_string_value(
		json_object_get(json_object_get(request, "headers"), name));

	return value ? value : "(none)";
}

static void assert_arrived(struct receiver *r)
{
	json_t *request = receiver__request(r);

	assert_null(json_object_get(request, "error"));
	assert_int_equal(json_array_size(json_object_get(request, "spans")), SPAN_CNT);
	json_decref(request);
}

/* The next request comes over the same connection as the first that was asked about. */
static void assert_keeps_alive(struct receiver *r)
{
	json_t *request = receiver__request(r);
	int connection = (int)json_integer_value(json_object_get(request, "connection"));

	if (!r->connection)
		r->connection = connection;
	assert_int_equal(connection, r->connection);
	json_decref(request);
}

/* -- scripts: what is sent to a receiver, and what must come of it -- */

struct script {
	const char *answers[8];
	enum export_result result;
	uint64_t rejected;
	const char *reason; /* contained; NULL: none at all */
	unsigned attempts; /* exactly; 0: any number */
	uint32_t retry_ms;
};

static void run_script(struct receiver *receiver, const struct script *script,
		       enum otlp_protocol protocol, bool gzip)
{
	struct otlp_settings settings = {
		.protocol = protocol,
		.endpoint = receiver->endpoint,
		.gzip = gzip,
		.retry_ms = script->retry_ms,
		.timeout_ms = 1000,
	};
	struct bench b;

	(void)receiver__play(receiver, script->answers);
	bench__start(&b, &settings);
	submit(&b);
	run_until_done(&b, 1);
	if (b.result != script->result || b.rejected != script->rejected ||
	    (script->reason ? !strstr(b.reason, script->reason) : b.reason[0] != '\0'))
		fail_msg("'%s': result %d, rejected %d: %s", script->answers[0], b.result,
			 (int)b.rejected, b.reason);
	for (unsigned i = 0; i < script->attempts; i++)
		assert_arrived(receiver);
	if (script->attempts)
		assert_int_equal(receiver__play(receiver, script->answers), 0);
	bench__stop(&b);
}

static void run_scripts(const struct script *scripts, size_t cnt, enum otlp_protocol protocol)
{
	const char *args[] = { protocol == OTLP_GRPC ? "--grpc" : NULL, NULL };
	struct receiver receiver;

	receiver__start(&receiver, args);
	for (size_t i = 0; i < cnt; i++)
		run_script(&receiver, &scripts[i], protocol, i % 2);
	receiver__stop(&receiver);
}

#define RUN(scripts, protocol) run_scripts(scripts, sizeof(scripts) / sizeof(scripts[0]), protocol)

static void http_final_answers(void **state)
{
	static const struct script scripts[] = {
		{ { "200" }, EXPORT_OK, 0, NULL, 1, 0 },
		{ { "202" }, EXPORT_OK, 0, NULL, 1, 0 },
		{ { "400" }, EXPORT_REFUSED, 0, "HTTP status 400: status by script", 1, 0 },
		{ { "401" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_HEADERS", 1, 0 },
		{ { "404" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_ENDPOINT", 1, 0 },
		{ { "413" }, EXPORT_REFUSED, 0, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 1, 0 },
		{ { "415" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_PROTOCOL", 1, 0 },
		{ { "500" }, EXPORT_REFUSED, 0, "HTTP status 500", 1, 0 },
		{ { "307;Location=http://x/" }, EXPORT_REFUSED, 0, "to http://x/", 1, 0 },
		{ { "text:400:wrong tenant\\nmore" }, EXPORT_REFUSED, 0, "wrong tenant", 1, 0 },
		{ { "html" }, EXPORT_REFUSED, 0, "web page", 1, 0 },
		{ { "large" }, EXPORT_REFUSED, 0, "larger than 4 MiB", 1, 0 },
		{ { "garbage" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc", 1, 0 },
	};

	RUN(scripts, OTLP_HTTP_PROTOBUF);
}

static void http_partial_success_is_not_retried(void **state)
{
	static const struct script scripts[] = {
		{ { "partial:1:too old" }, EXPORT_OK, 1, "partial success: too old", 1, 0 },
		{ { "partial:0:a warning" }, EXPORT_OK, 0, "a warning", 1, 0 },
		{ { "partial:99:all" }, EXPORT_OK, SPAN_CNT, "all", 1, 0 },
		{ { "json:{\"partialSuccess\":{\"rejectedSpans\":\"1\",\"errorMessage\":\"no\"}}" },
		  EXPORT_OK, 1, "partial success: no", 1, 0 },
		{ { "json:{}" }, EXPORT_OK, 0, NULL, 1, 0 },
		{ { "json:[]" }, EXPORT_OK, 0, "(2 bytes of application/json) is none", 1, 0 },
		{ { "text:200:hello" }, EXPORT_OK, 0, "its answer (5 bytes of text/plain", 1, 0 },
	};

	RUN(scripts, OTLP_HTTP_PROTOBUF);
}

static void http_retries_what_may_be_retried(void **state)
{
	static const struct script scripts[] = {
		{ { "429", "502", "503", "504", "200" }, EXPORT_OK, 0, NULL, 5, 0 },
		{ { "close", "200" }, EXPORT_OK, 0, NULL, 2, 0 },
		{ { "slow:2", "200" }, EXPORT_OK, 0, NULL, 2, 0 },
		{ { "503", "400" }, EXPORT_REFUSED, 0, "HTTP status 400", 2, 0 },
		{ { "503" }, EXPORT_FAILED, 0, "HTTP status 503", 0, 500 },
	};

	RUN(scripts, OTLP_HTTP_PROTOBUF);
}

/* The receiver's gRPC needs python3-h2. */
static void skip_without_h2(void)
{
	if (system("python3 -c 'import h2' 2>/dev/null"))
		skip();
}

static void grpc_final_answers(void **state)
{
	static const struct script scripts[] = {
		{ { "0" }, EXPORT_OK, 0, NULL, 1, 0 },
		{ { "0" }, EXPORT_OK, 0, NULL, 1, 0 },
		{ { "3" }, EXPORT_REFUSED, 0, "3 INVALID_ARGUMENT: by script", 1, 0 },
		{ { "8" }, EXPORT_REFUSED, 0, "8 RESOURCE_EXHAUSTED", 1, 0 },
		{ { "12" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_ENDPOINT", 1, 0 },
		{ { "16" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_HEADERS", 1, 0 },
		{ { "99" }, EXPORT_REFUSED, 0, "99 unknown status", 1, 0 },
		{ { "partial:1:too old" }, EXPORT_OK, 1, "partial success: too old", 1, 0 },
		{ { "http:404" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_PROTOCOL", 1, 0 },
		{ { "http:200" }, EXPORT_REFUSED, 0, "OTEL_EXPORTER_OTLP_PROTOCOL", 1, 0 },
	};

	skip_without_h2();
	RUN(scripts, OTLP_GRPC);
}

static void grpc_retries_what_may_be_retried(void **state)
{
	static const struct script scripts[] = {
		{ { "1", "4", "10", "11", "14", "15", "0" }, EXPORT_OK, 0, NULL, 7, 0 },
		{ { "http:503", "0" }, EXPORT_OK, 0, NULL, 2, 0 },
		{ { "close", "0" }, EXPORT_OK, 0, NULL, 2, 0 },
		{ { "slow:2", "0" }, EXPORT_OK, 0, NULL, 2, 0 },
		{ { "resource_exhausted:0.1", "0" }, EXPORT_OK, 0, NULL, 2, 0 },
		{ { "14" }, EXPORT_FAILED, 0, "14 UNAVAILABLE: by script", 0, 500 },
	};

	skip_without_h2();
	RUN(scripts, OTLP_GRPC);
}

/* -- single behaviours -- */

static uint64_t time_of_retry(const char *answer, enum otlp_protocol protocol)
{
	const char *args[] = { answer, "200", NULL, NULL };
	struct otlp_settings settings = { .protocol = protocol };
	struct receiver receiver;
	uint64_t before;
	struct bench b;

	if (protocol == OTLP_GRPC) {
		args[1] = "0";
		args[2] = "--grpc";
	}
	receiver__start(&receiver, args);
	settings.endpoint = receiver.endpoint;
	bench__start(&b, &settings);
	before = now_ms();
	submit(&b);
	run_until_done(&b, 1);
	assert_int_equal(b.result, EXPORT_OK);
	assert_int_equal(b.down_cnt, 1);
	assert_int_equal(b.up_cnt, 1);
	bench__stop(&b);
	receiver__stop(&receiver);
	return now_ms() - before;
}

static void waits_as_long_as_it_is_told(void **state)
{
	char answer[128], date[64];
	struct tm tm;
	time_t then;

	skip_without_h2();
	assert_in_range(time_of_retry("429;Retry-After=1", OTLP_HTTP_PROTOBUF), 1000, 20000);
	then = time(NULL) + 3; /* less the receiver's start */
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	snprintf(answer, sizeof(answer), "503;Retry-After=%s", date);
	assert_in_range(time_of_retry(answer, OTLP_HTTP_PROTOBUF), 300, 20000);
	assert_in_range(time_of_retry("resource_exhausted:0.5", OTLP_GRPC), 500, 20000);
	assert_in_range(time_of_retry("503", OTLP_HTTP_PROTOBUF), 10, 900);
}

static void sends_what_the_settings_say(void **state)
{
	const char *args[] = { NULL };
	struct otlp_settings settings = {
		.headers = "api-key=a%20b%3D, x = 1 ,bad,=no,content-type=x,evil=a%0d%0ab",
		.user_agent = "gospan/test",
		.gzip = true,
	};
	struct receiver receiver;
	json_t *request;
	struct bench b;

	receiver__start(&receiver, args);
	settings.endpoint = receiver.endpoint;
	bench__start(&b, &settings);
	for (unsigned i = 1; i <= 2; i++) {
		submit(&b);
		run_until_done(&b, i);
		request = receiver__request(&receiver);
		assert_string_equal(header(request, "api-key"), "a b=");
		assert_string_equal(header(request, "x"), "1");
		assert_string_equal(header(request, "evil"), "(none)");
		assert_string_equal(header(request, "user-agent"), "gospan/test");
		assert_string_equal(header(request, "content-encoding"), "gzip");
		assert_string_equal(header(request, "content-type"), "application/x-protobuf");
		assert_string_equal(header(request, "expect"), "(none)");
		/* keep-alive */
		assert_int_equal(json_integer_value(json_object_get(request, "connection")), 1);
		json_decref(request);
	}
	bench__stop(&b);
	receiver__stop(&receiver);
}

static void sends_json(void **state)
{
	const char *args[] = { NULL };
	struct otlp_settings settings = { .protocol = OTLP_HTTP_JSON };
	struct receiver receiver;
	json_t *request, *resource_spans;
	struct bench b;

	receiver__start(&receiver, args);
	settings.endpoint = receiver.endpoint;
	bench__start(&b, &settings);
	submit(&b);
	run_until_done(&b, 1);
	request = receiver__request(&receiver);
	assert_string_equal(header(request, "content-type"), "application/json");
	resource_spans = json_object_get(json_object_get(request, "json"), "resourceSpans");
	assert_int_equal(json_array_size(resource_spans), 1);
	json_decref(request);
	bench__stop(&b);
	receiver__stop(&receiver);
}

static void speaks_tls_with_a_client_certificate(void **state)
{
	static const enum otlp_protocol protocols[] = { OTLP_HTTP_PROTOBUF, OTLP_GRPC };
	char dir[] = "/tmp/gospan-tls-XXXXXX", ca[64], cert[64], key[64], command[64];

	skip_without_h2();
	if (system("openssl version >/dev/null 2>&1"))
		skip();
	assert_non_null(mkdtemp(dir));
	snprintf(ca, sizeof(ca), "%s/ca.pem", dir);
	snprintf(cert, sizeof(cert), "%s/client.pem", dir);
	snprintf(key, sizeof(key), "%s/client.key", dir);
	for (size_t i = 0; i < 2; i++) {
		const char *args[] = { "--tls", dir, i ? "--grpc" : NULL, NULL };
		struct otlp_settings settings = { .protocol = protocols[i], .retry_ms = 1000 };
		struct receiver receiver;
		struct bench b;

		receiver__start(&receiver, args);
		settings.endpoint = receiver.endpoint;
		bench__start(&b, &settings); /* a CA it does not know */
		submit(&b);
		run_until_done(&b, 1);
		assert_int_equal(b.result, EXPORT_FAILED);
		assert_non_null(strstr(b.reason, "OTEL_EXPORTER_OTLP_CERTIFICATE"));
		bench__stop(&b);

		settings.certificate = ca;
		settings.client_certificate = cert;
		settings.client_key = key;
		settings.retry_ms = 10000;
		bench__start(&b, &settings);
		for (unsigned cnt = 1; cnt <= 2; cnt++) {
			submit(&b);
			run_until_done(&b, cnt);
			if (b.result != EXPORT_OK)
				fail_msg("%s", b.reason);
			assert_keeps_alive(&receiver);
		}
		bench__stop(&b);
		receiver__stop(&receiver);
	}
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static void explains_the_wrong_protocol(void **state)
{
	static const struct {
		const char *arg;
		enum otlp_protocol protocol;
		const char *reason;
	} cases[] = {
		{ "--grpc", OTLP_HTTP_PROTOBUF, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc" },
		{ NULL, OTLP_GRPC, "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf" },
	};

	skip_without_h2();
	for (size_t i = 0; i < 2; i++) {
		const char *args[] = { cases[i].arg, NULL };
		struct otlp_settings settings = { .protocol = cases[i].protocol, .retry_ms = 1000 };
		struct receiver receiver;
		struct bench b;

		receiver__start(&receiver, args);
		settings.endpoint = receiver.endpoint;
		bench__start(&b, &settings);
		submit(&b);
		run_until_done(&b, 1);
		assert_true(b.result == EXPORT_REFUSED || b.result == EXPORT_FAILED);
		if (!strstr(b.reason, cases[i].reason))
			fail_msg("%s", b.reason);
		bench__stop(&b);
		receiver__stop(&receiver);
	}
}

static void explains_tls_to_a_plain_port(void **state)
{
	const char *args[] = { NULL };
	struct otlp_settings settings = { .retry_ms = 1000 };
	struct receiver receiver;
	char endpoint[160];
	struct bench b;

	receiver__start(&receiver, args);
	snprintf(endpoint, sizeof(endpoint), "https%s", receiver.endpoint + strlen("http"));
	settings.endpoint = endpoint;
	bench__start(&b, &settings);
	submit(&b);
	run_until_done(&b, 1);
	assert_int_equal(b.result, EXPORT_FAILED);
	if (!strstr(b.reason, "use http://"))
		fail_msg("%s", b.reason);
	bench__stop(&b);
	receiver__stop(&receiver);
}

static void fails_without_a_receiver_and_says_so_once(void **state)
{
	struct otlp_settings settings = {
		.endpoint = "http://user:secret@127.0.0.1:1/v1/traces?key=secret",
		.retry_ms = 200,
	};
	struct bench b;

	bench__start(&b, &settings);
	submit(&b);
	submit(&b);
	assert_int_equal(exporter__pending(b.exporter), 2);
	run_until_done(&b, 2);
	assert_int_equal(b.result, EXPORT_FAILED);
	assert_int_equal(b.down_cnt, 1);
	assert_non_null(strstr(b.reason, "http://127.0.0.1:1/v1/traces: "));
	assert_null(strstr(b.reason, "secret"));
	assert_int_equal(exporter__pending(b.exporter), 0);
	bench__stop(&b);
}

static void takes_two_at_a_time(void **state)
{
	struct otlp_settings settings = { .endpoint = "http://127.0.0.1:1" };
	struct bytes payload = { 0 };
	struct bench b;

	bench__start(&b, &settings);
	submit(&b);
	submit(&b);
	assert_int_equal(bytes__append(&payload, "", 0), 0);
	assert_int_equal(exporter__submit(b.exporter, &payload, 1, on_done, &b), -EAGAIN);
	assert_int_equal(b.done_cnt, 0);
	exporter__free(b.exporter);
	assert_int_equal(b.done_cnt, 2);
	assert_int_equal(b.result, EXPORT_CANCELED);
	close(b.epoll_fd);
}

static void hurries_when_told(void **state)
{
	const char *args[] = { "slow:2", NULL };
	struct otlp_settings settings = { 0 };
	struct receiver receiver;
	uint64_t before;
	struct bench b;

	receiver__start(&receiver, args);
	settings.endpoint = receiver.endpoint;
	bench__start(&b, &settings);
	submit(&b);
	before = now_ms();
	exporter__hurry(b.exporter, 200);
	run_until_done(&b, 1);
	assert_int_equal(b.result, EXPORT_FAILED);
	assert_in_range(now_ms() - before, 190, 20000);
	bench__stop(&b);
	kill(receiver.pid, SIGKILL);
	receiver__stop(&receiver);
}

static void refuses_unusable_settings(void **state)
{
	static const struct {
		struct otlp_settings settings;
		const char *text;
	} cases[] = {
		{ { .endpoint = "ftp://x" }, "ftp://x" },
		{ { .endpoint = "localhost:4318" }, "localhost:4318" },
		{ { .endpoint = "" }, "endpoint" },
		{ { .endpoint = "http://" }, "endpoint" },
		{ { .endpoint = "https://x", .certificate = "/none" }, "'/none'" },
		{ { .endpoint = "https://x", .client_key = "/none" }, "client key" },
	};
	struct otlp_loop loop = { NULL, watch, timer };
	struct exporter *exporter = NULL;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b = { .epoll_fd = -1 };
		char err_text[256] = "";

		loop.ctx = &b;
		assert_int_equal(exporter__new_otlp(&cases[i].settings, &loop, NULL, NULL,
						    &exporter, err_text, sizeof(err_text)),
				 -EINVAL);
		assert_null(exporter);
		assert_non_null(strstr(err_text, cases[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_final_answers),
		cmocka_unit_test(http_partial_success_is_not_retried),
		cmocka_unit_test(http_retries_what_may_be_retried),
		cmocka_unit_test(grpc_final_answers),
		cmocka_unit_test(grpc_retries_what_may_be_retried),
		cmocka_unit_test(waits_as_long_as_it_is_told),
		cmocka_unit_test(sends_what_the_settings_say),
		cmocka_unit_test(sends_json),
		cmocka_unit_test(speaks_tls_with_a_client_certificate),
		cmocka_unit_test(explains_the_wrong_protocol),
		cmocka_unit_test(explains_tls_to_a_plain_port),
		cmocka_unit_test(fails_without_a_receiver_and_says_so_once),
		cmocka_unit_test(takes_two_at_a_time),
		cmocka_unit_test(hurries_when_told),
		cmocka_unit_test(refuses_unusable_settings),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
