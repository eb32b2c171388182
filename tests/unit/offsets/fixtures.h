/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixtures: the Go programs of scripts/build-unit-fixtures, from $UNIT_FIXTURES or
 * build/fixtures/unit. Tests skip those that are not built.
 */
#ifndef GOSPAN_TESTS_FIXTURES_H
#define GOSPAN_TESTS_FIXTURES_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../offsets/resolve.h"

#define HELLO "hello"
#define SERVER "server"
#define CONTEXTS "contexts"
#define MANY_CONTEXTS "manycontexts"
#define STACK "stack"

static inline int fixture__open_file(const char *program, const char *version, const char *mode)
{
	const char *dir = getenv("UNIT_FIXTURES");
	char path[512];

	snprintf(path, sizeof(path), "%s/%s-%s-%s", dir ? dir : "build/fixtures/unit", program,
		 version, mode);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Skips the test when the fixture is missing; fails it when it does not open. */
static inline struct resolve *fixture__open(const char *program, const char *version,
					    const char *mode)
{
	int fd = fixture__open_file(program, version, mode);
	struct resolve *r = NULL;
	struct why why = {""};

	if (fd < 0) {
		print_message("%s-%s-%s is not built: run scripts/build-unit-fixtures\n", program,
			      version, mode);
		skip();
	}
	if (resolve__open(fd, program, &r, &why))
		fail_msg("%s-%s-%s: %s", program, version, mode, why.text);
	close(fd);
	return r;
}

/* Contents of a fixture, to be damaged; free() it. */
static inline unsigned char *fixture__load(const char *program, const char *version,
					   const char *mode, size_t *size)
{
	int fd = fixture__open_file(program, version, mode);
	unsigned char *bytes;
	struct stat st;

	if (fd < 0)
		skip();
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc(st.st_size);
	assert_non_null(bytes);
	assert_int_equal(read(fd, bytes, st.st_size), st.st_size);
	close(fd);
	*size = st.st_size;
	return bytes;
}

static inline int memory_file(const void *bytes, size_t size)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, bytes, size) != (ssize_t)size) {
		close(fd);
		return -1;
	}
	return fd;
}

#endif
