/* SPDX-License-Identifier: Apache-2.0 */
/* The environment: which variable counts, and what a wrong one does. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "parse_args.h"

static void test_order_of_sources(void **state)
{
	setenv("OTEL_LOG_LEVEL", "ERROR", 1);
	assert_parses("trace");
	assert_int_equal(config->log_level, LOG_ERROR);
	setenv("GOSPAN_LOG_LEVEL", "debug", 1);
	assert_parses("trace");
	assert_int_equal(config->log_level, LOG_DEBUG);
	assert_parses("trace --log-level none");
	assert_int_equal(config->log_level, LOG_NONE);
	assert_int_equal(log__level(), LOG_NONE);
	setenv("GOSPAN_LOG_LEVEL", "", 1);
	assert_parses("trace");
	assert_int_equal(config->log_level, LOG_ERROR);
	setenv("GOSPAN_LOG_LEVEL", "loud", 1);
	setenv("OTEL_LOG_LEVEL", "warn", 1);
	assert_warns("trace", "GOSPAN_LOG_LEVEL='loud'", "using OTEL_LOG_LEVEL");
	assert_int_equal(config->log_level, LOG_WARN);
}

static void test_wrong_variables_warn_once(void **state)
{
	static const char *const wrong[][3] = {
		{ "OTEL_BSP_SCHEDULE_DELAY", "soon", "using 5000" },
		{ "OTEL_BSP_MAX_QUEUE_SIZE", "-1", "using 2048" },
		{ "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "0", "using 512" },
		{ "OTEL_TRACES_SAMPLER", "jaeger_remote", "using parentbased_always_on" },
		{ "OTEL_TRACES_SAMPLER", "xray", "using parentbased_always_on" },
		{ "OTEL_TRACES_SAMPLER_ARG", "1.5", "using 1" },
		{ "OTEL_TRACES_SAMPLER_ARG", "nan", "using 1" },
		{ "OTEL_PROPAGATORS", "b3", "using tracecontext,baggage" },
		{ "OTEL_TRACES_EXPORTER", "zipkin", "using otlp" },
		{ "OTEL_SDK_DISABLED", "1", "using false" },
		{ "GOSPAN_PROCESS_ARGS", "yes", "using false" },
		{ "OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "using http/protobuf" },
		{ "OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "using none" },
		{ "OTEL_EXPORTER_OTLP_TIMEOUT", "10s", "using 10000" },
		{ "OTEL_EXPORTER_OTLP_CERTIFICATE", "/does/not/exist", "using nothing" },
		{ "OTEL_SPAN_EVENT_COUNT_LIMIT", "many", "using 128" },
		{ "OTEL_GO_AUTO_TARGET_PID", "shop", "using nothing" },
		{ "OTEL_RESOURCE_ATTRIBUTES", "novalue", "using nothing" },
		{ "GOSPAN_RING_BYTES", "1T", "using 8M" },
		{ "GOSPAN_RING_BYTES", "100", "using 8M" },
		{ "GOSPAN_MAX_IN_FLIGHT", "0", "using 4096" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318",
		  "using http://localhost:4318/v1/traces instead; did you mean http://collector:4318?" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317",
		  "did you mean http://collector:4317 with OTEL_EXPORTER_OTLP_PROTOCOL=grpc?" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector",
		  "using http://localhost:4318/v1/traces instead\n" },
		{ "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://",
		  "using http://localhost:4318/v1/traces instead\n" },
	};
	size_t i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		clearenv();
		setenv(wrong[i][0], wrong[i][1], 1);
		assert_warns("", wrong[i][0], wrong[i][2]);
		assert_string_equal(config->otlp.endpoint, "http://localhost:4318/v1/traces");
		assert_int_equal(config->bsp_max_export_batch_size, 512);
	}
}

/* Names of OpenTelemetry's that are not ours, however like ours they look. */
static void test_variables_of_others_are_left_alone(void **state)
{
	static const char *const others[] = {
		"OTEL_BLRP_SCHEDULE_DELAY", "OTEL_BLRP_EXPORT_TIMEOUT", "OTEL_LOGS_EXPORTER",
		"OTEL_BLRP_MAX_QUEUE_SIZE", "OTEL_METRICS_EXPORTER", "OTEL_CONFIG_FILE",
		"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
		"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "OTEL_METRIC_EXPORT_INTERVAL",
		"OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "OTEL_COLLECTOR_SERVICE_HOST", "OTEL_",
	};
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		setenv(others[i], "x", 1);
		assert_parses("trace");
	}
}

