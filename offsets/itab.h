/* SPDX-License-Identifier: Apache-2.0 */
/*
 * itab: the interface tables that the linker made, one for each pair of an interface and a type
 * that the program converts statically. The runtime makes more, so a value's own itab need not be
 * among them: compare types, and use these to learn what the program can hold.
 *
 * Layout (Go src/internal/abi/iface.go): inter 0, type 8, hash 16, fun[] 24. Go <= 1.26 lists them
 * in moduledata.itablinks; from 1.27 they lie back to back at types + itaboffset, each with as
 * many fun as the interface has methods, at least one.
 */
#ifndef GOSPAN_OFFSETS_ITAB_H
#define GOSPAN_OFFSETS_ITAB_H

#include "image.h"
#include "moduledata.h"

struct itab {
	uint64_t addr;
	uint64_t interface; /* descriptors */
	uint64_t type;
	uint64_t method_cnt; /* of the interface */
};

/* Where a walk is; zero it to begin. */
struct itab_walk {
	uint64_t pos;
	uint64_t method_cnt; /* of all so far: bounds what a forged list can ask of its reader */
};

/* The next one; false at the end or where the tables are damaged. */
bool itab__next(const struct image *image, const struct moduledata *md, struct itab_walk *walk,
		struct itab *out);

/*
 * True when the interface type at WIDE has every method of the one at NARROW, by its descriptor:
 * methods {ptr, len, cap} 56, each {name, type} as offsets from types, by name (Go
 * src/internal/abi/type.go, InterfaceType and Imethod, 1.19 to 1.27). One name and one type are at
 * one place in an executable, so that the offsets tell.
 */
bool itab__includes(const struct image *image, uint64_t wide, uint64_t narrow);

#endif
