/* SPDX-License-Identifier: Apache-2.0 */
#include "descriptor.h"

#include <errno.h>
#include <string.h>

enum {
	NAME_FLAGS_MAX = 15,
	MAP_SIZE_MIN = 88,  /* Go <= 1.23 */
	MAP_SIZE_MAX = 160, /* 136 in 1.27, and some room */
};

static bool in_types(const struct type_data *t, uint64_t addr)
{
	return addr >= t->types && addr < t->etypes;
}

bool descriptor__text(const struct type_data *t, uint64_t addr, struct type_text *out)
{
	struct cursor c = image__cursor_to_end(t->image, addr);
	uint8_t flags = cursor__u8(&c);
	uint32_t len = cursor__varint(&c);
	const uint8_t *bytes = cursor__bytes(&c, len);

	if (!bytes || flags > NAME_FLAGS_MAX)
		return false;
	*out = (struct type_text){(const char *)bytes, len};
	return true;
}

/* Name at an offset from types; the descriptor's STR and PKGPATH are such. */
static bool read_name_off(const struct type_data *t, int32_t off, struct type_text *out)
{
	return off > 0 && (uint32_t)off < t->etypes - t->types &&
	       descriptor__text(t, t->types + off, out);
}

/* Bytes of a value of KIND, 0 where types differ. Both architectures have words of 8 bytes. */
static uint64_t size_of_kind(uint8_t kind)
{
	switch (kind) {
	case GO_KIND_ARRAY:
	case GO_KIND_STRUCT:
		return 0;
	case GO_KIND_BOOL:
	case GO_KIND_INT8:
	case GO_KIND_UINT8:
		return 1;
	case GO_KIND_INT16:
	case GO_KIND_UINT16:
		return 2;
	case GO_KIND_INT32:
	case GO_KIND_UINT32:
	case GO_KIND_FLOAT32:
		return 4;
	case GO_KIND_INTERFACE:
	case GO_KIND_STRING:
	case GO_KIND_COMPLEX128:
		return 16;
	case GO_KIND_SLICE:
		return 24;
	default:
		return 8;
	}
}

static bool is_size(uint8_t kind, uint64_t size)
{
	uint64_t wanted = size_of_kind(kind);

	return !wanted || size == wanted;
}

bool descriptor__read(const struct type_data *t, uint64_t addr, struct descriptor *d)
{
	struct cursor c = image__cursor(t->image, addr, TYPE_SIZE);
	struct type_text str;

	if (!in_types(t, addr) || addr % 8)
		return false;
	d->size = cursor__u64(&c);
	d->ptrdata = cursor__u64(&c);
	cursor__skip(&c, 4);
	d->tflag = cursor__u8(&c);
	d->align = cursor__u8(&c);
	d->field_align = cursor__u8(&c);
	d->kind = cursor__u8(&c) & KIND_MASK;
	cursor__skip(&c, 16);
	d->str = cursor__u32(&c);
	d->ptr_to_this = cursor__u32(&c);
	return !c.overrun && d->kind >= GO_KIND_BOOL && d->kind <= GO_KIND_UNSAFE_POINTER &&
	       descriptor__is_align(d->align) && d->align == d->field_align &&
	       d->ptrdata <= d->size && is_size(d->kind, d->size) && read_name_off(t, d->str, &str);
}

uint64_t descriptor__word(const struct type_data *t, uint64_t addr)
{
	struct cursor c = image__cursor(t->image, addr, 8);

	return cursor__word(&c);
}

/* -- names -- */

/* Go shares the text with the pointer's type: "*http.response" serves both. */
bool descriptor__str(const struct type_data *t, const struct descriptor *d, struct type_text *out)
{
	if (!read_name_off(t, d->str, out))
		return false;
	if (d->tflag & TFLAG_EXTRA_STAR && out->len && out->start[0] == '*') {
		out->start++;
		out->len--;
	}
	return true;
}

/* Import path of a named type whose kind-specific part ends at OFF. */
static bool read_package(const struct type_data *t, uint64_t addr, uint32_t off,
			 struct type_text *out)
{
	struct cursor c = image__cursor(t->image, addr + off, UNCOMMON_SIZE);
	int32_t pkg_path = cursor__u32(&c);

	return !c.overrun && read_name_off(t, pkg_path, out);
}

/*
 * Map descriptors differ in size by Go version (abi.OldMapType, SwissMapType): the one is right
 * where a path is found that fits the short name.
 */
static bool read_map_package(const struct type_data *t, uint64_t addr, struct type_text str,
			     struct type_text *out)
{
	const char *dot = memchr(str.start, '.', str.len);

	for (uint32_t size = MAP_SIZE_MIN; dot && size <= MAP_SIZE_MAX; size += 8) {
		if (read_package(t, addr, size, out) &&
		    memmem(out->start, out->len, str.start, dot - str.start))
			return true;
	}
	return false;
}

static uint32_t kind_size(uint8_t kind)
{
	switch (kind) {
	case GO_KIND_POINTER:
	case GO_KIND_SLICE:
	case GO_KIND_FUNC:
		return TYPE_SIZE + 8;
	case GO_KIND_CHAN:
		return TYPE_SIZE + 16;
	case GO_KIND_ARRAY:
		return TYPE_SIZE + 24;
	case GO_KIND_INTERFACE:
	case GO_KIND_STRUCT:
		return STRUCT_SIZE;
	default:
		return TYPE_SIZE;
	}
}

static bool append(char *buf, size_t buf_sz, size_t *n, struct type_text part)
{
	if (part.len >= buf_sz - *n)
		return false;
	memcpy(buf + *n, part.start, part.len);
	*n += part.len;
	buf[*n] = '\0';
	return true;
}

/* "http.response" of package net/http becomes "net/http.response". */
static struct type_text package_of(const struct type_data *t, uint64_t addr,
				   const struct descriptor *d, struct type_text str)
{
	struct type_text path = {"", 0};
	bool found;

	if (!(d->tflag & TFLAG_NAMED) || !(d->tflag & TFLAG_UNCOMMON))
		return path;
	if (d->kind == GO_KIND_MAP)
		found = read_map_package(t, addr, str, &path);
	else
		found = read_package(t, addr, kind_size(d->kind), &path);
	return found ? path : (struct type_text){"", 0};
}

int descriptor__name(const struct type_data *t, uint64_t addr, char *buf, size_t buf_sz)
{
	struct type_text str, path;
	struct descriptor d;
	const char *dot;
	size_t n = 0;

	for (int depth = 0;; depth++) {
		const char *prefix;

		if (!descriptor__read(t, addr, &d) || depth > POINTERS_MAX)
			return -ENOENT;
		if (d.tflag & TFLAG_NAMED || (d.kind != GO_KIND_POINTER && d.kind != GO_KIND_SLICE))
			break;
		prefix = d.kind == GO_KIND_POINTER ? "*" : "[]";
		if (!buf_sz || !append(buf, buf_sz, &n, (struct type_text){prefix, strlen(prefix)}))
			return -E2BIG;
		addr = descriptor__word(t, addr + TYPE_SIZE);
	}
	if (!descriptor__str(t, &d, &str))
		return -ENOENT;
	path = package_of(t, addr, &d, str);
	dot = memchr(str.start, '.', str.len);
	if (path.len && dot) {
		str.len -= dot - str.start;
		str.start = dot;
	} else {
		path.len = 0;
	}
	if (!buf_sz || !append(buf, buf_sz, &n, path) || !append(buf, buf_sz, &n, str))
		return -E2BIG;
	return n;
}
