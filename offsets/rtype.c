/* SPDX-License-Identifier: Apache-2.0 */
#include "rtype.h"

#include <errno.h>
#include <stdlib.h>

enum {
	TYPE_SIZE = 48,
	STRUCT_SIZE = 80,
	UNCOMMON_SIZE = 16,
	FIELD_SIZE = 24,
	KIND_OFF = 23,
	KIND_MASK = 31, /* above: direct interface and gc program bits of Go <= 1.25 */
	TFLAG_UNCOMMON = 1,
	TFLAG_EXTRA_STAR = 2,
	TFLAG_NAMED = 4,
	NAME_FLAGS_MAX = 15,
	NAME_EMBEDDED = 8, /* of a field; Go <= 1.18: bit 0 of the offset */
	TFLAG_MAX = 63,
	MAP_SIZE_MIN = 88,  /* Go <= 1.23 */
	MAP_SIZE_MAX = 160, /* 136 in 1.27, and some room */
	DEPTH_MAX = 16,	    /* of pointers to pointers */
};

struct descriptor {
	uint64_t size;
	uint64_t ptrdata;
	uint8_t tflag;
	uint8_t align;
	uint8_t field_align;
	uint8_t kind;
	int32_t str;
	int32_t ptr_to_this;
};

struct name {
	const char *start;
	size_t len;
};

static bool in_types(const struct rtype *r, uint64_t addr)
{
	return addr >= r->types && addr < r->etypes;
}

/* The name record at ADDR: flags, varint length, bytes. */
static bool read_name(const struct rtype *r, uint64_t addr, struct name *out)
{
	struct cursor c = image__cursor_to_end(r->image, addr);
	uint8_t flags = cursor__u8(&c);
	uint32_t len = cursor__varint(&c);
	const uint8_t *bytes = cursor__bytes(&c, len);

	if (!bytes || flags > NAME_FLAGS_MAX)
		return false;
	*out = (struct name){(const char *)bytes, len};
	return true;
}

/* Name at an offset from types; the descriptor's STR and PKGPATH are such. */
static bool read_name_off(const struct rtype *r, int32_t off, struct name *out)
{
	return off > 0 && (uint32_t)off < r->etypes - r->types && read_name(r, r->types + off, out);
}

static bool is_align(uint8_t align)
{
	return align == 1 || align == 2 || align == 4 || align == 8;
}

static bool read_descriptor(const struct rtype *r, uint64_t addr, struct descriptor *d)
{
	struct cursor c = image__cursor(r->image, addr, TYPE_SIZE);
	struct name str;

	if (!in_types(r, addr) || addr % 8)
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
	       is_align(d->align) && d->align == d->field_align && d->ptrdata <= d->size &&
	       read_name_off(r, d->str, &str);
}

static uint64_t word_at(const struct rtype *r, uint64_t addr)
{
	struct cursor c = image__cursor(r->image, addr, 8);

	return cursor__word(&c);
}

/* -- names -- */

/* str without the star that Go shares it with ("*http.response" serves both types). */
static bool read_str(const struct rtype *r, const struct descriptor *d, struct name *out)
{
	if (!read_name_off(r, d->str, out))
		return false;
	if (d->tflag & TFLAG_EXTRA_STAR && out->len && out->start[0] == '*') {
		out->start++;
		out->len--;
	}
	return true;
}

/* Import path of a named type whose kind-specific part ends at OFF. */
static bool read_package(const struct rtype *r, uint64_t addr, uint32_t off, struct name *out)
{
	struct cursor c = image__cursor(r->image, addr + off, UNCOMMON_SIZE);
	int32_t pkg_path = cursor__u32(&c);

	return !c.overrun && read_name_off(r, pkg_path, out);
}

/*
 * Map descriptors differ in size by Go version (abi.OldMapType, SwissMapType): the one is right
 * where a path is found that fits the short name.
 */
static bool read_map_package(const struct rtype *r, uint64_t addr, struct name str,
			     struct name *out)
{
	const char *dot = memchr(str.start, '.', str.len);