static void test_unknown_variables_warn(void **state)
{
	static const char *const unknown[][2] = {
		{ "GOSPAN_LOGLEVEL", "no variable GOSPAN_LOGLEVEL: did you mean GOSPAN_LOG_LEVEL?\n" },
		{ "GOSPAN_EXCLUDE_PATH", "did you mean GOSPAN_EXCLUDE_PATHS?" },
		{ "GOSPAN_RINGBYTES", "did you mean GOSPAN_RING_BYTES?" },
		{ "GOSPAN_SERVICE_NAME", "did you mean OTEL_SERVICE_NAME?" },
		{ "GOSPAN_EXPORTER_OTLP_ENDPOINT", "did you mean OTEL_EXPORTER_OTLP_ENDPOINT?" },
		{ "GOSPAN_FROBNICATE", "no variable GOSPAN_FROBNICATE (gospan --settings lists all)\n" },
		{ "GOSPAN_", "no variable GOSPAN_ (" },
		{ "GOSPAN_PORT", "no variable GOSPAN_PORT (" },
		{ "OTEL_EXPORTER_OLTP_ENDPOINT", "did you mean OTEL_EXPORTER_OTLP_ENDPOINT?" },
		{ "OTEL_GO_AUTO_TARGET_EXEC", "did you mean OTEL_GO_AUTO_TARGET_EXE?" },
		{ "OTEL_TRACE_SAMPLER", "did you mean OTEL_TRACES_SAMPLER?" },
		{ "GOSPAN_A\nB", "no variable GOSPAN_A\\x0aB (" },
	};
	char name[1000];
	size_t i;

	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		clearenv();
		setenv(unknown[i][0], "x", 1);
		assert_warns("", "gospan: config: there is ", unknown[i][1]);
		assert_parses("ps");
		assert_parses("inspect /bin/true");
		setenv(unknown[i][0], "", 1);
		assert_parses("trace");
	}
	clearenv();
	setenv("GOSPAN_LOGLEVEL", "x", 1);
	assert_parses("trace --log-level error");
	memset(name, 'A', sizeof(name));
	memcpy(name, "GOSPAN_", 7);
	name[sizeof(name) - 1] = '\0';
	setenv(name, "x", 1);
	unsetenv("GOSPAN_LOGLEVEL");
	assert_warns("", "AAAA... (", "lists all");
}

static void test_variables_that_are_not_settings(void **state)
{
	setenv("GOSPAN", "/usr/bin/gospan", 1);
	setenv("GOSPANS", "x", 1);
	setenv("OTEL_SOMETHING_NEW", "x", 1);
	/* a pod beside a Service gospan, and one gospan-agent */
	setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1", 1);
	setenv("GOSPAN_SERVICE_HOST", "10.0.0.2", 1);
	setenv("GOSPAN_SERVICE_PORT", "80", 1);
	setenv("GOSPAN_AGENT_SERVICE_PORT_METRICS", "80", 1);
	setenv("GOSPAN_PORT", "tcp://10.0.0.2:80", 1);
	setenv("GOSPAN_AGENT_PORT_80_TCP_ADDR", "10.0.0.2", 1);
	assert_parses("");
	setenv("GOSPAN_LOGLEVEL", "debug", 1);
	assert_warns("", "GOSPAN_LOGLEVEL", "GOSPAN_LOG_LEVEL");
}

static void test_variables_are_not_for_every_command(void **state)
{
	setenv("OTEL_BSP_SCHEDULE_DELAY", "soon", 1);
	setenv("OTEL_GO_AUTO_TARGET_PID", "12", 1);
	assert_parses("ps");
	assert_parses("inspect /bin/true");
	assert_parses("doctor");
	assert_int_equal(config->pid_cnt, 0);
}

static void test_secrets_stay_out_of_messages(void **state)
{
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "s3cret", 1);
	assert_warns("", "OTEL_EXPORTER_OTLP_HEADERS", "using nothing");
	assert_null(strstr(messages, "s3cret"));
	assert_null(config->otlp.headers);
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "api-key=s3cret%20x,b=", 1);
	assert_parses("");
	assert_string_equal(config->otlp.headers, "api-key=s3cret%20x,b=");
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=b,s3cret", 1);
	assert_warns("", "OTEL_EXPORTER_OTLP_HEADERS", "left out: the rest");
	assert_null(strstr(messages, "s3cret"));
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=b,api key=s3cret", 1);
	assert_warns("", "OTEL_EXPORTER_OTLP_HEADERS", "left out: the rest");
	assert_null(strstr(messages, "s3cret"));
	clearenv();
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "user:s3cret@collector:4318", 1);
	assert_warns("", "OTEL_EXPORTER_OTLP_ENDPOINT='...'", "using http://localhost:4318");
	assert_null(strstr(messages, "s3cret"));
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://c:1/?key=s3cret", 1);
	assert_warns("", "OTEL_EXPORTER_OTLP_ENDPOINT='...'", "using http://localhost:4318");
	assert_null(strstr(messages, "s3cret"));
}

