/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: everything that can be set, from one table (flag, environment, parser, destination,
 * help), which also prints --help and the README's table. Parsed once; then a const struct passed
 * down. A flag beats GOSPAN_* beats OTEL_* beats the default. A wrong flag is a usage error (2); a
 * wrong variable is one warning (name, what it accepts, what is used instead).
 */
#ifndef GOSPAN_AGENT_CONFIG_H
#define GOSPAN_AGENT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log.h"
#include "../otlp/exporter.h"

enum command {
	COMMAND_SERVICE, /* gospan alone: by environment */
	COMMAND_TRACE,
	COMMAND_RUN,
	COMMAND_PS,
	COMMAND_INSPECT,
	COMMAND_DOCTOR,
	COMMAND_VERSION,
};

enum sampler { SAMPLER_ALWAYS_ON, SAMPLER_ALWAYS_OFF, SAMPLER_TRACE_ID_RATIO };

/* What is traced of a program in which an OpenTelemetry SDK makes spans. */
enum with_sdk {
	WITH_SDK_FILL, /* what the SDK's instrumentation does not cover, below the SDK's spans */
	WITH_SDK_OFF,  /* nothing */
	WITH_SDK_ALL,  /* everything */
};

enum trace_exporter { EXPORT_TO_OTLP = 1, EXPORT_TO_CONSOLE = 2 }; /* bits */

struct strings {
	const char **at;
	size_t cnt;
};

struct config {
	enum command command;

	/* what to trace (trace, service); inspect takes pids[0] or path */
	bool has_target; /* any of the next three; trace without: print what ps prints, exit 2 */
	const int *pids;
	size_t pid_cnt;
	struct strings exes;	  /* --exe patterns, OTEL_GO_AUTO_TARGET_EXE */
	const unsigned *ports;
	size_t port_cnt;
	char *const *run_argv;	  /* run -- CMD ARG... */
	const char *run_user;	  /* --user */
	bool best_effort;
	const char *path;	  /* inspect PATH, NULL with a pid */
	struct strings require;	  /* inspect --require */
	bool json;

	/* console */
	bool console;		  /* print the tree */
	bool color;
	uint64_t slow_ns;	  /* 0: all */
	bool errors_only;
	const char *route_glob;	  /* NULL: all */
	uint64_t for_ns;	  /* 0: until stopped */
	uint64_t count;		  /* stop after so many spans; 0: never */

	/* export */
	unsigned trace_exporters; /* bits of enum trace_exporter */
	bool otlp_wanted;	  /* an OTLP endpoint was set, or the service's default applies */
	struct otlp_settings otlp;
	const char *otlp_file;	  /* NULL: none */
	uint32_t bsp_schedule_delay_ms, bsp_export_timeout_ms;
	uint32_t bsp_max_queue_size, bsp_max_export_batch_size;

	/* spans */
	enum sampler sampler;
	bool sampler_parent_based;
	double sampler_ratio;
	bool propagate_trace_context; /* OTEL_PROPAGATORS has tracecontext */
	uint32_t attribute_value_length_limit; /* UINT32_MAX: none */
	uint32_t attribute_count_limit, event_count_limit, link_count_limit;
	uint32_t event_attribute_count_limit, link_attribute_count_limit;
	struct strings known_methods;
	struct strings exclude_paths; /* globs */
	struct strings redact_query;  /* keys */
	bool db_statement;
	bool http_body_size;
	enum with_sdk with_sdk;

	/* resource */
	const char *service_name;	  /* --service-name */
	const char *own_service_name;	  /* own OTEL_SERVICE_NAME */
	const char *resource_attributes;  /* own OTEL_RESOURCE_ATTRIBUTES, raw */
	bool process_args;

	/* sizes */
	uint32_t ring_bytes; /* power of two, multiple of the page size */
	uint32_t max_in_flight;

	bool sdk_disabled;
	enum log_level log_level;
};

/*
 * Parses arguments and environment, and sets the log level. 0 and *OUT; 1 when help or a usage
 * error was printed and the process should end with *EXIT_STATUS; -ENOMEM. May permute ARGV;
 * run_argv points into it, everything else is the config's own.
 */
int config__parse(int argc, char **argv, struct config **out, int *exit_status);
void config__free(struct config *config);

/* The README's table of settings, in Markdown, to stdout (used by scripts). */
void config__print_table(void);

#endif
