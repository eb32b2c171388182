/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the bootstrap: moduledata that describes itself, in the data segment that is the input.
 * libFuzzer: -max_len=1500
 */
#include "../../offsets/moduledata.h"
#include "memory_image.h"

#include <stdlib.h>

enum { ADDR = 0x500000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image = memory_image(data, size, ADDR);
	struct moduledata md = {.addr = 1};
	struct rtype *types = NULL;
	struct why why = {""};

	if (moduledata__find(&image, &md, &types, &why)) {
		if (md.addr != 1 || types || !why.text[0])
			abort();
		return 0;
	}
	if (!types || md.etext <= md.text)
		abort();
	rtype__free(types);
	return 0;
}