static void test_spans_that_go_nowhere_warn(void **state)
{
	assert_warns("trace --no-console", "spans go nowhere", "OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_warns("run --no-console ls", "spans go nowhere", "--otlp-file");
	assert_parses("trace --no-console --otlp-file x");
	assert_parses("trace --otlp-file -");
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", 1);
	assert_parses("trace --no-console");
}

/* What the exporter would not send is not dropped without a word. */
static void test_headers_that_cannot_be_sent_warn(void **state)
{
	static const char *const unusable[] = {
		"api key=x", "a=b%0d%0aEvil: 1", "Content-Type=text/plain", "=x", "x",
	};
	char text[64];
	size_t i;

	for (i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
		setenv("OTEL_EXPORTER_OTLP_HEADERS", unusable[i], 1);
		assert_warns("", "OTEL_EXPORTER_OTLP_HEADERS", "using nothing instead");
		assert_null(config->otlp.headers);
		snprintf(text, sizeof(text), "good=1,%s", unusable[i]);
		setenv("OTEL_EXPORTER_OTLP_HEADERS", text, 1);
		assert_warns("", "OTEL_EXPORTER_OTLP_HEADERS", "left out: the rest");
		assert_string_equal(config->otlp.headers, text);
	}
	setenv("OTEL_EXPORTER_OTLP_HEADERS", "a=b, ,c=50%,", 1);
	assert_parses("");
}

static void test_long_values_are_cut(void **state)
{
	static const char *const names[] = {
		"OTEL_BSP_SCHEDULE_DELAY", "OTEL_PROPAGATORS", "OTEL_RESOURCE_ATTRIBUTES",
		"OTEL_EXPORTER_OTLP_ENDPOINT",
	};
	static char value[128 * 1024];
	size_t i;

	for (i = 0; i < sizeof(value) - 1; i++) /* two bytes a character: none is cut in two */
		value[i] = i % 2 ? '\xa9' : '\xc3';
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		clearenv();
		setenv(names[i], value, 1);
		assert_warns("", names[i], "\xc3\xa9...': it accepts ");
		assert_true(strlen(messages) < 400);
	}
	memcpy(value, "tracecontext,", strlen("tracecontext,"));
	clearenv();
	setenv("OTEL_PROPAGATORS", value, 1);
	assert_warns("", "...': it accepts ", "...\n");
	assert_true(strlen(messages) < 500);
	setenv("GOSPAN_EXCLUDE_PATHS", value, 1);
	unsetenv("OTEL_PROPAGATORS");
	assert_warns("", "1 of 2 excluded paths left out", "...': at most 8 globs of 63");
	assert_int_equal(config->exclude_paths.cnt, 1);
}

static void test_excluded_paths_that_do_not_fit(void **state)
{
	setenv("GOSPAN_EXCLUDE_PATHS", "/1,/2,/3,/4,/5,/6,/7,/8", 1);
	assert_parses("");
	assert_int_equal(config->exclude_paths.cnt, 8);
	setenv("GOSPAN_EXCLUDE_PATHS",
	       "/too/long/too/long/too/long/too/long/too/long/too/long/too/long/x,/1,/2,/3,/4,/5,/6,"
	       "/7,/8,/9", 1);
	assert_warns("", "2 of 10 excluded paths left out", "first '/too/long/");
	assert_int_equal(config->exclude_paths.cnt, 8);
	assert_string_equal(config->exclude_paths.at[0], "/1");
	assert_string_equal(config->exclude_paths.at[7], "/8");
}

