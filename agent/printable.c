/* SPDX-License-Identifier: Apache-2.0 */
#include "printable.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"

struct range {
	uint32_t first, last;
};

/* C0, DEL, C1; marks and overrides of direction, line and paragraph separators, invisible ones. */
static const struct range unsafe[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	    { 0x061c, 0x061c },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool is_unsafe(uint32_t c)
{
	for (size_t i = 0; i < sizeof(unsafe) / sizeof(unsafe[0]); i++)
		if (c >= unsafe[i].first && c <= unsafe[i].last)
			return true;
	return false;
}

size_t printable__next(const char *text, size_t len, struct glyph *out)
{
	uint8_t first = *text;
	size_t n, i;

	if (first >= ' ' && first <= '~') { /* nearly all of them */
		*out = (struct glyph){ .at = { first }, .len = 1, .c = first };
		return 1;
	}
	n = utf8__char_len(text, len);
	out->c = n <= 1 ? first : first & (0x7f >> n);
	for (i = 1; i < n; i++)
		out->c = out->c << 6 | (text[i] & 0x3f);
	out->spelled = !n || is_unsafe(out->c);
	if (!out->spelled) {
		memcpy(out->at, text, n);
		out->len = n;
	} else {
		out->len = snprintf(out->at, sizeof(out->at), n > 1 ? "\\u{%x}" : "\\x%02x", out->c);
	}
	return n ? n : 1;
}
