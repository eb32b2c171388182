/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receiver: tests/harness/receiver.py as a child process, which lives as long as its standard input
 * is open. The words of its scripts are explained there.
 */
#ifndef GOSPAN_TESTS_RECEIVER_H
#define GOSPAN_TESTS_RECEIVER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

struct receiver {
	pid_t pid;
	int script_fd;
	FILE *out;
	int connection;
	char endpoint[128];
};

static inline void receiver__start(struct receiver *r, const char *const *args)
{
	char *argv[32] = { "python3", "tests/harness/receiver.py" };
	int in[2], out[2];
	size_t argc = 2;

	while (*args)
		argv[argc++] = (char *)*args++;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (!r->pid) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		close(out[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	r->script_fd = in[1];
	r->connection = 0;
	r->out = fdopen(out[0], "r");
	assert_non_null(fgets(r->endpoint, sizeof(r->endpoint), r->out));
	r->endpoint[strcspn(r->endpoint, "\n")] = '\0';
}

/* Gives it a new script: words up to a NULL. Returns how many requests nobody had asked for. */
static inline int receiver__play(struct receiver *r, const char *const *answers)
{
	char *line = NULL;
	size_t cap = 0;
	int cnt = -1;

	for (size_t i = 0; answers[i]; i++)
		assert_true(dprintf(r->script_fd, "%s%s", i ? "\t" : "", answers[i]) > 0);
	assert_int_equal(write(r->script_fd, "\n", 1), 1);
	do {
		assert_true(getline(&line, &cap, r->out) > 0);
		cnt++;
	} while (strcmp(line, "script\n") != 0);
	free(line);
	return cnt;
}

/* The next request it got, as it described it. To be released by json_decref(). */
static inline json_t *receiver__request(struct receiver *r)
{
	json_t *request;
	char *line = NULL;
	size_t cap = 0;

	assert_true(getline(&line, &cap, r->out) > 0);
	request = json_loads(line, 0, NULL);
	free(line);
	assert_non_null(request);
	return request;
}

static inline void receiver__stop(struct receiver *r)
{
	close(r->script_fd);
	fclose(r->out);
	waitpid(r->pid, NULL, 0);
}

#endif
