/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: where they come from, in which order, and what a wrong one does. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../agent/config.h"

static struct config *config;
static char messages[16384];

static int set_up(void **state)
{
	clearenv();
	config = NULL;
	return 0;
}

static int tear_down(void **state)
{
	config__free(config);
	log__set_level(LOG_INFO);
	return 0;
}

/* Parses "gospan ARGS", split at spaces; stdout and stderr go to MESSAGES. Returns the result. */
static int parse(const char *args, int *exit_status)
{
	static char words[512];
	char *argv[32] = { "gospan" }, *word;
	int argc = 1, result, saved[2], file;
	ssize_t n;

	strcpy(words, args);
	for (word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	file = memfd_create("messages", MFD_CLOEXEC);
	fflush(stdout);
	saved[0] = dup(STDOUT_FILENO);
	saved[1] = dup(STDERR_FILENO);
	dup2(file, STDOUT_FILENO);
	dup2(file, STDERR_FILENO);
	config__free(config);
	config = NULL;
	log__set_level(LOG_INFO);
	result = config__parse(argc, argv, &config, exit_status);
	fflush(stdout);
	dup2(saved[0], STDOUT_FILENO);
	dup2(saved[1], STDERR_FILENO);
	close(saved[0]);
	close(saved[1]);
	n = pread(file, messages, sizeof(messages) - 1, 0);
	messages[n > 0 ? n : 0] = '\0';
	close(file);
	return result;
}

static void assert_parses(const char *args)
{
	int status = -1;

	assert_int_equal(parse(args, &status), 0);
	assert_int_equal(status, -1);
	assert_string_equal(messages, "");
}

/* Parses with one warning, which holds NAME and INSTEAD. */
static void assert_warns(const char *args, const char *name, const char *instead)
{
	int status = -1;

	assert_int_equal(parse(args, &status), 0);
	assert_non_null(strstr(messages, name));
	assert_non_null(strstr(messages, instead));
	assert_ptr_equal(strchr(messages, '\n'), messages + strlen(messages) - 1);
}

static void assert_usage_error(const char *args, const char *message)
{
	int status = -1;

	assert_int_equal(parse(args, &status), 1);
	assert_int_equal(status, 2);
	assert_non_null(strstr(messages, message));
	assert_null(config);
}

static void test_defaults(void **state)
{
	assert_parses("");
	assert_int_equal(config->command, COMMAND_SERVICE);
	assert_false(config->has_target);
	assert_true(config->otlp_wanted);
	assert_int_equal(config->trace_exporters, EXPORT_TO_OTLP);
	assert_string_equal(config->otlp.endpoint, "http://localhost:4318/v1/traces");
	assert_int_equal(config->otlp.protocol, OTLP_HTTP_PROTOBUF);
	assert_int_equal(config->otlp.timeout_ms, 10000);
	assert_false(config->otlp.gzip);
	assert_false(config->console);
	assert_int_equal(config->bsp_schedule_delay_ms, 5000);
	assert_int_equal(config->bsp_export_timeout_ms, 30000);
	assert_int_equal(config->bsp_max_queue_size, 2048);
	assert_int_equal(config->bsp_max_export_batch_size, 512);
	assert_int_equal(config->sampler, SAMPLER_ALWAYS_ON);
	assert_true(config->sampler_parent_based);
	assert_true(config->propagate_trace_context);
	assert_int_equal(config->attribute_value_length_limit, UINT32_MAX);
	assert_int_equal(config->attribute_count_limit, 128);
	assert_int_equal(config->event_count_limit, 128);
	assert_int_equal(config->link_count_limit, 128);
	assert_int_equal(config->known_methods.cnt, 10);
	assert_int_equal(config->redact_query.cnt, 14);
	assert_string_equal(config->redact_query.at[13], "api_key");
	assert_int_equal(config->exclude_paths.cnt, 0);
	assert_int_equal(config->ring_bytes, 8 << 20);
	assert_int_equal(config->max_in_flight, 4096);
	assert_int_equal(config->log_level, LOG_INFO);
	assert_false(config->sdk_disabled);
}

static void test_trace_takes_targets(void **state)
{
	assert_parses("trace --pid 12 :8080 --exe /opt/a,b --pid=34 --exe shop* :9090");
	assert_true(config->has_target);
	assert_true(config->console);
	assert_false(config->otlp_wanted);
	assert_int_equal(config->pid_cnt, 2);
	assert_int_equal(config->pids[0], 12);
	assert_int_equal(config->pids[1], 34);
	assert_int_equal(config->exes.cnt, 2);
	assert_string_equal(config->exes.at[0], "/opt/a,b");
	assert_string_equal(config->exes.at[1], "shop*");
	assert_int_equal(config->port_cnt, 2);
	assert_int_equal(config->ports[0], 8080);
	assert_int_equal(config->ports[1], 9090);
}

static void test_many_of_a_kind(void **state)
{
	char args[512] = "trace";
	int i;

	for (i = 1; i <= 20; i++)
		sprintf(args + strlen(args), " :%d", i);
	assert_parses(args);
	assert_int_equal(config->port_cnt, 20);
	for (i = 1; i <= 20; i++)
		assert_int_equal(config->ports[i - 1], i);
}

static void test_trace_without_target(void **state)
{
	assert_parses("trace --slow 10ms");
	assert_int_equal(config->command, COMMAND_TRACE);
	assert_false(config->has_target);
}

static void test_durations(void **state)
{
	assert_parses("trace --slow 250ms --for 1m30s");
	assert_int_equal(config->slow_ns, 250000000);
	assert_int_equal(config->for_ns, 90000000000);
	assert_parses("trace --slow 1.5s --for 2h");
	assert_int_equal(config->slow_ns, 1500000000);
	assert_int_equal(config->for_ns, 7200000000000);
	assert_parses("trace --slow 10us --for 0.25ms");
	assert_int_equal(config->slow_ns, 10000);
	assert_int_equal(config->for_ns, 250000);
	assert_usage_error("trace --slow 10", "--slow accepts a duration");
	assert_usage_error("trace --slow 0s", "--slow accepts");
	assert_usage_error("trace --slow s", "--slow accepts");
	assert_usage_error("trace --slow 1x", "--slow accepts");
	assert_usage_error("trace --slow -1s", "--slow accepts");
	assert_usage_error("trace --slow 99999999999999999999s", "--slow accepts");
	assert_usage_error("trace --slow 9999999999h", "--slow accepts");
}

static void test_console_options(void **state)
{
	assert_parses("trace --errors --route /cart/* --count 3 --no-console --otlp-file x.json");
	assert_true(config->errors_only);
	assert_string_equal(config->route_glob, "/cart/*");
	assert_int_equal(config->count, 3);
	assert_false(config->console);
	assert_string_equal(config->otlp_file, "x.json");
	assert_parses("trace --otlp-file -");
	assert_false(config->console);
	assert_parses("run --otlp-file - -- true");
	assert_true(config->console);
	assert_usage_error("trace --count 0", "--count accepts");
}

static void test_run_keeps_the_commands_options(void **state)
{
	assert_parses("run --user nobody --best-effort ls -l --slow x");
	assert_string_equal(config->run_user, "nobody");
	assert_true(config->best_effort);
	assert_string_equal(config->run_argv[0], "ls");
	assert_string_equal(config->run_argv[1], "-l");
	assert_string_equal(config->run_argv[2], "--slow");
	assert_parses("run -- -odd --help");
	assert_string_equal(config->run_argv[0], "-odd");
	assert_usage_error("run", "no command");
	assert_usage_error("run --", "no command");
}

static void test_inspect_and_doctor(void **state)
{
	assert_parses("inspect --json --require net/http,grpc --require x /bin/app");
	assert_string_equal(config->path, "/bin/app");
	assert_true(config->json);
	assert_int_equal(config->require.cnt, 3);
	assert_string_equal(config->require.at[1], "grpc");
	assert_parses("inspect --pid 7");
	assert_null(config->path);
	assert_int_equal(config->pids[0], 7);
	assert_parses("doctor --json");
	assert_int_equal(config->command, COMMAND_DOCTOR);
	assert_parses("ps");
	assert_int_equal(config->command, COMMAND_PS);
	assert_usage_error("inspect", "PATH");
	assert_usage_error("inspect a b", "unexpected argument 'b'");
	assert_usage_error("inspect --pid 1 a", "PATH");
	assert_usage_error("inspect --pid 1 --pid 2", "PATH");
	assert_usage_error("ps --json", "unknown option '--json'");
	assert_usage_error("ps x", "unexpected argument 'x'");
}

static void test_usage_errors(void **state)
{
	assert_usage_error("tarce", "unknown command 'tarce'");
	assert_usage_error("--slow", "unknown option '--slow'");
	assert_usage_error("trace --frob", "unknown option '--frob'");
	assert_usage_error("trace -x", "unknown option '-x'");
	assert_usage_error("trace --pid", "missing value of '--pid'");
	assert_usage_error("trace --pid 0", "--pid accepts");
	assert_usage_error("trace --pid 1x", "--pid accepts");
	assert_usage_error("trace --pid 99999999999", "--pid accepts");
	assert_usage_error("trace 8080", "unexpected argument '8080'");
	assert_usage_error("trace :0", "not a port");
	assert_usage_error("trace :65536", "not a port");
	assert_usage_error("trace :http", "not a port");
	assert_usage_error("trace --exe=", "--exe accepts");
	assert_usage_error("trace --log-level loud", "--log-level accepts");
	assert_usage_error("trace --best-effort", "unknown option");
}

static void test_help_and_version(void **state)
{
	static const char *const commands[] = { "trace", "run", "ps", "inspect", "doctor" };
	char args[64];
	int status;
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		status = -1;
		sprintf(args, "%s --help", commands[i]);
		assert_int_equal(parse(args, &status), 1);
		assert_int_equal(status, 0);
		assert_non_null(strstr(messages, "Usage: gospan "));
		assert_non_null(strstr(messages, commands[i]));
		assert_non_null(strstr(messages, "--log-level"));
	}
	status = -1;
	assert_int_equal(parse("--help", &status), 1);
	assert_int_equal(status, 0);
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		assert_non_null(strstr(messages, commands[i]));
	assert_int_equal(parse("trace --help", &status), 1);
	assert_non_null(strstr(messages, "--slow DURATION"));
	assert_non_null(strstr(messages, "OTEL_BSP_SCHEDULE_DELAY"));
	assert_parses("version");
	assert_int_equal(config->command, COMMAND_VERSION);
	assert_parses("--version");
	assert_int_equal(config->command, COMMAND_VERSION);
}

