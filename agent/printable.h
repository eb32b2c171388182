/* SPDX-License-Identifier: Apache-2.0 */
/*
 * printable: foreign text for a terminal or a log, character by character. What a terminal would
 * obey, or what hides or reorders text, is spelled out: \xNN is a byte (a control character, or one
 * that is no UTF-8), \u{NN} a character of several bytes.
 */
#ifndef GOSPAN_AGENT_PRINTABLE_H
#define GOSPAN_AGENT_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GLYPH_BYTES = 12 };

struct glyph {
	char at[GLYPH_BYTES]; /* what to show, not NUL-terminated */
	size_t len;
	bool spelled; /* out, in ASCII */
	uint32_t c;   /* the character, if it is not */
};

/* The first character of TEXT, of LEN > 0 bytes. Returns how many of them it took. */
size_t printable__next(const char *text, size_t len, struct glyph *out);

#endif
