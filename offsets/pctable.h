/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pctable: one of pclntab's tables that map the instructions of a function to a number.
 *
 * Layout (Go src/runtime/symtab.go, func step): pairs of varints, the value's delta in zigzag form
 * and the pc's delta in units of the smallest instruction. The value starts at -1, the pc at the
 * function's entry; a zero value delta ends the table, except in the first pair.
 */
#ifndef GOSPAN_OFFSETS_PCTABLE_H
#define GOSPAN_OFFSETS_PCTABLE_H

#include "image.h"

/* VALUE holds up to, but not at, END. */
struct pctable {
	struct cursor c;
	uint64_t end;
	int32_t value;
	uint8_t min_lc;
	bool started;
};

/* The table at OFF of PCTAB for the function at ENTRY. Offset 0 is Go's mark for "none". */
struct pctable pctable__open(const struct cursor *pctab, uint32_t off, uint64_t entry,
			     uint8_t min_lc);

/* The next range of instructions; false at the end or where the table is damaged. */
bool pctable__next(struct pctable *t);

#endif
