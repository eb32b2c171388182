/* SPDX-License-Identifier: Apache-2.0 */
/*
 * symtab: whether the ELF symbol table is there. Addresses never come from it: pclntab has every
 * Go function in stripped files too, with the same names (facts of Go 1.19 to 1.27).
 */
#ifndef GOSPAN_OFFSETS_SYMTAB_H
#define GOSPAN_OFFSETS_SYMTAB_H

#include "image.h"

/* True when the file has a symbol table with symbols in it. */
bool symtab__present(const struct image *image);

#endif
