/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pclntab: the runtime's function table: names, addresses, lines, frame sizes, inlining. It is in
 * every Go executable, stripped or not.
 *
 * Layout: Go src/runtime/symtab.go (type _func, functab, pcvalue) and src/runtime/symtabinl.go.
 *   ftab        {entry, offset of _func in pclntable} pairs and a last entry: u32 from text since
 *               Go 1.18, absolute u64 in 1.16 and 1.17
 *   _func       entry, nameoff, args, deferreturn, pcsp, pcfile, pcln, npcdata, cuOffset,
 *               [startLine from 1.20], funcID u8, flag u8, pad, nfuncdata u8; then npcdata u32
 *               offsets into pctab, then nfuncdata u32 offsets from gofunc (u64 addresses to 1.17)
 *   pc tables   in pctab, see pctable.h
 *   inline tree FUNCDATA 3, indexed by PCDATA 2 at the innermost; an entry is
 *               {funcID u8, pad, nameoff, parentPc, startLine} since 1.20, before
 *               {parent i16, funcID u8, pad, file, line, nameoff, parentPc}; at parentPc, from the
 *               function's entry, index and line are those of the call that was inlined
 */
#ifndef GOSPAN_OFFSETS_PCLNTAB_H
#define GOSPAN_OFFSETS_PCLNTAB_H

#include "image.h"
#include "moduledata.h"

struct pclntab;

/* A function as the table has it. */
struct pclntab_function {
	uint64_t entry;
	uint64_t end; /* entry of the next one: padding included */
};

/* -EIO inconsistent, -ENOMEM. Names are indexed by the first look-up, not here. */
int pclntab__open(const struct image *image, const struct moduledata *md, struct pclntab **out,
		  struct why *why);
void pclntab__free(struct pclntab *p);

size_t pclntab__cnt(const struct pclntab *p);
struct pclntab_function pclntab__function(const struct pclntab *p, size_t i);

/* Normalised name of function I, valid as long as P; NULL when damaged. */
const char *pclntab__name(struct pclntab *p, size_t i);

/* The one body called NAME. -ENOENT, -ENOTUNIQ, -ENOMEM, -EIO when the names are damaged. */
int pclntab__find(struct pclntab *p, const char *name, size_t *i);

/* The function that holds ADDR. -ENOENT. */
int pclntab__at(const struct pclntab *p, uint64_t addr, size_t *i);

bool pclntab__has_package(struct pclntab *p, const char *path);

/* For the instruction at ADDR of function I; -ENOENT. */
int pclntab__line(const struct pclntab *p, size_t i, uint64_t addr, const char **file, int *line);
int pclntab__frame_size(const struct pclntab *p, size_t i, uint64_t addr, uint32_t *out);

/* See resolve__frames(). */
size_t pclntab__frames(struct pclntab *p, size_t i, uint64_t addr, struct frame_fact *out, size_t cap);

#endif
