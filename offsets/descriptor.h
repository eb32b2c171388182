/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor: one of Go's runtime type descriptors, and what it is called. Nothing is kept: each
 * question reads the executable.
 *
 * Layout (Go src/internal/abi/type.go, the same from 1.19 to 1.27; before: runtime/type.go):
 *   Type        48 bytes: size 0, ptrdata 8, hash 16, tflag 20, align 21, fieldalign 22, kind 23,
 *               str 40 (i32 from types), ptrToThis 44 (i32 from types)
 *   uncommon    behind the kind's own part: pkgPath i32 from types
 *   name        flag byte (8: an embedded field's), varint length, bytes (Go >= 1.17)
 */
#ifndef GOSPAN_OFFSETS_DESCRIPTOR_H
#define GOSPAN_OFFSETS_DESCRIPTOR_H

#include "image.h"
#include "resolve.h"

enum {
	TYPE_SIZE = 48,
	STRUCT_SIZE = 80,
	UNCOMMON_SIZE = 16,
	TFLAG_UNCOMMON = 1,
	TFLAG_EXTRA_STAR = 2,
	TFLAG_NAMED = 4,
	TFLAG_MAX = 63,
	KIND_OFF = 23,
	KIND_MASK = 31, /* above: direct interface and gc program bits of Go <= 1.25 */
	POINTERS_MAX = 16, /* to pointers */
};

/* Where an executable's descriptors are: link-time addresses, TYPES <= descriptor < ETYPES. */
struct type_data {
	const struct image *image;
	uint64_t types;
	uint64_t etypes;
};

struct descriptor {
	uint64_t size; /* bytes of a value */
	uint64_t ptrdata;
	uint8_t tflag;
	uint8_t align;
	uint8_t field_align;
	uint8_t kind; /* enum go_kind */
	int32_t str;
	int32_t ptr_to_this;
};

/* In the mapping, not terminated. */
struct type_text {
	const char *start;
	size_t len;
};

static inline bool descriptor__is_align(uint8_t align)
{
	return align == 1 || align == 2 || align == 4 || align == 8;
}

/*
 * The descriptor at ADDR, or false where the bytes cannot be one. Bytes that lie between descriptors
 * may pass for one all the same.
 */
bool descriptor__read(const struct type_data *t, uint64_t addr, struct descriptor *d);

/* The pointer at ADDR; 0 outside of the file. */
uint64_t descriptor__word(const struct type_data *t, uint64_t addr);

/* The name record at ADDR, a field's for one. */
bool descriptor__text(const struct type_data *t, uint64_t addr, struct type_text *out);

/* The name as reflect prints it, "http.response", without a star that is not the type's own. */
bool descriptor__str(const struct type_data *t, const struct descriptor *d, struct type_text *out);

/*
 * Full name of the type at ADDR, "*net/http.response", NUL-terminated; its length, or -ENOENT,
 * -E2BIG.
 */
int descriptor__name(const struct type_data *t, uint64_t addr, char *buf, size_t buf_sz);

#endif
