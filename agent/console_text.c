/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_text: see console_text.h.
 *
 * The C library's wcwidth() is no help: it depends on the locale, and a container image often has
 * none for UTF-8. What a terminal makes two columns wide (East Asian Width W and F, emoji) and what
 * takes none (combining marks) is in two short tables, after Unicode Standard Annex #11; a rare
 * character that they miss shifts a column and harms nothing else.
 */
#include <stdarg.h>
#include <string.h>

#include "console_text.h"
#include "printable.h"

struct range {
	uint32_t first, last;
};

static const struct range wide[] = {
	{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },	  { 0x3400, 0x4dbf },
	{ 0x4e00, 0xa4cf },   { 0xa960, 0xa97c },   { 0xac00, 0xd7a3 },	  { 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },	  { 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static const struct range zero[] = {
	{ 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f },
	{ 0x0e34, 0x0e3a }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f }, { 0xfe20, 0xfe2f },
};

static bool is_in(uint32_t c, const struct range *ranges, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define IS_IN(c, ranges) is_in(c, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* The next character of *S, which moves on, and its columns. */
static struct glyph next_glyph(const char **s, const char *end, unsigned *width)
{
	struct glyph glyph;

	*s += printable__next(*s, end - *s, &glyph);
	if (glyph.spelled)
		*width = glyph.len;
	else if (glyph.c < zero[0].first)
		*width = 1; /* nearly all of them: in none of the tables */
	else
		*width = IS_IN(glyph.c, wide) ? 2 : IS_IN(glyph.c, zero) ? 0 : 1;
	return glyph;
}

void row__start(struct row *row, bool color)
{
	row->len = 0;
	row->width = 0;
	row->color = color;
}

/* Room is kept for a last reset of the style and the newline. */
static void append(struct row *row, const char *at, size_t len, unsigned width)
{
	if (len > sizeof(row->at) - 8 - row->len)
		return;
	memcpy(row->at + row->len, at, len);
	row->len += len;
	row->width += width;
}

void row__own(struct row *row, const char *text)
{
	unsigned width = 0;

	for (const char *s = text; *s; s++)
		width += (*s & 0xc0) != 0x80;
	append(row, text, strlen(text), width);
}

void row__format(struct row *row, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	row__own(row, text);
}

void row__foreign(struct row *row, struct otlp_text text, unsigned max_width)
{
	const char *s = text.at, *end = s + text.len;
	bool cut = text__width(text) > max_width;
	unsigned left = max_width, width;

	if (max_width == 0)
		return;
	if (cut)
		left--;
	while (s < end) {
		struct glyph glyph = next_glyph(&s, end, &width);

		if (width > left || glyph.len > sizeof(row->at) - 16 - row->len)
			break;
		append(row, glyph.at, glyph.len, width);
		left -= width;
	}
	if (cut || s < end)
		row__own(row, "…");
}

unsigned text__width(struct otlp_text text)
{
	const char *s = text.at, *end = s + text.len;
	unsigned all = 0, width;

	while (s < end) {
		next_glyph(&s, end, &width);
		all += width;
	}
	return all;
}

void row__short_id(struct row *row, const uint8_t trace_id[static 16])
{
	row__format(row, "%02x%02x…%02x", trace_id[0], trace_id[1], trace_id[15]);
}

void row__pad_to(struct row *row, unsigned column)
{
	while (row->width < column && row->len < sizeof(row->at) - 16)
		append(row, " ", 1, 1);
}

void row__right(struct row *row, const char *text, unsigned column)
{
	unsigned width = text__width((struct otlp_text){ text, strlen(text) });

	if (width < column)
		row__pad_to(row, column - width);
	row__own(row, text);
}

void row__style(struct row *row, enum style style)
{
	static const char *const codes[] = {
		[PLAIN] = "\033[m",    [DIM] = "\033[2m",     [BOLD] = "\033[1m", [GREEN] = "\033[32m",
		[YELLOW] = "\033[33m", [RED] = "\033[31m", [CYAN] = "\033[36m",
	};

	if (row->color)
		append(row, codes[style], strlen(codes[style]), 0);
}

void row__print(const struct row *row, FILE *out)
{
	size_t len = row->len;

	while (len > 0 && row->at[len - 1] == ' ')
		len--;
	fwrite(row->at, 1, len, out);
	fputs(row->color ? "\033[m\n" : "\n", out);
}

void format_duration(uint64_t ns, char out[static DURATION_BYTES])
{
	uint64_t us = ns / 1000;

	/* Each limit is where the next form would be rounded to the same digits. */
	if (ns < 999500)
		snprintf(out, DURATION_BYTES, "%uµs", (unsigned)((ns + 500) / 1000));
	else if (us < 99950)
		snprintf(out, DURATION_BYTES, "%.1fms", ns / 1e6);
	else if (us < 999500)
		snprintf(out, DURATION_BYTES, "%.0fms", ns / 1e6);
	else if (us < 9995000)
		snprintf(out, DURATION_BYTES, "%.2fs", ns / 1e9);
	else if (us < 99950000)
		snprintf(out, DURATION_BYTES, "%.1fs", ns / 1e9);
	else if (us < 5999500000)
		snprintf(out, DURATION_BYTES, "%um%02us", (unsigned)((us + 500000) / 60000000),
			 (unsigned)((us + 500000) / 1000000 % 60));
	else
		snprintf(out, DURATION_BYTES, "%uh%02um", (unsigned)(us / 3600000000u),
			 (unsigned)(us / 60000000 % 60));
}
