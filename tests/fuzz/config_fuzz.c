/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line with a = behind a capital letter is a variable, any other line is an argument. What is
 * accepted must be within the bounds that the rest of the agent relies on.
 * libFuzzer: -max_len=300
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../agent/config.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 64 };

/* Help and messages are not for the terminal: libFuzzer keeps its own apart with this flag. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	char **args = calloc(*argc + 2, sizeof(*args));

	memcpy(args, *argv, *argc * sizeof(*args));
	args[(*argc)++] = "-close_fd_mask=3";
	*argv = args;
	return 0;
}

static void check(const struct config *c)
{
	size_t i;

	if (c->ring_bytes & (c->ring_bytes - 1) || c->ring_bytes % sysconf(_SC_PAGESIZE) ||
	    !c->ring_bytes)
		abort();
	if (!c->max_in_flight || c->bsp_max_export_batch_size > c->bsp_max_queue_size ||
	    !c->bsp_max_export_batch_size || !(c->sampler_ratio >= 0 && c->sampler_ratio <= 1))
		abort();
	if (!c->otlp.endpoint || strncmp(c->otlp.endpoint, "http", 4))
		abort();
	if (c->command == COMMAND_RUN && !c->run_argv[0])
		abort();
	for (i = 0; i < c->pid_cnt; i++) {
		if (c->pids[i] <= 0)
			abort();
	}
	for (i = 0; i < c->exes.cnt; i++) {
		if (!*c->exes.at[i])
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *args[LINES_MAX + 2] = { "gospan" }, *variables[LINES_MAX + 1], *text, *line, *rest;
	char **own_variables = environ;
	int arg_cnt = 1, variable_cnt = 0, status = -1, err;
	struct config *config = NULL;

	text = malloc(size + 1);
	memcpy(text, data, size);
	text[size] = '\0';
	for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (*line >= 'A' && *line <= 'Z' && strchr(line, '=')) {
			if (variable_cnt < LINES_MAX)
				variables[variable_cnt++] = line;
		} else if (arg_cnt <= LINES_MAX) {
			args[arg_cnt++] = line;
		}
	}
	args[arg_cnt] = variables[variable_cnt] = NULL;
	environ = variables;
	err = config__parse(arg_cnt, args, &config, &status);
	if (!err)
		check(config);
	else if (err != 1 || config || (status != 0 && status != 2))
		abort();
	environ = own_variables; /* libraries look into it at exit */
	config__free(config);
	free(text);
	return 0;
}
