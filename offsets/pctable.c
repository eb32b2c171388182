/* SPDX-License-Identifier: Apache-2.0 */
#include "pctable.h"

struct pctable pctable__open(const struct cursor *pctab, uint32_t off, uint64_t entry,
			     uint8_t min_lc)
{
	struct pctable t = {.c = *pctab, .end = entry, .value = -1, .min_lc = min_lc};

	cursor__skip(&t.c, off);
	if (!off)
		t.c.overrun = true;
	return t;
}

bool pctable__next(struct pctable *t)
{
	uint32_t delta = cursor__varint(&t->c);

	if (t->c.overrun || (!delta && t->started))
		return false;
	t->value = (uint32_t)t->value + (delta & 1 ? ~(delta >> 1) : delta >> 1);
	t->end += (uint64_t)cursor__varint(&t->c) * t->min_lc;
	t->started = true;
	return !t->c.overrun;
}
