/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the whole door: the input is an executable, which is asked every question, and searched
 * for the types that lead to other contexts.
 */
#include "../../agent/context_types.h"
#include "../unit/offsets/exercise.h"

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void search_contexts(const struct resolve *r)
{
	struct context_type types[CONTEXT_TYPES_MAX];
	size_t cnt = context_types__find(r, types);

	for (size_t i = 1; i < cnt; i++)
		if (types[i - 1].type >= types[i].type)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd >= 0 && write(fd, data, size) == (ssize_t)size)
		exercise(fd, search_contexts);
	close(fd);
	return 0;
}
