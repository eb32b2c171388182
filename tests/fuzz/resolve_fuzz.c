/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the whole door: the input is an executable, which is asked every question.
 * libFuzzer: -max_len=3300
 */
#include "memory_file.h"

#include "../unit/offsets/exercise.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	exercise(memory_file(data, size), (struct exercise_effort){.types = 32, .step = 0x100000});
	return 0;
}
