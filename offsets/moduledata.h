/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moduledata: the runtime's table of contents of the executable (Go src/runtime/symtab.go).
 *
 * It is found by its first words, {pcHeader, funcnametab slice}, where pcHeader points at a
 * pclntab magic. Its layout differs between Go versions, so it is not assumed: each pair of words
 * that could be [types, etypes) is tried until one region holds the descriptor of
 * runtime.moduledata itself and that descriptor names the very two words. Then every other field
 * is read by name.
 */
#ifndef GOSPAN_OFFSETS_MODULEDATA_H
#define GOSPAN_OFFSETS_MODULEDATA_H

#include "image.h"
#include "rtype.h"

struct slice {
	uint64_t addr;
	uint64_t len; /* elements */
};

struct moduledata {
	uint64_t addr;
	uint32_t magic; /* of the pclntab */
	uint8_t min_lc; /* smallest instruction, bytes */
	uint64_t header;
	uint64_t text;
	uint64_t etext;
	uint64_t gofunc; /* base of FUNCDATA offsets; 0 before Go 1.18 */
	struct slice funcnametab;
	struct slice cutab;
	struct slice filetab;
	struct slice pctab;
	struct slice pclntable;
	struct slice ftab;
	/* Interface tables: itablinks to Go 1.26, types + itaboffset from 1.27; 0 when not there */
	struct slice itablinks;
	uint64_t itabs;
	uint64_t itabs_size;
};

/* pclntab magics, Go src/internal/abi/symtab.go */
enum {
	PCLNTAB_GO_1_2 = 0xfffffffb,
	PCLNTAB_GO_1_16 = 0xfffffffa,
	PCLNTAB_GO_1_18 = 0xfffffff0,
	PCLNTAB_GO_1_20 = 0xfffffff1,
};

/*
 * Fills OUT and hands over *TYPES. -ENOEXEC nothing that looks like Go, -EIO found but not
 * consistent, -ENOMEM; WHY tells.
 */
int moduledata__find(const struct image *image, struct moduledata *out, struct rtype **types,
		     struct why *why);

#endif
