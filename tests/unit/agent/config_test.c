/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: defaults, flags, operands, help and usage errors. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <sys/stat.h>

#include "parse_args.h"

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
	assert_int_equal(config->event_attribute_count_limit, 128);
	assert_int_equal(config->link_attribute_count_limit, 128);
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

static void assert_exe(const char *pattern, const char *folder, const char *expected)
{
	char args[512], path[512];

	snprintf(args, sizeof(args), "trace --exe %s", pattern);
	snprintf(path, sizeof(path), "%s%s", folder, expected);
	assert_parses(args);
	assert_string_equal(config->exes.at[0], path);
}

static void test_relative_patterns(void **state)
{
	char folder[] = "/tmp/gospan-[x]-XXXXXX", before[4096], quoted[64];

	assert_non_null(getcwd(before, sizeof(before)));
	assert_non_null(mkdtemp(folder));
	snprintf(quoted, sizeof(quoted), "/tmp/gospan-\\[x]-%s", folder + strlen("/tmp/gospan-[x]-"));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("bin", 0700), 0);
	close(creat("bin/shop", 0700));
	assert_int_equal(symlink("bin/shop", "current"), 0);
	assert_exe("bin/shop", folder, "/bin/shop");
	assert_exe("./bin//shop", folder, "/bin/shop");
	assert_exe("bin/../bin/shop", folder, "/bin/shop");
	assert_exe("./current", folder, "/bin/shop");
	/* still to be built */
	assert_exe("./later", folder, "/later");
	assert_exe("bin/later", folder, "/bin/later");
	assert_exe("new/bin/later", folder, "/new/bin/later");
	/* globs, in a folder whose name looks like one */
	assert_exe("bin/sh*", quoted, "/bin/sh*");
	assert_exe("./*", quoted, "/*");
	assert_exe("b?n/*/x", quoted, "/b?n/*/x");
	/* these are not paths from here */
	assert_exe("shop", "", "shop");
	assert_exe("sh*", "", "sh*");
	assert_exe("*/bin/shop", "", "*/bin/shop");
	assert_exe("/opt/../a", "", "/opt/../a");
	assert_int_equal(chdir("/"), 0);
	assert_exe("no-such-folder/shop", "", "/no-such-folder/shop");
	assert_int_equal(chdir(folder), 0);
	unlink("current");
	unlink("bin/shop");
	rmdir("bin");
	rmdir(folder);
	/* a current directory that is gone */
	assert_exe("bin/shop", "", "bin/shop");
	assert_int_equal(chdir(before), 0);
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
	assert_usage_error("inspect --require , /bin/true", "--require accepts libraries");
	assert_usage_error("ps --json", "unknown option '--json'");
	assert_usage_error("ps x", "unexpected argument 'x'");
}

static void test_usage_errors(void **state)
{
	assert_usage_error("help tarce", "unknown command 'tarce'");
	assert_usage_error("tarce", "unknown command 'tarce'");
	assert_usage_error("--slow", "unknown option '--slow'");
	assert_usage_error("trace --frob", "unknown option '--frob'");
	assert_usage_error("trace -x", "unknown option '-x'");
	assert_usage_error("trace --pid", "missing value of '--pid'");
	assert_usage_error("trace --errors=1", "no value is taken by '--errors=1'");
	assert_usage_error("trace --pid 0", "--pid accepts");
	assert_usage_error("trace --pid 1x", "--pid accepts");
	assert_usage_error("trace --pid 99999999999", "--pid accepts");
	assert_usage_error("trace 12821", "unexpected argument '12821': did you mean --pid 12821, "
					  "or the port :12821?\n");
	assert_usage_error("trace shop", "unexpected argument 'shop': an executable is named by --exe");
	assert_usage_error("trace 12821x", "unexpected argument '12821x'\n");
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

static void test_color(void **state)
{
	assert_parses("trace");
	assert_false(config->color); /* stdout is a file here */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_defaults),
		TEST(test_trace_takes_targets),
		TEST(test_relative_patterns),
		TEST(test_many_of_a_kind),
		TEST(test_trace_without_target),
		TEST(test_durations),
		TEST(test_console_options),
		TEST(test_run_keeps_the_commands_options),
		TEST(test_inspect_and_doctor),
		TEST(test_usage_errors),
		TEST(test_help_and_version),
		TEST(test_lines_of_help_fit_a_terminal),
		TEST(test_color),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
