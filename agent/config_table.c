/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_table: the commands and all settings, in the order --help shows them. Specifications:
 * OpenTelemetry 1.60 "Environment Variable Specification" and "OTLP Exporter Configuration";
 * OTEL_GO_AUTO_* as in opentelemetry-go-instrumentation.
 */
#include "config_table.h"

#define FIELD(name) offsetof(struct settings, config.name)
#define RAW(name) offsetof(struct settings, name)

const struct command_row config_commands[] = {
	[COMMAND_SERVICE] = { "", "", "by environment alone: a sidecar or a service" },
	[COMMAND_TRACE] = { "trace", "(--pid PID | --exe PATTERN | :PORT)...",
			    "attach to running processes and show their spans" },
	[COMMAND_RUN] = { "run", "[--] CMD [ARG]...",
			  "start a command and trace it and all Go programs it starts" },
	[COMMAND_PS] = { "ps", "", "list the Go processes that could be traced" },
	[COMMAND_INSPECT] = { "inspect", "(PATH | --pid PID)",
			      "what is in an executable, and what would be probed where" },
	[COMMAND_DOCTOR] = { "doctor", "", "try what this kernel and these capabilities allow" },
	[COMMAND_VERSION] = { "version", "", "print the version" },
};
const size_t config_command_cnt = sizeof(config_commands) / sizeof(config_commands[0]);

/* Query keys whose values are replaced: semconv 1.44's seven (url.full), then usual secrets. */
#define REDACTED_KEYS \
	"AWSAccessKeyId,Signature,sig,X-Goog-Signature,X-Amz-Signature,X-Amz-Credential," \
	"X-Amz-Security-Token,access_token,refresh_token,id_token,token,password,secret,api_key"

#define BOOLEAN "true or false"
#define MILLISECONDS "a number of milliseconds"
#define LIMIT "a number, or none"

