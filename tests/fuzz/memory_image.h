/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory_image: an image whose only segment is the fuzzer's input, so that one parser of offsets/
 * can be fuzzed alone and fast.
 */
#ifndef GOSPAN_TESTS_MEMORY_IMAGE_H
#define GOSPAN_TESTS_MEMORY_IMAGE_H

#include "../../offsets/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct image memory_image(const uint8_t *data, size_t size, uint64_t addr)
{
	return (struct image){
		.base = data,
		.size = size,
		.fd = -1,
		.segments = {{.addr = addr, .size = size, .write = true}},
		.segment_cnt = 1,
	};
}

#endif
