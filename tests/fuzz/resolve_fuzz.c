/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the whole door: the input is an executable, which is asked every question, and searched
 * for the types that lead to other contexts.
 * libFuzzer: -max_len=3500
 */
#include "memory_file.h"

#include "../../agent/context_types.h"
#include "../unit/offsets/exercise.h"

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
	struct exercise_effort effort = {.types = 32, .step = 0x100000};

	exercise(memory_file(data, size), effort, search_contexts);
	return 0;
}
