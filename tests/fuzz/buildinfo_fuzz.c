/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes buildinfo: the input is the writable segment, and at its end the ELF notes.
 * libFuzzer: -max_len=512
 */
#include "../../offsets/buildinfo.h"
#include "memory_image.h"

#include <stdlib.h>

enum { ADDR = 0x500000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image = memory_image(data, size, ADDR);
	struct buildinfo info;

	image.notes[0] = (struct segment){.addr = ADDR + size / 2, .size = size - size / 2};
	image.note_cnt = 1;
	if (buildinfo__read(&image, &info))
		return 0;
	if (!info.go_version || !info.build_id || !info.main_path || !info.module ||
	    !info.module_version || !info.vcs_revision)
		abort();
	buildinfo__free(&info);
	return 0;
}