static void test_lines_of_help_fit_a_terminal(void **state)
{
	int status;
	char *line;

	assert_int_equal(parse("trace --help", &status), 1);
	for (line = strtok(messages, "\n"); line; line = strtok(NULL, "\n"))
		assert_in_range(strlen(line), 0, 100);
}

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
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "ignored" },
		{ "OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://collector", "ignored" },
		{ "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://", "ignored" },
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
}

static void test_lists_keep_what_is_known(void **state)
{
	setenv("OTEL_PROPAGATORS", "b3, TraceContext", 1);
	assert_warns("", "OTEL_PROPAGATORS", "left out");
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
	assert_warns("", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ignored");
	assert_string_equal(config->otlp.endpoint, "http://c:1/base/v1/traces?k=v");
	unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT");
	assert_warns("trace", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ignored");
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
	assert_parses("");
	assert_int_equal(config->otlp.timeout_ms, 2000);
	assert_true(config->otlp.gzip);
	assert_int_equal(config->attribute_value_length_limit, 64);
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
	setenv("GOSPAN_RING_BYTES", "1024M", 1);
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

static void test_color(void **state)
{
	assert_parses("trace");
	assert_false(config->color); /* stdout is a file here */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_trace_takes_targets),
		TEST(test_many_of_a_kind),
		TEST(test_trace_without_target),
		TEST(test_durations),
		TEST(test_console_options),
		TEST(test_run_keeps_the_commands_options),
		TEST(test_inspect_and_doctor),
		TEST(test_usage_errors),
		TEST(test_help_and_version),
		TEST(test_lines_of_help_fit_a_terminal),
		TEST(test_order_of_sources),
		TEST(test_wrong_variables_warn_once),
		TEST(test_variables_are_not_for_every_command),
		TEST(test_secrets_stay_out_of_messages),
		TEST(test_lists_keep_what_is_known),
		TEST(test_samplers),
		TEST(test_http_endpoints),
		TEST(test_grpc_endpoints),
		TEST(test_per_signal_variables_come_first),
		TEST(test_a_batch_fits_the_queue),
		TEST(test_sizes),
		TEST(test_operator_environment),
		TEST(test_color),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