const struct setting config_settings[] = {
	/* first, so that it holds for warnings about all others */
	{
		.flag = "log-level", .arg = "LEVEL",
		.env = { "GOSPAN_LOG_LEVEL", "OTEL_LOG_LEVEL" },
		.commands = ON_ALL, .parse = parse_level, .off = FIELD(log_level),
		.accepts = "none, error, warn, info or debug",
		.standard = "info",
		.help = "messages on stderr",
	},

	/* what to trace */
	{
		.flag = "pid", .arg = "PID",
		.env = { "OTEL_GO_AUTO_TARGET_PID" },
		.commands = ON_SERVICE | ON_TRACE | ON_INSPECT, .parse = parse_pid,
		.off = FIELD(pids),
		.accepts = "a process id",
		.help = "this process (trace: may be repeated)",
	},
	{
		.flag = "exe", .arg = "PATTERN",
		.env = { "OTEL_GO_AUTO_TARGET_EXE" },
		.commands = ON_SERVICE | ON_TRACE, .parse = parse_exe, .off = FIELD(exes),
		.accepts = "a path, a name or a glob",
		.help = "every process of this executable, now and later: with a / its whole path"
			" as the process sees it (a relative one from the current directory on), else"
			" its base name; globs are fine; may be repeated",
	},
	{
		.flag = "user", .arg = "USER",
		.commands = ON_RUN, .parse = parse_text, .off = FIELD(run_user),
		.accepts = "a user name or id",
		.help = "run CMD as this user",
	},
	{
		.flag = "best-effort",
		.commands = ON_RUN, .parse = parse_flag, .off = FIELD(best_effort),
		.help = "start CMD even where tracing is impossible",
	},
	{
		.flag = "require", .arg = "LIBRARY",
		.commands = ON_INSPECT, .parse = parse_some, .off = FIELD(require),
		.accepts = "libraries, comma separated",
		.help = "exit 1 if one of these would not be traced: net/http,grpc,chi",
	},
	{
		.flag = "json",
		.commands = ON_INSPECT | ON_DOCTOR, .parse = parse_flag, .off = FIELD(json),
		.help = "one JSON object on stdout",
	},

	/* console */
	{
		.flag = "slow", .arg = "DURATION",
		.commands = ON_TRACE | ON_RUN, .parse = parse_duration, .off = FIELD(slow_ns),
		.accepts = "a duration as 250ms, 10s, 1m30s",
		.help = "show only requests that take at least this long",
	},
	{
		.flag = "errors",
		.commands = ON_TRACE | ON_RUN, .parse = parse_flag, .off = FIELD(errors_only),
		.help = "show only traces in which something failed",
	},
	{
		.flag = "route", .arg = "GLOB",
		.commands = ON_TRACE | ON_RUN, .parse = parse_text, .off = FIELD(route_glob),
		.accepts = "a glob",
		.help = "show only requests of such a route",
	},
	{
		.flag = "for", .arg = "DURATION",
		.commands = ON_TRACE | ON_RUN, .parse = parse_duration, .off = FIELD(for_ns),
		.accepts = "a duration as 250ms, 10s, 1m30s",
		.help = "stop after this time, counted from the first ready line, or from the waiting"
			" line while there is nothing to trace (run: end CMD by SIGTERM, counted from"
			" its start)",
	},
	{
		.flag = "count", .arg = "N",
		.commands = ON_TRACE | ON_RUN, .parse = parse_u64, .off = FIELD(count),
		.accepts = "a number, at least 1",
		.min = 1, .max = UINT64_MAX,
		.help = "stop after so many spans, shown or not (run: end CMD by SIGTERM)",
	},
	{
		.flag = "no-console",
		.commands = ON_TRACE | ON_RUN, .parse = parse_flag, .off = RAW(no_console),
		.help = "do not show spans in the terminal",
	},
	{
		.flag = "otlp-file", .arg = "PATH",
		.commands = ON_TRACE | ON_RUN, .parse = parse_text, .off = FIELD(otlp_file),
		.accepts = "a path or -",
		.help = "append OTLP JSON lines to this file (-: stdout, then without the tree)",
	},

	/* names and resource */
	{
		.flag = "service-name", .arg = "NAME",
		.commands = ON_TRACE | ON_RUN, .parse = parse_text, .off = FIELD(service_name),
		.accepts = "a name",
		.help = "service.name of everything traced",
	},
	{
		.arg = "NAME",
		.env = { "OTEL_SERVICE_NAME" },
		.commands = ON_TRACING, .parse = parse_text, .off = FIELD(own_service_name),
		.accepts = "a name",
		.help = "service.name while a single executable is traced",
	},
	{
		.arg = "PAIRS",
		.env = { "OTEL_RESOURCE_ATTRIBUTES" },
		.commands = ON_TRACING, .parse = parse_pair_list, .off = FIELD(resource_attributes),
		.accepts = "key=value pairs, comma separated",
		.help = "attributes for the resource of every process",
	},
	{
		.arg = "BOOL",
		.env = { "GOSPAN_PROCESS_ARGS" },
		.commands = ON_TRACING, .parse = parse_bool, .off = FIELD(process_args),
		.accepts = BOOLEAN,
		.standard = "false",
		.help = "add the command line to the resource",
	},

	/* spans */
	{
		.flag = "exclude-path", .arg = "GLOB",
		.env = { "GOSPAN_EXCLUDE_PATHS" },
		.commands = ON_TRACING, .parse = parse_list, .off = FIELD(exclude_paths),
		.accepts = "globs, comma separated",
		.help = "do not trace requests for such paths, nor what they cause; may be"
			" repeated",
	},
	{
		.arg = "KEYS",
		.env = { "GOSPAN_REDACT_QUERY" },
		.commands = ON_TRACING, .parse = parse_list, .off = FIELD(redact_query),
		.accepts = "query keys, comma separated",
		.standard = REDACTED_KEYS,
		.help = "query parameters whose values are replaced by REDACTED (a single comma:"
			" none)",
	},
	{
		.flag = "with-sdk", .arg = "HOW",
		.env = { "GOSPAN_WITH_SDK" },
		.commands = ON_TRACING, .parse = parse_with_sdk, .off = FIELD(with_sdk),
		.accepts = "off, fill or all",
		.standard = "fill",
		.help = "of programs in which an OpenTelemetry SDK makes spans, trace nothing, what it"
			" does not cover, or all",
	},
	{
		.arg = "BOOL",
		.env = { "GOSPAN_HTTP_BODY_SIZE" },
		.commands = ON_TRACING, .parse = parse_bool, .off = FIELD(http_body_size),
		.accepts = BOOLEAN,
		.standard = "false",
		.help = "add the sizes of request and response bodies",
	},
	{
		.arg = "BOOL",
		.env = { "GOSPAN_DB_STATEMENT", "OTEL_GO_AUTO_INCLUDE_DB_STATEMENT" },
		.commands = ON_TRACING, .parse = parse_bool, .off = FIELD(db_statement),
		.accepts = BOOLEAN,
		.standard = "true",
		.help = "add the text of SQL statements; literals are replaced by ? where the call"
			" has no arguments",
	},
	{
		.arg = "METHODS",
		.env = { "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS" },
		.commands = ON_TRACING, .parse = parse_list, .off = FIELD(known_methods),
		.accepts = "methods, comma separated",
		.standard = "GET,HEAD,POST,PUT,DELETE,CONNECT,OPTIONS,TRACE,PATCH,QUERY",
		.help = "HTTP methods that are not reported as _OTHER",
	},
	{
		.arg = "SAMPLER",
		.env = { "OTEL_TRACES_SAMPLER" },
		.commands = ON_TRACING, .parse = parse_sampler, .off = FIELD(sampler),
		.accepts = "always_on, always_off, traceidratio or parentbased_ before these",
		.standard = "parentbased_always_on",
		.help = "which traces are kept",
	},
	{
		.arg = "RATIO",
		.env = { "OTEL_TRACES_SAMPLER_ARG" },
		.commands = ON_TRACING, .parse = parse_ratio, .off = FIELD(sampler_ratio),
		.accepts = "a number from 0 to 1",
		.standard = "1",
		.help = "ratio of traceidratio",
	},
	{
		.arg = "NAMES",
		.env = { "OTEL_PROPAGATORS" },
		.commands = ON_TRACING, .parse = parse_propagators,
		.off = FIELD(propagate_trace_context),
		.accepts = "tracecontext, baggage or none, comma separated",
		.standard = "tracecontext,baggage",
		.help = "what carries a trace from process to process",
	},
	{
		.arg = "N",
		.env = { "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
			 "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT" },
		.commands = ON_TRACING, .parse = parse_limit,
		.off = FIELD(attribute_value_length_limit),
		.accepts = LIMIT,
		.standard = "none", .max = UINT32_MAX - 1,
		.help = "characters of an attribute's value",
	},
	{
		.arg = "N",
		.env = { "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_COUNT_LIMIT" },
		.commands = ON_TRACING, .parse = parse_limit, .off = FIELD(attribute_count_limit),
		.accepts = LIMIT,
		.standard = "128", .max = UINT32_MAX - 1,
		.help = "attributes of a span",
	},
	{
		.arg = "N",
		.env = { "OTEL_SPAN_EVENT_COUNT_LIMIT" },
		.commands = ON_TRACING, .parse = parse_limit, .off = FIELD(event_count_limit),
		.accepts = LIMIT,
		.standard = "128", .max = UINT32_MAX - 1,
		.help = "events of a span",
	},
	{
		.arg = "N",
		.env = { "OTEL_SPAN_LINK_COUNT_LIMIT" },
		.commands = ON_TRACING, .parse = parse_limit, .off = FIELD(link_count_limit),
		.accepts = LIMIT,
		.standard = "128", .max = UINT32_MAX - 1,
		.help = "links of a span",
	},
	{
		.arg = "N",
		.env = { "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT" },
		.commands = ON_TRACING, .parse = parse_limit,
		.off = FIELD(event_attribute_count_limit),
		.accepts = LIMIT,
		.standard = "128", .max = UINT32_MAX - 1,
		.help = "attributes of an event",
	},
	{
		.arg = "N",
		.env = { "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT" },
		.commands = ON_TRACING, .parse = parse_limit,
		.off = FIELD(link_attribute_count_limit),
		.accepts = LIMIT,
		.standard = "128", .max = UINT32_MAX - 1,
		.help = "attributes of a link",
	},

	/* export */
	{
		.arg = "BOOL",
		.env = { "OTEL_SDK_DISABLED" },
		.commands = ON_TRACING, .parse = parse_bool, .off = FIELD(sdk_disabled),
		.accepts = BOOLEAN,
		.standard = "false",
		.help = "trace nothing at all",
	},
	{
		.arg = "NAMES",
		.env = { "OTEL_TRACES_EXPORTER" },
		.commands = ON_TRACING, .parse = parse_exporters, .off = FIELD(trace_exporters),
		.accepts = "otlp, console or none, comma separated",
		.standard = "otlp",
		.help = "where spans go; trace and run use otlp only with an endpoint set",
	},
	{
		.arg = "URL",
		.env = { "OTEL_EXPORTER_OTLP_ENDPOINT" },
		.commands = ON_TRACING, .parse = parse_text, .off = RAW(otlp_endpoint),
		.accepts = "a URL",
		.help = "receiver of all signals; the service's default is http://localhost:4318",
	},
	{
		.arg = "URL",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" },
		.commands = ON_TRACING, .parse = parse_text, .off = RAW(otlp_traces_endpoint),
		.accepts = "a URL",
		.help = "receiver of spans, used as it is",
	},
	{
		.arg = "PROTOCOL",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL" },
		.commands = ON_TRACING, .parse = parse_protocol, .off = FIELD(otlp.protocol),
		.accepts = "http/protobuf or grpc",
		.standard = "http/protobuf",
		.help = "how to speak to the receiver",
	},
	{
		.arg = "BOOL",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_INSECURE", "OTEL_EXPORTER_OTLP_INSECURE" },
		.commands = ON_TRACING, .parse = parse_bool, .off = RAW(otlp_insecure),
		.accepts = BOOLEAN,
		.standard = "false",
		.help = "no TLS, for grpc endpoints without http:// or https://",
	},
	{
		.arg = "PAIRS",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS" },
		.commands = ON_TRACING, .parse = parse_headers, .off = FIELD(otlp.headers),
		.accepts = "headers as name=value, comma separated",
		.secret = true,
		.help = "headers of each export request",
	},
	{
		.arg = "NAME",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
			 "OTEL_EXPORTER_OTLP_COMPRESSION" },
		.commands = ON_TRACING, .parse = parse_compression, .off = FIELD(otlp.gzip),
		.accepts = "gzip or none",
		.standard = "none",
		.help = "compression of export requests",
	},
	{
		.arg = "MS",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT" },
		.commands = ON_TRACING, .parse = parse_u32, .off = FIELD(otlp.timeout_ms),
		.accepts = MILLISECONDS,
		.standard = "10000", .min = 0, .max = UINT32_MAX,
		.help = "time for one attempt to export; 0: no limit",
	},
	{
		.arg = "FILE",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
			 "OTEL_EXPORTER_OTLP_CERTIFICATE" },
		.commands = ON_TRACING, .parse = parse_file, .off = FIELD(otlp.certificate),
		.accepts = "a readable PEM file",
		.help = "certificates to trust",
	},
	{
		.arg = "FILE",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
			 "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" },
		.commands = ON_TRACING, .parse = parse_file, .off = FIELD(otlp.client_certificate),
		.accepts = "a readable PEM file",
		.help = "our certificate",
	},
	{
		.arg = "FILE",
		.env = { "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY" },
		.commands = ON_TRACING, .parse = parse_file, .off = FIELD(otlp.client_key),
		.accepts = "a readable PEM file",
		.help = "the key of our certificate",
	},
	{
		.arg = "MS",
		.env = { "OTEL_BSP_SCHEDULE_DELAY" },
		.commands = ON_TRACING, .parse = parse_u32, .off = FIELD(bsp_schedule_delay_ms),
		.accepts = MILLISECONDS,
		.standard = "5000", .min = 0, .max = UINT32_MAX,
		.help = "longest time between exports",
	},
	{
		.arg = "MS",
		.env = { "OTEL_BSP_EXPORT_TIMEOUT" },
		.commands = ON_TRACING, .parse = parse_u32, .off = FIELD(bsp_export_timeout_ms),
		.accepts = MILLISECONDS,
		.standard = "30000", .min = 0, .max = UINT32_MAX,
		.help = "time for an export, retries included; 0: no limit",
	},
	{
		.arg = "N",
		.env = { "OTEL_BSP_MAX_QUEUE_SIZE" },
		.commands = ON_TRACING, .parse = parse_u32, .off = FIELD(bsp_max_queue_size),
		.accepts = "a number from 1 to 1000000",
		.standard = "2048", .min = 1, .max = 1000000,
		.help = "spans that wait for export; more are dropped",
	},
	{
		.arg = "N",
		.env = { "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" },
		.commands = ON_TRACING, .parse = parse_u32,
		.off = FIELD(bsp_max_export_batch_size),
		.accepts = "a number from 1 to 1000000",
		.standard = "512", .min = 1, .max = 1000000,
		.help = "spans of one export",
	},

	/* sizes */
	{
		.arg = "BYTES",
		.env = { "GOSPAN_RING_BYTES" },
		.commands = ON_TRACING, .parse = parse_size, .off = FIELD(ring_bytes),
		.accepts = "a size from 4K to 1G",
		.standard = "8M", .min = 4096, .max = 1 << 30,
		.help = "ring buffer between kernel and agent, rounded up to a power of two",
	},
	{
		.arg = "N",
		.env = { "GOSPAN_MAX_IN_FLIGHT" },
		.commands = ON_TRACING, .parse = parse_u32, .off = FIELD(max_in_flight),
		.accepts = "a number from 1 to 1000000",
		.standard = "4096", .min = 1, .max = 1000000,
		.help = "spans under way at a time",
	},
};
const size_t config_setting_cnt = sizeof(config_settings) / sizeof(config_settings[0]);
