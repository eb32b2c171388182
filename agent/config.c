/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config: the order of things. The command word; its flags (getopt_long with options made of the
 * table's rows, so a wrong one is a usage error); for each row without a flag its variables, then
 * its default; last the rules between settings.
 */
#include "config_table.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bpf/span.h"

enum { MAX_SETTINGS = 64, EXIT_USAGE = 2 };

struct owned {
	struct owned *next;
	max_align_t data[];
};

/* What a parse ends with when it is no config: config__parse()'s 1. */
struct ending {
	int status;
	bool given[MAX_SETTINGS]; /* by row: set by a flag */
	char hint[96];		  /* behind the next usage error */
};

void *settings__alloc(struct settings *s, size_t size)
{
	struct owned *owned = calloc(1, sizeof(*owned) + size);

	if (!owned)
		return NULL;
	owned->next = s->owned;
	s->owned = owned;
	return owned->data;
}

char *settings__copy(struct settings *s, const char *text, size_t len)
{
	char *copy = settings__alloc(s, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

void config__free(struct config *config)
{
	struct settings *s = (struct settings *)config;
	struct owned *next;

	if (!s)
		return;
	for (; s->owned; s->owned = next) {
		next = s->owned->next;
		free(s->owned);
	}
	free(s);
}

static int usage_error(struct ending *end, enum command command, const char *what,
		       const char *which)
{
	const char *name = config_commands[command].name, *space = *name ? " " : "";
	char value[LOG_VALUE_BYTES], escaped[512];

	/* not through the log: a usage error shows at any log level */
	fprintf(stderr, "gospan%s%s: %s%s%s%s%s\nTry: gospan%s%s --help\n", space, name, what,
		which ? " '" : "", which ? log__escaped(log__value(which, value), escaped,
							sizeof(escaped)) : "",
		which ? "'" : "", end->hint, space, name);
	end->status = EXIT_USAGE;
	return 1;
}

static int find_command(const char *word, struct ending *end, enum command *out)
{
	size_t i;

	for (i = COMMAND_TRACE; i < config_command_cnt; i++) {
		if (!strcmp(word, config_commands[i].name)) {
			*out = i;
			return 0;
		}
	}
	return usage_error(end, COMMAND_SERVICE,
			   word[0] == '-' ? "unknown option" : "unknown command", word);
}

/* "gospan help [COMMAND]" */
static int print_help(const char *word, struct ending *end)
{
	enum command command;

	if (!word || word[0] == '-' || !strcmp(word, "help"))
		config__print_usage();
	else if (!find_command(word, end, &command))
		config__print_command_help(command);
	return 1;
}

/* The command of argv[1], or a word that ends it all. */
static int parse_command(int argc, char **argv, struct ending *end, enum command *out)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (!strcmp(word, "help"))
		return print_help(argv[2], end);
	if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		config__print_usage();
		return 1;
	}
	if (!strcmp(word, "--settings")) {
		config__print_table();
		return 1;
	}
	*out = strcmp(word, "--version") ? COMMAND_SERVICE : COMMAND_VERSION;
	if (argc <= 1 || *out == COMMAND_VERSION)
		return 0;
	return find_command(word, end, out);
}

static int parse_row(struct settings *s, const struct setting *row, const char *text)
{
	s->left_out[0] = '\0';
	return row->parse(s, row, text, (char *)s + row->off);
}

static int apply_flag(struct settings *s, struct ending *end, size_t i, const char *text)
{
	const struct setting *row = &config_settings[i];
	char what[512];
	int err;

	err = parse_row(s, row, text);
	if (err == -ENOMEM)
		return err;
	if (err) {
		snprintf(what, sizeof(what), "--%s accepts %s, not", row->flag, row->accepts);
		return usage_error(end, s->config.command, what, text);
	}
	end->given[i] = true;
	return 0;
}

/* Options of COMMAND for getopt_long, `val` the row's number; --help gets MAX_SETTINGS. */
static void make_options(enum command command, struct option options[static MAX_SETTINGS + 2])
{
	const struct setting *row;
	size_t i, cnt = 0;

	for (i = 0; i < config_setting_cnt; i++) {
		row = &config_settings[i];
		if (!row->flag || command == COMMAND_SERVICE || !(row->commands & (1u << command)))
			continue;
		options[cnt++] = (struct option){
			.name = row->flag,
			.has_arg = row->arg ? required_argument : no_argument,
			.val = 256 + i,
		};
	}
	options[cnt++] = (struct option){ .name = "help", .val = 'h' };
	options[cnt] = (struct option){};
}

/* A bare number, as kill(1) and strace -p take it: a process, or a port without its colon. Else a
 * name, as pidof(1) takes it. */
static void hint_at_target(struct ending *end, const char *arg)
{
	size_t len = strspn(arg, "0123456789");

	if (!len && *arg)
		snprintf(end->hint, sizeof(end->hint), ": an executable is named by --exe");
	if (len && len <= 10 && !arg[len])
		snprintf(end->hint, sizeof(end->hint), ": did you mean --pid %s, or the port :%s?",
			 arg, arg);
}

static int parse_operands(struct settings *s, struct ending *end, int cnt, char **args)
{
	struct config *c = &s->config;
	int i, err;

	if (c->command == COMMAND_RUN) {
		c->run_argv = args;
		return cnt ? 0 : usage_error(end, c->command, "no command to run", NULL);
	}
	for (i = 0; i < cnt; i++) {
		if (c->command == COMMAND_INSPECT && !c->path && *args[i]) {
			err = parse_text(s, NULL, args[i], &c->path);
		} else if (c->command == COMMAND_TRACE && args[i][0] == ':') {
			err = parse_port(s, args[i]);
			if (err == -EINVAL)
				return usage_error(end, c->command, "not a port:", args[i]);
		} else {
			if (c->command == COMMAND_TRACE)
				hint_at_target(end, args[i]);
			return usage_error(end, c->command, "unexpected argument", args[i]);
		}
		if (err)
			return err;
	}
	if (c->command == COMMAND_INSPECT && (c->path != NULL) + c->pid_cnt != 1)
		return usage_error(end, c->command, "give it one PATH or one --pid", NULL);
	return 0;
}

/* ARGV[0] is the command word. */
static int parse_flags(struct settings *s, struct ending *end, int argc, char **argv)
{
	/* + run's CMD keeps its own options; : a missing value is told from an unknown option */
	const char *style = s->config.command == COMMAND_RUN ? "+:h" : ":h";
	struct option options[MAX_SETTINGS + 2];
	char letter[] = "-?";
	int option, err;

	make_options(s->config.command, options);
	optind = 0; /* glibc: start anew */
	opterr = 0;
	while ((option = getopt_long(argc, argv, style, options, NULL)) != -1) {
		if (option == 'h') {
			config__print_command_help(s->config.command);
			return 1;
		}
		if (option == '?' && optopt > 0 && optopt < 256) {
			letter[1] = optopt;
			return usage_error(end, s->config.command, "unknown option", letter);
		}
		if (option == '?' && optopt >= 256)
			return usage_error(end, s->config.command, "no value is taken by",
					   argv[optind - 1]);
		if (option == '?' || option == ':')
			return usage_error(end, s->config.command, option == '?' ?
					   "unknown option" : "missing value of", argv[optind - 1]);
		err = apply_flag(s, end, option - 256, optarg ? optarg : "");
		if (err)
			return err;
	}
	return parse_operands(s, end, argc - optind, argv + optind);
}

/* The Ith variable of ROW holds TEXT, which is wrong, or PARTLY so. */
static void warn_variable(const struct settings *s, const struct setting *row, size_t i,
			  const char *text, bool partly)
{
	char value[LOG_VALUE_BYTES], left_out[LOG_VALUE_BYTES];
	const char *name = row->env[i], *used = NULL;

	log__value(row->secret ? "..." : text, value);
	if (partly) {
		log__value(row->secret ? "the rest" : s->left_out, left_out);
		log_warn("config: %s='%s': it accepts %s; left out: %s", name, value, row->accepts,
			 left_out);
		return;
	}
	for (i++; row->env[i] && !used; i++) {
		if (getenv(row->env[i]) && *getenv(row->env[i]))
			used = row->env[i];
	}
	if (!used)
		used = row->standard ? row->standard : "nothing";
	log_warn("config: %s='%s': it accepts %s; using %s instead", name, value, row->accepts,
		 used);
}

/* The row's variables in order, then its default. */
static int apply_environment(struct settings *s, const struct setting *row, bool reads_environment)
{
	const char *text;
	size_t i;
	int err;

	for (i = 0; reads_environment && row->env[i]; i++) {
		text = getenv(row->env[i]);
		if (!text || !*text)
			continue;
		err = parse_row(s, row, text);
		if (err == -ENOMEM)
			return err;
		if (err)
			warn_variable(s, row, i, text, err > 0);
		if (err >= 0)
			return 0;
	}
	return row->standard ? parse_row(s, row, row->standard) : 0;
}

/* Targets are one group: a flag or a port hides the variables, a pid variable the exe one. */
static bool may_read_environment(const struct settings *s, const struct setting *row)
{
	const struct config *c = &s->config;

	if (!(row->commands & (1u << c->command)))
		return false;
	if (row->parse == parse_pid)
		return c->command != COMMAND_INSPECT && !c->exes.cnt && !c->port_cnt;
	if (row->parse == parse_exe)
		return !c->pid_cnt && !c->port_cnt;
	return true;
}

static int apply_rows(struct settings *s, const struct ending *end)
{
	size_t i;
	int err;

	for (i = 0; i < config_setting_cnt; i++) {
		if (!end->given[i]) {
			err = apply_environment(s, &config_settings[i],
						may_read_environment(s, &config_settings[i]));
			if (err)
				return err;
		}
		if (config_settings[i].parse == parse_level)
			log__set_level(s->config.log_level);
	}
	return 0;
}

/* Spans are shown on stdout, but stdout of run belongs to its command. */
static void finish_console(struct settings *s)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct config *c = &s->config;

	if (c->command == COMMAND_TRACE)
		c->console = !s->no_console && !(c->otlp_file && !strcmp(c->otlp_file, "-"));
	else if (c->command == COMMAND_RUN)
		c->console = !s->no_console;
	else if (c->command == COMMAND_SERVICE)
		c->console = c->trace_exporters & EXPORT_TO_CONSOLE;
	c->color = isatty(c->command == COMMAND_RUN ? STDERR_FILENO : STDOUT_FILENO) &&
		   !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

/* The kernel side holds a few short globs. What does not fit is told once: there may be thousands. */
static void limit_excluded_paths(struct strings *paths)
{
	const char *left_out = NULL;
	char value[LOG_VALUE_BYTES];
	size_t all = paths->cnt, i;

	paths->cnt = 0;
	for (i = 0; i < all; i++) {
		if (paths->cnt < MAX_EXCLUDE && strlen(paths->at[i]) < EXCLUDE_GLOB_MAX)
			paths->at[paths->cnt++] = paths->at[i];
		else if (!left_out)
			left_out = paths->at[i];
	}
	if (left_out)
		log_warn("config: %zu of %zu excluded paths left out, first '%s': at most %d globs "
			 "of %d characters", all - paths->cnt, all, log__value(left_out, value),
			 MAX_EXCLUDE, EXCLUDE_GLOB_MAX - 1);
}

/* A slip in the endpoint's name looks like this, and the done line would say "exported". */
static void warn_of_no_output(const struct config *c)
{
	if ((c->command == COMMAND_TRACE || c->command == COMMAND_RUN) && !c->console &&
	    !c->otlp_file && !c->otlp_wanted)
		log_warn("config: spans go nowhere: with --no-console give it --otlp-file or "
			 "OTEL_EXPORTER_OTLP_ENDPOINT");
}

static int finish(struct settings *s)
{
	struct config *c = &s->config;
	int err;

	if (c->bsp_max_export_batch_size > c->bsp_max_queue_size) {
		log_warn("config: OTEL_BSP_MAX_EXPORT_BATCH_SIZE accepts at most "
			 "OTEL_BSP_MAX_QUEUE_SIZE; using %u instead", c->bsp_max_queue_size);
		c->bsp_max_export_batch_size = c->bsp_max_queue_size;
	}
	if ((1u << c->command) & ON_TRACING)
		config__warn_of_unknown();
	limit_excluded_paths(&c->exclude_paths);
	c->has_target = c->pid_cnt || c->exes.cnt || c->port_cnt;
	finish_console(s);
	err = settings__finish_otlp(s);
	if (!err)
		warn_of_no_output(c);
	return err;
}

int config__parse(int argc, char **argv, struct config **out, int *exit_status)
{
	struct settings *s = calloc(1, sizeof(*s));
	struct ending end = {};
	int err = -ENOMEM;

	_Static_assert(offsetof(struct settings, config) == 0, "config__free() casts back");
	assert(config_setting_cnt <= MAX_SETTINGS);
	if (!s)
		return err;
	err = parse_command(argc, argv, &end, &s->config.command);
	if (!err && argc > 1)
		err = parse_flags(s, &end, argc - 1, argv + 1);
	if (!err)
		err = apply_rows(s, &end);
	if (!err)
		err = finish(s);
	if (err) {
		config__free(&s->config);
		if (err == 1)
			*exit_status = end.status;
		return err;
	}
	*out = &s->config;
	return 0;
}
