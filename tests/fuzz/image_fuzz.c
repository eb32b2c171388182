/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes program headers, relocations and every way to read: nothing may leave the file.
 * libFuzzer: -max_len=2000
 */
#include "memory_file.h"

#include "../../offsets/symtab.h"

enum { READ_SIZE = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool count(void *ctx, uint64_t addr, const uint8_t *bytes)
{
	uint64_t *sum = ctx;

	*sum += bytes[0] + bytes[31]; /* reads all that was promised */
	return false;
}

static void read_around(const struct image *image, uint64_t addr)
{
	uint8_t buf[READ_SIZE];

	if (!image__read(image, addr, buf, sizeof(buf)) && !image__at(image, addr, sizeof(buf)))
		abort();
	image__relocated(image, addr);
	image__forget(image, addr, sizeof(buf));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image *image = NULL;
	uint64_t sum = 0;
	struct why why;

	if (image__open(memory_file(data, size), &image, &why))
		return 0;
	for (size_t i = 0; i < image->segment_cnt; i++) {
		const struct segment *s = &image->segments[i];

		for (int step = 0; step < 16; step++)
			read_around(image, s->addr + s->size / 16 * step);
		read_around(image, s->addr + s->size - 1);
		read_around(image, s->addr - 1);
	}
	image__search(image, 8, 32, count, &sum);
	symtab__present(image);
	image__free(image);
	return 0;
}
