/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The executable is hostile input: files cut at any length, with flipped bits, of other kinds. What
 * opens must bear every question; what does not must say why. To be run with sanitizers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <elf.h>
#include <errno.h>

#include "exercise.h"
#include "fixtures.h"

enum { CUTS = 400, FLIPPED_FILES = 300, FLIPS_MAX = 16, HEADERS_SIZE = 4096 };

static uint64_t random_state = 0x9e3779b97f4a7c15;

/* xorshift64: the same files in every run */
static uint64_t random_number(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static int exercise_bytes(const void *bytes, size_t size)
{
	int fd = memory_file(bytes, size), result;

	assert_true(fd >= 0);
	result = exercise(fd, (struct exercise_effort){.types = 256, .step = 0x10000}, NULL);
	close(fd);
	return result;
}

static void expect_reason(const void *bytes, size_t size, int expected, const char *reason)
{
	int fd = memory_file(bytes, size);
	struct resolve *r = NULL;
	struct why why = {""};

	assert_int_equal(resolve__open(fd, "app", &r, &why), expected);
	assert_null(r);
	assert_memory_equal(why.text, "app: ", 5);
	if (!strstr(why.text, reason))
		fail_msg("'%s' does not say '%s'", why.text, reason);
	assert_null(strchr(why.text, '\n'));
	close(fd);
}

static void survives_every_cut(void **state)
{
	size_t size;
	unsigned char *bytes = fixture__load(HELLO, "1.27.1", "stripped-pie", &size);

	for (size_t i = 0; i < CUTS; i++) {
		size_t cut = i < HEADERS_SIZE / 64 ? i * 16 : random_number() % size;

		assert_int_not_equal(exercise_bytes(bytes, cut), 0);
	}
	assert_int_equal(exercise_bytes(bytes, size), 0);
	free(bytes);
}

/* Flips bits in [START, START + LEN) of the file. */
static void flip_and_exercise(const unsigned char *bytes, size_t size, size_t start, size_t len,
			      int files)
{
	unsigned char *copy = malloc(size);
	int opened = 0;

	for (int file = 0; file < files; file++) {
		int flips = 1 + random_number() % FLIPS_MAX;

		memcpy(copy, bytes, size);
		for (int i = 0; i < flips; i++)
			copy[start + random_number() % len] ^= 1 << random_number() % 8;
		opened += !exercise_bytes(copy, size);
	}
	print_message("%d of %d damaged files still open\n", opened, files);
	free(copy);
}

static void survives_flipped_bits(void **state)
{
	size_t size;
	unsigned char *bytes = fixture__load(HELLO, "1.27.1", "stripped-pie", &size);

	flip_and_exercise(bytes, size, 0, size, FLIPPED_FILES);
	flip_and_exercise(bytes, size, 0, 1024, FLIPPED_FILES / 3);
	free(bytes);
}

/* The same where it hurts: the type data, and moduledata with its pclntab header. */
static void survives_flipped_tables(void **state)
{
	size_t size;
	unsigned char *bytes = fixture__load(HELLO, "1.27.1", "stripped-pie", &size);
	struct resolve *r = fixture__open(HELLO, "1.27.1", "stripped-pie");
	struct type_fact moduledata, g;
	uint64_t off;

	assert_int_equal(resolve__type(r, "runtime.moduledata", &moduledata), 0);
	assert_int_equal(resolve__file_off(r, moduledata.addr, &off), 0);
	flip_and_exercise(bytes, size, off, 2048, FLIPPED_FILES / 3);
	assert_int_equal(resolve__type(r, "runtime.g", &g), 0);
	assert_int_equal(resolve__file_off(r, g.addr, &off), 0);
	flip_and_exercise(bytes, size, off, 2048, FLIPPED_FILES / 3);
	resolve__free(r);
	free(bytes);
}

static void survives_flipped_dwarf(void **state)
{
	size_t size;
	unsigned char *bytes = fixture__load(HELLO, "1.27.1", "default", &size);

	flip_and_exercise(bytes, size, size * 3 / 4, size / 4, FLIPPED_FILES / 3);
	free(bytes);
}

static void says_what_is_wrong(void **state)
{
	size_t size;
	unsigned char *bytes = fixture__load(HELLO, "1.27.1", "stripped-pie", &size);
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)bytes, saved = *ehdr;

	expect_reason("", 0, -ENOEXEC, "not an ELF file");
	expect_reason("#!/bin/sh\n", 10, -ENOEXEC, "not an ELF file");
	expect_reason(bytes, sizeof(*ehdr), -EIO, "truncated");
	expect_reason(bytes, size / 2, -EIO, "truncated");
	ehdr->e_ident[EI_CLASS] = ELFCLASS32;
	expect_reason(bytes, size, -ENOEXEC, "not a 64-bit executable");
	*ehdr = saved;
	ehdr->e_ident[EI_DATA] = ELFDATA2MSB;
	expect_reason(bytes, size, -ENOEXEC, "not a little-endian executable");
	*ehdr = saved;
	ehdr->e_machine = EM_S390;
	expect_reason(bytes, size, -ENOEXEC, "architecture s390x (ELF machine 22)");
	*ehdr = saved;
	ehdr->e_type = ET_REL;
	expect_reason(bytes, size, -ENOEXEC, "is not an executable");
	free(bytes);
}

static unsigned char *find(unsigned char *bytes, size_t size, const void *what, size_t len)
{
	unsigned char *found = memmem(bytes, size, what, len);

	assert_non_null(found);
	return found;
}

static void names_the_go_version_it_refuses(void **state)
{
	static const char header[] = "\xff Go buildinf:";
	size_t size;
	unsigned char *bytes = fixture__load(HELLO, "1.27.1", "stripped-pie", &size);
	unsigned char *info = find(bytes, size, header, sizeof(header) - 1);

	memcpy(find(info, bytes + size - info, "go1.27.1", 8), "go1.16.9", 8);
	expect_reason(bytes, size, -ENOEXEC, "built with go1.16.9: Go 1.19 or newer is needed");
	free(bytes);
}

/* A C program: this very test. */
static void knows_what_is_not_go(void **state)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct resolve *r = NULL;
	struct why why;

	assert_int_equal(resolve__open(fd, "test", &r, &why), -ENOEXEC);
	assert_string_equal(why.text, "test: not a Go program");
	close(fd);
	fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_int_equal(resolve__open(fd, "/", &r, &why), -ENOEXEC);
	assert_string_equal(why.text, "/: not a regular file");
	close(fd);
	assert_int_equal(resolve__open(-1, "none", &r, &why), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(survives_every_cut),
		cmocka_unit_test(survives_flipped_bits),
		cmocka_unit_test(survives_flipped_tables),
		cmocka_unit_test(survives_flipped_dwarf),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(names_the_go_version_it_refuses),
		cmocka_unit_test(knows_what_is_not_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
