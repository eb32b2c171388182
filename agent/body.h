/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body: the attributes of a span's record, row by row (bpf/span.h). Texts that were not in the target's
 * memory are read from its executable.
 */
#ifndef GOSPAN_AGENT_BODY_H
#define GOSPAN_AGENT_BODY_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf/span.h"
#include "../offsets/resolve.h"

struct body {
	const uint8_t *at, *end;
	bool is_cut; /* a text in it is */
	uint64_t bias; /* of the executable in its process */
	const struct resolve *resolve;
};

/* VALUE is lent: by the record, or by the executable. */
struct row {
	uint16_t key; /* may be none of enum attribute_key */
	uint16_t len;
	const uint8_t *value;
};

/* BYTES are RECORD->size. R is the executable's; NULL: its constants have no text. */
struct body body__of(const struct span_record *record, const uint8_t *bytes, const struct resolve *r);

/* The next row. False at the end or when malformed. */
bool body__next(struct body *body, struct row *out);

/* ROW's value, of ATTR_PANIC and ATTR_ERROR; false when malformed. */
bool body__value(const struct body *body, const struct row *row, struct panic_value *out);

#endif
