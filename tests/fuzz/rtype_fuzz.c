/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes type descriptors: the input is what lies between types and etypes.
 * libFuzzer: -max_len=820
 */
#include "../../offsets/rtype.h"
#include "memory_image.h"

#include <stdlib.h>

enum { TYPES = 0x500100, FIELDS_MAX = 256 }; /* where tests/fuzz/make-seeds puts them */

static void check_field(const struct rtype *r, const struct rtype_field *field)
{
	struct type_fact fact;
	char byte = field->name_len ? field->name[0] ^ field->name[field->name_len - 1] : 0;

	if (byte == 1 && !rtype__at(r, field->type, &fact) && fact.addr != field->type)
		abort();
}

static void check_type(const struct rtype *r, uint64_t addr)
{
	char name[RTYPE_NAME_MAX];
	struct rtype_field field;
	struct type_fact fact;
	uint64_t found;
	int len;

	if (rtype__at(r, addr, &fact))
		return;
	for (size_t i = 0; i < FIELDS_MAX && !rtype__field(r, addr, i, &field); i++)
		check_field(r, &field);
	len = rtype__name(r, addr, name, sizeof(name));
	if (len < 0)
		return;
	if (name[len])
		abort();
	if (!rtype__find(r, name, len, &found) && rtype__at(r, found, &fact))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct image image = memory_image(data, size, TYPES);
	struct rtype *r = NULL;
	uint64_t found;

	if (rtype__open(&image, TYPES, TYPES + size, &r))
		return 0;
	for (uint64_t off = 0; off < size; off += 8)
		check_type(r, TYPES + off);
	rtype__find(r, "*runtime.g", 10, &found);
	rtype__free(r);
	return 0;
}
