// SPDX-License-Identifier: Apache-2.0
/* memory: see memory.h. */
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"

/*
 * Segments that are not written to hold what the file holds; those with relocations are writable, and
 * read-only only later (RELRO). An error means that the pages stay.
 */
static int drop_pages(struct dl_phdr_info *object, size_t size, void *ctx)
{
	uintptr_t page = sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
		uintptr_t begin = (object->dlpi_addr + segment->p_vaddr) & -page;
		uintptr_t end = object->dlpi_addr + segment->p_vaddr + segment->p_filesz;

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W) && end > begin)
			madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void memory__trim(void)
{
	malloc_trim(0);
}

void memory__rest(void)
{
	memory__trim();
	dl_iterate_phdr(drop_pages, NULL);
}
