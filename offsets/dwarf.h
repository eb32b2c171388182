/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dwarf: struct fields of types that the type data leaves out, because their values live only on
 * stacks or in globals. Read by libdw, opened by the first question only: most never ask.
 */
#ifndef GOSPAN_OFFSETS_DWARF_H
#define GOSPAN_OFFSETS_DWARF_H

#include "image.h"

struct dwarf;

/* -ENOENT the file has no usable DWARF, -ENOMEM. */
int dwarf__open(const struct image *image, struct dwarf **out);
void dwarf__free(struct dwarf *d);

/*
 * Field PATH ("fh.StreamID") of the struct TYPE ("net/http.pattern"). -ENOENT no such type,
 * -ENOTUNIQ several, -ESRCH the type has no such field.
 */
int dwarf__field(struct dwarf *d, const char *type, size_t type_len, const char *path,
		 struct field_fact *out);

#endif
