/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_file: offsets/image.c and offsets/dwarf.c, for which the only file is the fuzzer's input
 * where it lies in memory. A real file's system calls would be half of an execution's time, and a
 * mapping would answer a read behind its end with zeros up to the next page: the heap does not.
 */
#ifndef GOSPAN_TESTS_MEMORY_FILE_H
#define GOSPAN_TESTS_MEMORY_FILE_H

#include <elf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMORY_FILE = 1 << 20 }; /* no such descriptor */

static const uint8_t *file_bytes;
static size_t file_size;
static char *file_copy; /* for libdw, which writes to its mapping */

static int memory_file(const uint8_t *data, size_t size)
{
	file_bytes = data;
	file_size = size;
	return MEMORY_FILE;
}

static inline void memory_file__expect(bool ok)
{
	if (!ok)
		abort();
}

static int memory_file__stat(int fd, struct stat *st)
{
	memory_file__expect(fd == MEMORY_FILE);
	*st = (struct stat){.st_mode = S_IFREG, .st_size = file_size};
	return 0;
}

static void *memory_file__map(size_t size, int fd)
{
	memory_file__expect(fd == MEMORY_FILE && size == file_size);
	return (void *)file_bytes;
}

static int memory_file__unmap(const void *at, size_t size)
{
	memory_file__expect(at == file_bytes && size == file_size);
	return 0;
}

/* Pages may be given back that lie in the file, whole ones only. */
static int memory_file__give_back(const void *at, size_t size)
{
	size_t off = (const uint8_t *)at - file_bytes, page = sysconf(_SC_PAGESIZE);

	memory_file__expect(off < file_size && size <= file_size - off);
	memory_file__expect(off % page == 0 && size % page == 0);
	return 0;
}

static int memory_file__close(int fd)
{
	memory_file__expect(fd == MEMORY_FILE);
	free(file_copy);
	file_copy = NULL;
	return 0;
}

static Elf *memory_file__elf(int fd)
{
	memory_file__expect(fd == MEMORY_FILE && !file_copy);
	file_copy = malloc(file_size);
	memcpy(file_copy, file_bytes, file_size);
	return elf_memory(file_copy, file_size);
}

#define fstat(fd, st) memory_file__stat(fd, st)
#define mmap(at, size, prot, flags, fd, off) memory_file__map(size, fd)
#define munmap(at, size) memory_file__unmap(at, size)
#define madvise(at, size, advice) memory_file__give_back(at, size)
#define fcntl(fd, command, least) (fd)
#define close(fd) memory_file__close(fd)
#define elf_begin(fd, cmd, parent) memory_file__elf(fd)
#include "../../offsets/image.c"
#include "../../offsets/dwarf.c"
#undef fstat
#undef mmap
#undef munmap
#undef madvise
#undef fcntl
#undef close
#undef elf_begin

#endif
