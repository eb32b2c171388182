/* SPDX-License-Identifier: Apache-2.0 */
/* parse_args: config__parse() as the tests of config see it. Included by one file each. */
#ifndef GOSPAN_TESTS_PARSE_ARGS_H
#define GOSPAN_TESTS_PARSE_ARGS_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../agent/config.h"

static struct config *config;
static char messages[16384];

static inline int set_up(void **state)
{
	clearenv();
	config = NULL;
	return 0;
}

static inline int tear_down(void **state)
{
	config__free(config);
	log__set_level(LOG_INFO);
	return 0;
}

/* Parses "gospan ARGS", split at spaces; stdout and stderr go to MESSAGES. Returns the result. */
static inline int parse(const char *args, int *exit_status)
{
	static char words[512], *argv[32] = { "gospan" }; /* run's CMD is lent to the configuration */
	char *word;
	int argc = 1, result, saved[2], file;
	ssize_t n;

	strcpy(words, args);
	for (word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
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

static inline void assert_parses(const char *args)
{
	int status = -1;

	assert_int_equal(parse(args, &status), 0);
	assert_int_equal(status, -1);
	assert_string_equal(messages, "");
}

/* Parses with one warning, which holds NAME and INSTEAD. */
static inline void assert_warns(const char *args, const char *name, const char *instead)
{
	int status = -1;

	assert_int_equal(parse(args, &status), 0);
	assert_non_null(strstr(messages, name));
	assert_non_null(strstr(messages, instead));
	assert_ptr_equal(strchr(messages, '\n'), messages + strlen(messages) - 1);
}

static inline void assert_usage_error(const char *args, const char *message)
{
	int status = -1;

	assert_int_equal(parse(args, &status), 1);
	assert_int_equal(status, 2);
	assert_non_null(strstr(messages, message));
	assert_null(config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
