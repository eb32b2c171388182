/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the function table. Input: a byte for its version, offset and length of the six tables
 * (ftab last) and the offset of gofunc as u16, then the bytes they lie in.
 * libFuzzer: -max_len=640
 */
#include "../../offsets/pclntab.h"
#include "memory_image.h"

#include <stdlib.h>

enum { ADDR = 0x500000, TEXT = 0x400000, FUNCTIONS_MAX = 4, FRAMES_MAX = 4, TEXTS_MAX = 2 * 8192 };

static struct slice read_slice(struct cursor *head)
{
	uint64_t addr = ADDR + cursor__u16(head);

	return (struct slice){addr, cursor__u16(head)};
}

/* Inlined ones, then the one with a body; their texts are read to the end. */
static void check_frames(const struct frame_fact *frames, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (frames[i].inlined != (i + 1 < cnt) ||
		    strlen(frames[i].function) + strlen(frames[i].file) > TEXTS_MAX)
			abort();
}

static void check_function(struct pclntab *p, size_t i)
{
	static const uint64_t steps[] = {1, 20, 60}; /* where the seeds' values change */
	struct pclntab_function f = pclntab__function(p, i);
	const char *name = pclntab__name(p, i), *file;
	struct frame_fact frames[FRAMES_MAX];
	uint32_t frame;
	size_t found;
	int line;

	if (f.end < f.entry)
		abort();
	if (name && !pclntab__find(p, name, &found) && !pclntab__name(p, found))
		abort();
	for (size_t n = 0; n < sizeof(steps) / sizeof(steps[0]); n++) {
		pclntab__line(p, i, f.entry + steps[n], &file, &line);
		pclntab__frame_size(p, i, f.entry + steps[n], &frame);
		check_frames(frames, pclntab__frames(p, i, f.entry + steps[n], frames, FRAMES_MAX));
	}
	if (!pclntab__at(p, f.entry, &found) && found >= pclntab__cnt(p))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t magics[] = {PCLNTAB_GO_1_18, PCLNTAB_GO_1_20, PCLNTAB_GO_1_16};
	struct cursor head = {.pos = data, .end = data + size};
	struct moduledata md = {.text = TEXT, .etext = TEXT + 0x1000, .min_lc = 1};
	struct pclntab *p = NULL;
	struct image image;
	struct why why;

	md.magic = magics[cursor__u8(&head) % 3];
	md.funcnametab = read_slice(&head);
	md.cutab = read_slice(&head);
	md.filetab = read_slice(&head);
	md.pctab = read_slice(&head);
	md.pclntable = read_slice(&head);
	md.ftab = read_slice(&head);
	md.gofunc = ADDR + cursor__u16(&head);
	if (head.overrun)
		return 0;
	image = memory_image(head.pos, head.end - head.pos, ADDR);
	if (pclntab__open(&image, &md, &p, &why))
		return 0;
	for (size_t i = 0; i < pclntab__cnt(p) && i < FUNCTIONS_MAX; i++)
		check_function(p, i);
	pclntab__has_package(p, "net/http");
	pclntab__free(p);
	return 0;
}
