/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes interface tables. Input: offset and length of itablinks, offset and size of the row of
 * tables that Go 1.27 has instead (it is walked when itablinks is empty), then the bytes in which
 * all of them lie. A walk ends, and what it found can be read.
 * libFuzzer: -max_len=600
 */
#include "../../offsets/itab.h"
#include "memory_image.h"

#include <stdlib.h>

enum { ADDR = 0x500000, LEAST_SIZE = 24 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor head = {.pos = data, .end = data + size};
	struct moduledata md = {};
	struct itab_walk walk = {};
	struct image image;
	struct itab itab;
	size_t cnt = 0;

	md.itablinks.addr = ADDR + cursor__u16(&head);
	md.itablinks.len = cursor__u64(&head);
	md.itabs = ADDR + cursor__u16(&head);
	md.itabs_size = cursor__u64(&head);
	if (head.overrun)
		return 0;
	image = memory_image(head.pos, head.end - head.pos, ADDR);
	while (itab__next(&image, &md, &walk, &itab)) {
		if (!image__at(&image, itab.addr, LEAST_SIZE) || ++cnt > size / 8)
			abort(); /* links are 8 bytes each, tables more */
	}
	return 0;
}