	for (uint32_t size = MAP_SIZE_MIN; dot && size <= MAP_SIZE_MAX; size += 8) {
		if (read_package(r, addr, size, out) &&
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

static bool append(char *buf, size_t buf_sz, size_t *n, struct name part)
{
	if (part.len >= buf_sz - *n)
		return false;
	memcpy(buf + *n, part.start, part.len);
	*n += part.len;
	buf[*n] = '\0';
	return true;
}

/* "http.response" of package net/http becomes "net/http.response". */
static struct name package_of(const struct rtype *r, uint64_t addr, const struct descriptor *d,
			      struct name str)
{
	struct name path = {"", 0};
	bool found;

	if (!(d->tflag & TFLAG_NAMED) || !(d->tflag & TFLAG_UNCOMMON))
		return path;
	if (d->kind == GO_KIND_MAP)
		found = read_map_package(r, addr, str, &path);
	else
		found = read_package(r, addr, kind_size(d->kind), &path);
	return found ? path : (struct name){"", 0};
}

int rtype__name(const struct rtype *r, uint64_t addr, char *buf, size_t buf_sz)
{
	struct name str, path;
	struct descriptor d;
	const char *dot;
	size_t n = 0;

	for (int depth = 0;; depth++) {
		const char *prefix;

		if (!read_descriptor(r, addr, &d) || depth > DEPTH_MAX)
			return -ENOENT;
		if (d.tflag & TFLAG_NAMED || (d.kind != GO_KIND_POINTER && d.kind != GO_KIND_SLICE))
			break;
		prefix = d.kind == GO_KIND_POINTER ? "*" : "[]";
		if (!buf_sz || !append(buf, buf_sz, &n, (struct name){prefix, strlen(prefix)}))
			return -E2BIG;
		addr = word_at(r, addr + TYPE_SIZE);
	}
	if (!read_str(r, &d, &str))
		return -ENOENT;
	path = package_of(r, addr, &d, str);
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

/* -- the scan -- */

static uint64_t load_u64(const uint8_t *bytes)
{
	uint64_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* BYTES are STRUCT_SIZE bytes at ADDR. That fields points right behind itself is nearly proof. */
static bool is_struct(const struct rtype *r, uint64_t addr, const uint8_t *bytes)
{
	uint64_t fields = load_u64(bytes + 56), cnt = load_u64(bytes + 64);

	if (cnt != load_u64(bytes + 72))
		return false;
	if (!fields)
		fields = word_at(r, addr + 56);
	if (fields != addr + STRUCT_SIZE && fields != addr + STRUCT_SIZE + UNCOMMON_SIZE)
		return false;
	return fields <= r->etypes && cnt <= (r->etypes - fields) / FIELD_SIZE;
}

/* A wrong guess among the other kinds does no harm: it would have to bear a name asked for. */
static bool is_wanted(const struct rtype *r, uint64_t addr, const uint8_t *bytes)
{
	uint8_t tflag = bytes[20], align = bytes[21], kind = bytes[23] & KIND_MASK;
	uint8_t named = TFLAG_NAMED | TFLAG_UNCOMMON;
	struct descriptor d;

	if (!kind || tflag > TFLAG_MAX || !is_align(align) || align != bytes[22])
		return false;
	if (kind == GO_KIND_STRUCT ? !is_struct(r, addr, bytes) : (tflag & named) != named)
		return false;
	return read_descriptor(r, addr, &d);
}

static int keep(struct rtype *r, uint64_t off, size_t *cap)
{
	if (r->found_cnt == *cap) {
		size_t wider = *cap ? *cap * 2 : 4096;
		uint32_t *found = realloc(r->found, wider * sizeof(*found));

		if (!found)
			return -ENOMEM;
		r->found = found;
		*cap = wider;
	}
	r->found[r->found_cnt++] = off;
	return 0;
}

static int scan(struct rtype *r)
{
	uint64_t size = r->etypes - r->types;
	const uint8_t *bytes = image__at(r->image, r->types, size);
	size_t cap = 0;
	int err;

	if (!bytes || size > UINT32_MAX)
		return -EIO;
	for (uint64_t off = -r->types & 7; off + STRUCT_SIZE <= size; off += 8) {
		if (!is_wanted(r, r->types + off, bytes + off))
			continue;
		r->struct_cnt += (bytes[off + KIND_OFF] & KIND_MASK) == GO_KIND_STRUCT;
		err = keep(r, off, &cap);
		if (err)
			return err;
	}
	return 0;
}

static int index_names(struct rtype *r)
{
	int err = name_index__init(&r->by_name, r->found_cnt);

	for (size_t i = 0; !err && i < r->found_cnt; i++) {
		struct descriptor d;
		struct name str;

		if (read_descriptor(r, r->types + r->found[i], &d) && read_str(r, &d, &str))
			name_index__add(&r->by_name, name__tail_hash(str.start, str.len, "./"), i);
	}
	return err;
}

int rtype__open(const struct image *image, uint64_t types, uint64_t etypes, struct rtype **out)
{
	struct rtype *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->image = image;
	r->types = types;
	r->etypes = etypes;
	err = scan(r);
	if (!err)
		err = index_names(r);
	if (err) {
		rtype__free(r);
		return err;
	}
	image__forget(image, types, etypes - types);
	*out = r;
	return 0;
}

void rtype__free(struct rtype *r)
{
	if (!r)
		return;
	free(r->found);
	name_index__free(&r->by_name);
	free(r);
}

/* -- looking up -- */

/* Collects candidates of one name: an exact match beats matches after normalisation. */
struct match {
	struct name wanted;
	uint64_t exact;
	uint64_t normalised;
	int exact_cnt;
	int normalised_cnt;
};

static void offer(const struct rtype *r, uint64_t addr, struct match *m)
{
	char name[RTYPE_NAME_MAX];
	int len = rtype__name(r, addr, name, sizeof(name));

	if (len < 0)
		return;
	if ((size_t)len == m->wanted.len && !memcmp(name, m->wanted.start, len)) {
		m->exact = addr;
		m->exact_cnt++;
	} else if (name__equal(name, len, m->wanted.start, m->wanted.len)) {
		m->normalised = addr;
		m->normalised_cnt++;
	}
}

static int settle(const struct match *m, uint64_t *addr)
{
	int cnt = m->exact_cnt ? m->exact_cnt : m->normalised_cnt;

	if (!cnt)
		return -ENOENT;
	if (cnt > 1)
		return -ENOTUNIQ;
	*addr = m->exact_cnt ? m->exact : m->normalised;
	return 0;
}

static int find_indexed(const struct rtype *r, const char *name, size_t len, uint64_t *addr)
{
	struct match m = {.wanted = {name, len}};
	uint32_t hash = name__tail_hash(name, len, "./");

	for (uint32_t e = name_index__first(&r->by_name, hash); e;
	     e = name_index__next(&r->by_name, e))
		offer(r, r->types + r->found[e - 1], &m);
	return settle(&m, addr);
}

static bool is_pointer_to(const struct rtype *r, uint64_t addr, uint64_t elem)
{
	struct descriptor d;

	return read_descriptor(r, addr, &d) && d.kind == GO_KIND_POINTER &&
	       !(d.tflag & TFLAG_NAMED) && word_at(r, addr + TYPE_SIZE) == elem;
}

/* The pointer type of the type at ELEM: named there, else found by looking everywhere. */
static int find_pointer(const struct rtype *r, uint64_t elem, uint64_t *addr)
{
	uint64_t size = r->etypes - r->types;
	const uint8_t *bytes = image__at(r->image, r->types, size);
	struct descriptor d;

	if (!read_descriptor(r, elem, &d))
		return -ENOENT;
	if (d.ptr_to_this > 0 && is_pointer_to(r, r->types + d.ptr_to_this, elem)) {
		*addr = r->types + d.ptr_to_this;
		return 0;
	}
	for (uint64_t off = -r->types & 7; bytes && off + TYPE_SIZE + 8 <= size; off += 8) {
		if ((bytes[off + KIND_OFF] & KIND_MASK) == GO_KIND_POINTER &&
		    is_pointer_to(r, r->types + off, elem)) {
			*addr = r->types + off;
			return 0;
		}
	}
	return -ENOENT;
}

int rtype__find(const struct rtype *r, const char *name, size_t len, uint64_t *addr)
{
	uint64_t found = 0;
	size_t stars = 0;
	int err;

	while (stars < len && stars < DEPTH_MAX && name[stars] == '*')
		stars++;
	err = find_indexed(r, name + stars, len - stars, &found);
	for (; !err && stars; stars--)
		err = find_pointer(r, found, &found);
	if (!err)
		*addr = found;
	return err;
}

int rtype__at(const struct rtype *r, uint64_t addr, struct type_fact *out)
{
	struct type_fact fact = {.addr = addr};
	struct descriptor d;

	if (!read_descriptor(r, addr, &d))
		return -ENOENT;
	fact.size = d.size;
	fact.kind = d.kind;
	if (d.kind == GO_KIND_POINTER || d.kind == GO_KIND_SLICE || d.kind == GO_KIND_ARRAY ||
	    d.kind == GO_KIND_CHAN)
		fact.elem = word_at(r, addr + TYPE_SIZE);
	else if (d.kind == GO_KIND_MAP)
		fact.elem = word_at(r, addr + TYPE_SIZE + 8);
	*out = fact;
	return 0;
}

int rtype__field(const struct rtype *r, uint64_t addr, size_t i, struct rtype_field *out)
{
	struct rtype_field field;
	struct descriptor d;
	struct name name;
	struct cursor c, flags;
	uint64_t fields, cnt;

	if (!read_descriptor(r, addr, &d))
		return -ENOENT;
	if (d.kind != GO_KIND_STRUCT)
		return -EINVAL;
	c = image__cursor(r->image, addr + TYPE_SIZE + 8, 16);
	fields = cursor__word(&c);
	cnt = cursor__u64(&c);
	if (c.overrun || i >= cnt || cnt > (r->etypes - r->types) / FIELD_SIZE)
		return -ENOENT;
	c = image__cursor(r->image, fields + i * FIELD_SIZE, FIELD_SIZE);
	flags = image__cursor(r->image, cursor__word(&c), 1);
	if (!read_name(r, flags.addr, &name))
		return -ENOENT;
	field.name = name.start;
	field.name_len = name.len;
	field.type = cursor__word(&c);
	field.offset = cursor__u64(&c);
	field.embedded = cursor__u8(&flags) & NAME_EMBEDDED || field.offset & r->offset_shift;
	field.offset >>= r->offset_shift;
	if (c.overrun || field.offset > d.size)
		return -ENOENT;
	*out = field;
	return 0;
}

int rtype__field_named(const struct rtype *r, uint64_t addr, const char *name, size_t len,
		       struct rtype_field *out)
{
	struct rtype_field field;

	for (size_t i = 0;; i++) {
		int err = rtype__field(r, addr, i, &field);

		if (err)
			return err;
		if (field.name_len == len && !memcmp(field.name, name, len)) {
			*out = field;
			return 0;
		}
	}
}
