/* SPDX-License-Identifier: Apache-2.0 */
/* pclntab_table: what pclntab.c and pclntab_code.c share; for nobody else. */
#ifndef GOSPAN_OFFSETS_PCLNTAB_TABLE_H
#define GOSPAN_OFFSETS_PCLNTAB_TABLE_H

#include "names.h"
#include "pclntab.h"

/* What differs between the magics. */
struct pclntab_layout {
	uint8_t pc_sz; /* of an entry pc, and half a ftab record */
	uint8_t funcdata_sz;
	uint8_t inline_sz;
	uint8_t inline_id_off, inline_name_off, inline_pc_off;
	bool has_start_line;
};

struct pclntab_package {
	const char *name;
	size_t len;
	uint32_t hash; /* name__tail_hash() */
};

struct pclntab {
	const struct image *image;
	const struct pclntab_layout *layout;
	uint64_t text; /* base of entry pcs; 0 when they are absolute */
	uint64_t gofunc;
	uint8_t min_lc;
	size_t cnt;
	struct cursor ftab, funcs, names, cutab, filetab, pctab;

	/* made by the first look-up */
	bool indexed;
	int index_err;
	uint8_t wrapper_id;
	struct name_index by_name;
	struct pclntab_package *packages; /* runs of functions of one package, in address order */
	size_t package_cnt;
	char **unescaped; /* names that differ from the mapped ones, by function */
};

/* The fixed part of a _func, and where its tail begins. */
struct pclntab_func {
	uint64_t entry;
	uint32_t name_off, pcsp, pcfile, pcln, npcdata, cu_off;
	uint8_t id, nfuncdata;
	struct cursor tail;
};

/* False when function I is none, or damaged. */
bool pclntab__read_func(const struct pclntab *p, size_t i, struct pclntab_func *f);

/* NUL-terminated string at OFF of TABLE, or NULL. */
const char *pclntab__read_string(const struct cursor *table, uint64_t off, size_t *len);

/* What the first look-up of a name makes: among it, which functions are wrappers. */
int pclntab__ensure_index(struct pclntab *p);

#endif
