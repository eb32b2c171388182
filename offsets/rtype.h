/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtype: Go's runtime type descriptors, which every Go executable carries for the garbage collector
 * and reflect, stripped or not. The descriptors of structs and of named types are found by one
 * linear scan of [types, etypes); nothing is copied but an index of 12 to 16 bytes a type.
 *
 * Layout of a struct's fields (Go src/internal/abi/type.go, the same from 1.19 to 1.27):
 *   Struct      pkgPath 48, fields {ptr, len, cap} 56; the fields follow at 80, or 96 if uncommon
 *   field       name pointer 0, type pointer 8, offset 16; Go <= 1.18 keeps offset << 1
 */
#ifndef GOSPAN_OFFSETS_RTYPE_H
#define GOSPAN_OFFSETS_RTYPE_H

#include "descriptor.h"
#include "names.h"

enum { RTYPE_NAME_MAX = 4096 };

struct rtype {
	struct type_data data;
	uint32_t *found; /* offsets from types */
	size_t found_cnt;
	size_t struct_cnt; /* of them */
	struct name_index by_name;
	int offset_shift; /* 1 for Go <= 1.18 */
};

struct rtype_field {
	const char *name; /* in the mapping, not terminated */
	size_t name_len;
	uint64_t type; /* descriptor */
	uint64_t offset;
	bool embedded;
};

/* Scans [TYPES, ETYPES). -EIO outside of the file, -ENOMEM. */
int rtype__open(const struct image *image, uint64_t types, uint64_t etypes, struct rtype **out);
void rtype__free(struct rtype *r);

/* -ENOENT no descriptor at ADDR. */
int rtype__at(const struct rtype *r, uint64_t addr, struct type_fact *out);

/* A struct or named type, or with leading stars a pointer to one. -ENOENT, -ENOTUNIQ. */
int rtype__find(const struct rtype *r, const char *name, size_t len, uint64_t *addr);

/* Full name of the type at ADDR, NUL-terminated; its length, or -ENOENT, -E2BIG. */
int rtype__name(const struct rtype *r, uint64_t addr, char *buf, size_t buf_sz);

/* The I-th field of the struct at ADDR; -ENOENT behind the last, -EINVAL not a struct. */
int rtype__field(const struct rtype *r, uint64_t addr, size_t i, struct rtype_field *out);

/* The field of the struct at ADDR with this name. -ENOENT. */
int rtype__field_named(const struct rtype *r, uint64_t addr, const char *name, size_t len,
		       struct rtype_field *out);

#endif