static void test_lists_keep_what_is_known(void **state)
{
	setenv("OTEL_PROPAGATORS", "b3, TraceContext ,\x1b[1mxray", 1);
	assert_warns("", "OTEL_PROPAGATORS", "; left out: b3, \\x1b[1mxray\n");
	setenv("OTEL_RESOURCE_ATTRIBUTES", "a=b,\n, novalue,c=%zz", 1);
	unsetenv("OTEL_PROPAGATORS");
	assert_warns("", "OTEL_RESOURCE_ATTRIBUTES", "; left out: \\x0a, novalue, c=%zz\n");
	unsetenv("OTEL_RESOURCE_ATTRIBUTES");
	setenv("OTEL_TRACES_EXPORTER", "zipkin,console", 1);
	assert_warns("", "OTEL_TRACES_EXPORTER", "; left out: zipkin\n");
	unsetenv("OTEL_TRACES_EXPORTER");
	setenv("OTEL_PROPAGATORS", "b3, TraceContext", 1);
	assert_warns("", "OTEL_PROPAGATORS", "; left out: b3\n");
	assert_true(config->propagate_trace_context);
	setenv("OTEL_PROPAGATORS", "baggage", 1);
	assert_parses("");
	assert_false(config->propagate_trace_context);
	setenv("OTEL_PROPAGATORS", "none", 1);
	setenv("OTEL_TRACES_EXPORTER", "console,otlp", 1);
	assert_parses("");
	assert_int_equal(config->trace_exporters, EXPORT_TO_CONSOLE | EXPORT_TO_OTLP);
	assert_true(config->console);
	setenv("OTEL_TRACES_EXPORTER", "none", 1);
	assert_parses("");
	assert_false(config->otlp_wanted);
	setenv("GOSPAN_EXCLUDE_PATHS", "/healthz, /ready*,,", 1);
	setenv("GOSPAN_REDACT_QUERY", ",", 1);
	assert_parses("");
	assert_int_equal(config->exclude_paths.cnt, 2);
	assert_string_equal(config->exclude_paths.at[1], "/ready*");
	assert_int_equal(config->redact_query.cnt, 0);
	assert_parses("trace --exclude-path /a --exclude-path /b");
	assert_int_equal(config->exclude_paths.cnt, 2);
	assert_string_equal(config->exclude_paths.at[0], "/a");
}

static void test_samplers(void **state)
{
	setenv("OTEL_TRACES_SAMPLER", "TraceIdRatio", 1);
	setenv("OTEL_TRACES_SAMPLER_ARG", "0.25", 1);
	assert_parses("");
	assert_int_equal(config->sampler, SAMPLER_TRACE_ID_RATIO);
	assert_false(config->sampler_parent_based);
	assert_true(config->sampler_ratio == 0.25);
	setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio", 1);
	assert_parses("");
	assert_int_equal(config->sampler, SAMPLER_TRACE_ID_RATIO);
	assert_true(config->sampler_parent_based);
	setenv("OTEL_TRACES_SAMPLER", "always_off", 1);
	assert_parses("");
	assert_int_equal(config->sampler, SAMPLER_ALWAYS_OFF);
	assert_false(config->sampler_parent_based);
}

static void assert_endpoint(const char *args, const char *url)
{
	assert_parses(args);
	assert_true(config->otlp_wanted);
	assert_string_equal(config->otlp.endpoint, url);
}

static void test_http_endpoints(void **state)
{
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", 1);
	assert_endpoint("trace", "http://c:4318/v1/traces");
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/base/", 1);
	assert_endpoint("", "https://c/base/v1/traces");
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:1/base?k=v", 1);
	assert_endpoint("", "http://c:1/base/v1/traces?k=v");
	setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://t:2/in", 1);
	assert_endpoint("", "http://t:2/in");
	setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://[::1]:2", 1);
	assert_endpoint("", "http://[::1]:2/");
	/* the wrong one of two does not hide the right one */
	setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "t:2", 1);
	assert_warns("", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT='t:2'",
		     "using OTEL_EXPORTER_OTLP_ENDPOINT instead");
	assert_string_equal(config->otlp.endpoint, "http://c:1/base/v1/traces?k=v");
	unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_warns("trace", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT='t:2'", "using nothing instead");
	assert_false(config->otlp_wanted);
	unsetenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318", 1);
	setenv("OTEL_TRACES_EXPORTER", "none", 1);
	assert_parses("trace");
	assert_false(config->otlp_wanted);
}

