// SPDX-License-Identifier: Apache-2.0
/* body: see body.h. */
#include <string.h>

#include "body.h"
#include "build_span.h"

struct body body__of(const struct span_record *record, const uint8_t *bytes, const struct resolve *r)
{
	return (struct body){.at = bytes, .end = bytes + record->size, .is_cut = record->truncated,
			     .bias = record->bias, .resolve = r};
}

/* The executable, or NULL: after its process is gone somebody may have written to the file. */
static const struct resolve *file_of(const struct body *body)
{
	return body->resolve && resolve__is_intact(body->resolve) ? body->resolve : NULL;
}

/* SZ bytes of a constant at ADDR, or NULL. */
static const uint8_t *constant(const struct body *body, uint64_t addr, uint64_t sz)
{
	const struct resolve *r = file_of(body);

	return r && addr < resolve__constants_end(r) ? resolve__bytes(r, addr, sz) : NULL;
}

static void read_constant(const struct body *body, struct row *row)
{
	struct constant_text text = {0, 0};

	if (row->len == sizeof(text))
		memcpy(&text, row->value, sizeof(text));
	row->value = text.len <= TEXT_MAX ? constant(body, text.addr, text.len) : NULL;
	row->len = row->value ? text.len : 0;
}

bool body__next(struct body *body, struct row *out)
{
	size_t size, left = body->end - body->at;
	struct attribute_header header;

	if (left < sizeof(header))
		return false;
	memcpy(&header, body->at, sizeof(header));
	*out = (struct row){.key = header.key, .len = header.len & ~ATTRIBUTE_CONSTANT,
			    .value = body->at + sizeof(header)};
	size = sizeof(header) + out->len;
	if (left < size)
		return false;
	size = (size + ATTRIBUTE_ALIGN - 1) & ~(size_t)(ATTRIBUTE_ALIGN - 1);
	body->at = left < size ? body->end : body->at + size;
	if (header.len & ATTRIBUTE_CONSTANT)
		read_constant(body, out);
	if (body->is_cut && out->key < ATTR_MAX)
		out->len = build__whole(out->key, out->value, out->len);
	return true;
}

/* What the linker made of an itab: src/internal/abi/iface.go, {Inter, Type, ...}, Go 1.17 to 1.27. */
static void read_itab(const struct body *body, struct panic_value *value)
{
	const struct resolve *r = file_of(body);
	uint64_t type;

	if (r && !resolve__read(r, value->itab + 8, &type, sizeof(type)) && type)
		value->type = type + body->bias;
}

bool body__value(const struct body *body, const struct row *row, struct panic_value *out)
{
	const uint8_t *bytes = NULL;

	if (row->len != sizeof(*out))
		return false;
	memcpy(out, row->value, sizeof(*out));
	if (!out->type && out->itab)
		read_itab(body, out);
	/* how many there are only its type tells */
	for (size_t sz = sizeof(out->value); out->constant && sz && !bytes; sz /= 2) {
		bytes = constant(body, out->constant, sz);
		if (bytes)
			memcpy(out->value, bytes, sz);
	}
	return true;
}
