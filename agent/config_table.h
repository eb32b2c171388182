/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_table: inside of config. One row per thing that can be set; parsing, --help, warnings and
 * the README's table all read the same rows. To add a setting: a field in struct config, a row in
 * config_table.c, and a parser in config_parse.c if no present one fits.
 */
#ifndef GOSPAN_AGENT_CONFIG_TABLE_H
#define GOSPAN_AGENT_CONFIG_TABLE_H

#include "config.h"

/* Bits of the commands that take a flag. */
enum {
	ON_SERVICE = 1 << COMMAND_SERVICE,
	ON_TRACE = 1 << COMMAND_TRACE,
	ON_RUN = 1 << COMMAND_RUN,
	ON_PS = 1 << COMMAND_PS,
	ON_INSPECT = 1 << COMMAND_INSPECT,
	ON_DOCTOR = 1 << COMMAND_DOCTOR,
	ON_TRACING = ON_SERVICE | ON_TRACE | ON_RUN,
	ON_ALL = ON_TRACING | ON_PS | ON_INSPECT | ON_DOCTOR,
};

/* A config under construction: what is parsed, before the rules between settings are applied. */
struct settings {
	struct config config; /* first: config__free() gets this back */
	struct owned *owned;  /* every allocation, freed together */
	char left_out[2 * LOG_VALUE_BYTES]; /* by the last parser that returned 1, to tell */
	bool no_console;
	bool otlp_insecure;
	const char *otlp_endpoint;	  /* OTEL_EXPORTER_OTLP_ENDPOINT */
	const char *otlp_traces_endpoint; /* OTEL_EXPORTER_OTLP_TRACES_ENDPOINT */
};

struct setting;

/*
 * Parses TEXT (not empty) into DST. 0; 1 when parts of it are unusable and were left out (into
 * S->left_out, cut to fit); -EINVAL when all of it is; -ENOMEM. DST is untouched on errors.
 */
typedef int (*setting_parse)(struct settings *s, const struct setting *row, const char *text,
			     void *dst);

struct setting {
	const char *flag;     /* "slow", NULL: none */
	const char *arg;      /* "DUR", NULL: a flag without value */
	const char *env[3];   /* the first one that is set and valid counts */
	unsigned commands;    /* ON_ bits: who takes the flag, and who reads the variables */
	setting_parse parse;
	size_t off;	      /* of the destination in struct settings */
	const char *accepts; /* what a value looks like: "a duration as 250ms, 10s, 1m30s" */
	const char *standard; /* the default, parsed like a value; NULL: zero */
	const char *help;
	uint64_t min, max;    /* numbers only */
	bool secret;	      /* the value must not appear in a message */
};

extern const struct setting config_settings[];
extern const size_t config_setting_cnt;

struct command_row {
	const char *name;
	const char *args; /* of the usage line */
	const char *help;
};

extern const struct command_row config_commands[]; /* by enum command */
extern const size_t config_command_cnt;

/* -- parsers (config_parse.c, config_exe.c) -- */

int parse_flag(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_bool(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_text(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_file(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_pair_list(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_headers(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_exe(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_list(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_some(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_pid(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_u32(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_u64(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_limit(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_size(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_duration(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_ratio(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_level(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_sampler(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_propagators(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_exporters(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_with_sdk(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_protocol(struct settings *s, const struct setting *row, const char *text, void *dst);
int parse_compression(struct settings *s, const struct setting *row, const char *text, void *dst);

/* ":8080" of the command line. -EINVAL, -ENOMEM. */
int parse_port(struct settings *s, const char *text);

/* -- the rest of config's inside -- */

/* Zeroed memory that lives as long as the config, or NULL. */
void *settings__alloc(struct settings *s, size_t size);
/* Copy of LEN bytes of TEXT, NUL-terminated, or NULL. */
char *settings__copy(struct settings *s, const char *text, size_t len);
/* Such a copy, behind the last of LIST. -ENOMEM. */
int settings__append(struct settings *s, struct strings *list, const char *text, size_t len);

/* The endpoint rules of OTLP exporters (config_otlp.c), once everything is parsed. -ENOMEM. */
int settings__finish_otlp(struct settings *s);

/* One line for each variable GOSPAN_* that no row has (config_unknown.c). */
void config__warn_of_unknown(void);

/* To stdout (config_help.c). */
void config__print_usage(void);
void config__print_command_help(enum command command);

#endif
