/* SPDX-License-Identifier: Apache-2.0 */
#include "rtype.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIELD_SIZE = 24,
	NAME_EMBEDDED = 8, /* of a field; Go <= 1.18: bit 0 of the offset */
};

int rtype__name(const struct rtype *r, uint64_t addr, char *buf, size_t buf_sz)
{
	return descriptor__name(&r->data, addr, buf, buf_sz);
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
		fields = descriptor__word(&r->data, addr + 56);
	if (fields != addr + STRUCT_SIZE && fields != addr + STRUCT_SIZE + UNCOMMON_SIZE)
		return false;
	return fields <= r->data.etypes && cnt <= (r->data.etypes - fields) / FIELD_SIZE;
}

/*
 * A wrong guess among the other kinds would have to be as large as its kind, and to bear a name that
 * is asked for.
 */
static bool is_wanted(const struct rtype *r, uint64_t addr, const uint8_t *bytes)
{
	uint8_t tflag = bytes[20], align = bytes[21], kind = bytes[23] & KIND_MASK;
	uint8_t named = TFLAG_NAMED | TFLAG_UNCOMMON;
	struct descriptor d;

	if (!kind || tflag > TFLAG_MAX || !descriptor__is_align(align) || align != bytes[22])
		return false;
	if (kind == GO_KIND_STRUCT ? !is_struct(r, addr, bytes) : (tflag & named) != named)
		return false;
	return descriptor__read(&r->data, addr, &d);
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
	uint64_t size = r->data.etypes - r->data.types;
	const uint8_t *bytes = image__at(r->data.image, r->data.types, size);
	size_t cap = 0;
	int err;

	if (!bytes || size > UINT32_MAX)
		return -EIO;
	for (uint64_t off = -r->data.types & 7; off + STRUCT_SIZE <= size; off += 8) {
		if (!is_wanted(r, r->data.types + off, bytes + off))
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
		uint64_t addr = r->data.types + r->found[i];
		struct descriptor d;
		struct type_text str;

		if (descriptor__read(&r->data, addr, &d) && descriptor__str(&r->data, &d, &str))
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
	r->data = (struct type_data){image, types, etypes};
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
	struct type_text wanted;
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
		offer(r, r->data.types + r->found[e - 1], &m);
	return settle(&m, addr);
}

static bool is_pointer_to(const struct rtype *r, uint64_t addr, uint64_t elem)
{
	struct descriptor d;

	return descriptor__read(&r->data, addr, &d) && d.kind == GO_KIND_POINTER &&
	       !(d.tflag & TFLAG_NAMED) && descriptor__word(&r->data, addr + TYPE_SIZE) == elem;
}

/* The pointer type of the type at ELEM: named there, else found by looking everywhere. */
static int find_pointer(const struct rtype *r, uint64_t elem, uint64_t *addr)
{
	uint64_t size = r->data.etypes - r->data.types;
	const uint8_t *bytes = image__at(r->data.image, r->data.types, size);
	struct descriptor d;

	if (!descriptor__read(&r->data, elem, &d))
		return -ENOENT;
	if (d.ptr_to_this > 0 && is_pointer_to(r, r->data.types + d.ptr_to_this, elem)) {
		*addr = r->data.types + d.ptr_to_this;
		return 0;
	}
	for (uint64_t off = -r->data.types & 7; bytes && off + TYPE_SIZE + 8 <= size; off += 8) {
		if ((bytes[off + KIND_OFF] & KIND_MASK) == GO_KIND_POINTER &&
		    is_pointer_to(r, r->data.types + off, elem)) {
			*addr = r->data.types + off;
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

	while (stars < len && stars < POINTERS_MAX && name[stars] == '*')
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

	if (!descriptor__read(&r->data, addr, &d))
		return -ENOENT;
	fact.size = d.size;
	fact.kind = d.kind;
	if (d.kind == GO_KIND_POINTER || d.kind == GO_KIND_SLICE || d.kind == GO_KIND_ARRAY ||
	    d.kind == GO_KIND_CHAN)
		fact.elem = descriptor__word(&r->data, addr + TYPE_SIZE);
	else if (d.kind == GO_KIND_MAP)
		fact.elem = descriptor__word(&r->data, addr + TYPE_SIZE + 8);
	*out = fact;
	return 0;
}

int rtype__field(const struct rtype *r, uint64_t addr, size_t i, struct rtype_field *out)
{
	struct rtype_field field;
	struct descriptor d;
	struct type_text name;
	struct cursor c, flags;
	uint64_t fields, cnt;

	if (!descriptor__read(&r->data, addr, &d))
		return -ENOENT;
	if (d.kind != GO_KIND_STRUCT)
		return -EINVAL;
	c = image__cursor(r->data.image, addr + TYPE_SIZE + 8, 16);
	fields = cursor__word(&c);
	cnt = cursor__u64(&c);
	if (c.overrun || i >= cnt || cnt > (r->data.etypes - r->data.types) / FIELD_SIZE)
		return -ENOENT;
	c = image__cursor(r->data.image, fields + i * FIELD_SIZE, FIELD_SIZE);
	flags = image__cursor(r->data.image, cursor__word(&c), 1);
	if (!descriptor__text(&r->data, flags.addr, &name))
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