static void test_grpc_endpoints(void **state)
{
	setenv("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "GRPC", 1);
	assert_endpoint("", "http://localhost:4317");
	assert_int_equal(config->otlp.protocol, OTLP_GRPC);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317", 1);
	assert_endpoint("", "https://c:4317");
	setenv("OTEL_EXPORTER_OTLP_INSECURE", "true", 1);
	assert_endpoint("", "http://c:4317");
	setenv("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "false", 1);
	assert_endpoint("", "https://c:4317");
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317/ignored?x=1", 1);
	assert_endpoint("", "http://c:4317");
}

static void test_per_signal_variables_come_first(void **state)
{
	setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1000", 1);
	setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "2000", 1);
	setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "GZip", 1);
	setenv("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "64", 1);
	setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "32", 1);
	setenv("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1", 1);
	setenv("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "none", 1);
	assert_parses("");
	assert_int_equal(config->otlp.timeout_ms, 2000);
	assert_true(config->otlp.gzip);
	assert_int_equal(config->attribute_value_length_limit, 64);
	assert_int_equal(config->event_attribute_count_limit, 1);
	assert_int_equal(config->link_attribute_count_limit, UINT32_MAX);
	setenv("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon", 1);
	assert_warns("", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "using OTEL_EXPORTER_OTLP_TIMEOUT");
	assert_int_equal(config->otlp.timeout_ms, 1000);
}

static void test_a_batch_fits_the_queue(void **state)
{
	setenv("OTEL_BSP_MAX_QUEUE_SIZE", "100", 1);
	assert_warns("", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "using 100");
	assert_int_equal(config->bsp_max_export_batch_size, 100);
}

static void test_sizes(void **state)
{
	setenv("GOSPAN_RING_BYTES", "64K", 1);
	setenv("GOSPAN_MAX_IN_FLIGHT", "1", 1);
	assert_parses("");
	assert_int_equal(config->ring_bytes, 65536);
	assert_int_equal(config->max_in_flight, 1);
	setenv("GOSPAN_RING_BYTES", "5000", 1);
	assert_parses("");
	assert_int_equal(config->ring_bytes & (config->ring_bytes - 1), 0);
	assert_true(config->ring_bytes >= 5000);
	setenv("GOSPAN_RING_BYTES", "1G", 1);
	assert_parses("");
	assert_int_equal(config->ring_bytes, 1 << 30);
}

/* The environment of the Operator's container, as in facts: nothing in it deserves a warning. */
static void test_operator_environment(void **state)
{
	setenv("OTEL_NODE_IP", "10.0.0.1", 1);
	setenv("OTEL_POD_IP", "10.0.0.2", 1);
	setenv("OTEL_GO_AUTO_TARGET_EXE", "/hello", 1);
	setenv("OTEL_SERVICE_NAME", "shop", 1);
	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318", 1);
	setenv("OTEL_RESOURCE_ATTRIBUTES_POD_NAME", "shop-1", 1);
	setenv("OTEL_PROPAGATORS", "tracecontext,baggage", 1);
	setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.container.name=app,service.instance.id=d.s.a", 1);
	assert_endpoint("", "http://collector:4318/v1/traces");
	assert_true(config->has_target);
	assert_int_equal(config->exes.cnt, 1);
	assert_string_equal(config->exes.at[0], "/hello");
	assert_string_equal(config->own_service_name, "shop");
	/* a pid says more than a path, a flag more than both */
	setenv("OTEL_GO_AUTO_TARGET_PID", "12", 1);
	assert_parses("");
	assert_int_equal(config->pid_cnt, 1);
	assert_int_equal(config->exes.cnt, 0);
	assert_parses("trace :80");
	assert_int_equal(config->pid_cnt + config->exes.cnt, 0);
	assert_parses("trace --exe x");
	assert_int_equal(config->pid_cnt, 0);
	assert_int_equal(config->exes.cnt, 1);
	assert_parses("run true");
	assert_false(config->has_target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_order_of_sources),
		TEST(test_wrong_variables_warn_once),
		TEST(test_variables_of_others_are_left_alone),
		TEST(test_unknown_variables_warn),
		TEST(test_variables_that_are_not_settings),
		TEST(test_variables_are_not_for_every_command),
		TEST(test_secrets_stay_out_of_messages),
		TEST(test_spans_that_go_nowhere_warn),
		TEST(test_headers_that_cannot_be_sent_warn),
		TEST(test_long_values_are_cut),
		TEST(test_excluded_paths_that_do_not_fit),
		TEST(test_lists_keep_what_is_known),
		TEST(test_samplers),
		TEST(test_http_endpoints),
		TEST(test_grpc_endpoints),
		TEST(test_per_signal_variables_come_first),
		TEST(test_a_batch_fits_the_queue),
		TEST(test_sizes),
		TEST(test_operator_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
