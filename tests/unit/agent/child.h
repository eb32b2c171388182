/* SPDX-License-Identifier: Apache-2.0 */
/* child: processes and executables for tests that look at /proc. Included by one file each. */
#ifndef GOSPAN_TESTS_CHILD_H
#define GOSPAN_TESTS_CHILD_H

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILDREN_MAX = 16 };

static int __attribute__((unused)) children[CHILDREN_MAX];
static char directory[64];

static inline void make_directory(void)
{
	strcpy(directory, "/tmp/gospan-test-XXXXXX");
	assert_non_null(mkdtemp(directory));
}

static inline void remove_directory(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	assert_int_equal(system(command), 0);
}

/* A copy of the program SOURCE as NAME in the test's directory; its path until the next call. */
static inline const char *copy_program(const char *source, const char *name)
{
	static char path[128];
	char command[PATH_MAX + 256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	snprintf(command, sizeof(command), "cp '%s' %s", source, path);
	assert_int_equal(system(command), 0);
	return path;
}

/* A Go HTTP server of scripts/build-unit-fixtures, or NULL where there is no Go. */
static inline const char *go_program(void)
{
	static char path[PATH_MAX];
	glob_t found;

	if (glob("build/fixtures/unit/server-*-default", 0, NULL, &found))
		return NULL;
	assert_non_null(realpath(found.gl_pathv[found.gl_pathc - 1], path));
	globfree(&found);
	return path;
}

/*
 * Starts ARGV and returns when it has been exec'ed. INPUT, if not NULL, gets the writing end of its
 * stdin.
 */
static inline int start(char *const *argv, int *input)
{
	int fds[2], execed[2], pid, i;
	char byte;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(pipe2(execed, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[0], STDIN_FILENO);
		execv(argv[0], argv);
		_exit(127);
	}
	close(fds[0]);
	close(execed[1]);
	assert_int_equal(read(execed[0], &byte, 1), 0);
	close(execed[0]);
	if (input)
		*input = fds[1]; /* else left open: reading it blocks */
	for (i = 0; children[i]; i++)
		assert_true(i + 1 < CHILDREN_MAX);
	children[i] = pid;
	return pid;
}

static inline void end(int pid)
{
	int i;

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (i = 0; i < CHILDREN_MAX; i++) {
		if (children[i] == pid)
			children[i] = 0;
	}
}

static inline void end_all(void)
{
	int i;

	for (i = 0; i < CHILDREN_MAX; i++) {
		if (children[i])
			end(children[i]);
	}
}

static inline void sleep_ms(int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

#endif
