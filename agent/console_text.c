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
#include "utf8.h"

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

/* C0, DEL, C1; marks and overrides of direction, line and paragraph separators, invisible ones. */
static const struct range unsafe[] = {
	{ 0x00, 0x1f },	    { 0x7f, 0x9f },	{ 0xad, 0xad },	    { 0x061c, 0x061c },
	{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
};

static bool is_in(uint32_t c, const struct range *ranges, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

#define IS_IN(c, ranges) is_in(c, ranges, sizeof(ranges) / sizeof((ranges)[0]))

/* One character of S..END into *C; the bytes it took. A bad byte counts for one, as U+FFFD. */
static size_t decode(const unsigned char *s, const unsigned char *end, uint32_t *c)
{
	size_t len = utf8__char_len((const char *)s, end - s);
	uint32_t value = len == 1 ? s[0] : s[0] & (0x7f >> len);

	for (size_t i = 1; i < len; i++)
		value = value << 6 | (s[i] & 0x3f);
	*c = len ? value : 0xfffd;
	return len ? len : 1;
}

/* One character as it is shown. */
struct glyph {
	char at[12];
	size_t len;
	unsigned width;
};

/* The next character of *S, which moves on. */
static struct glyph next_glyph(const unsigned char **s, const unsigned char *end)
{
	struct glyph glyph = { .width = 1 };
	uint32_t c;
	size_t len = decode(*s, end, &c);

	if (c >= ' ' && c <= '~') { /* nearly all of them: in none of the tables */
		glyph.len = 1;
		glyph.at[0] = c;
	} else if (IS_IN(c, unsafe)) {
		glyph.len = snprintf(glyph.at, sizeof(glyph.at), c < 0x100 ? "\\x%02x" : "\\u{%x}", c);
		glyph.width = glyph.len;
	} else if (c == 0xfffd) {
		glyph.len = 3;
		memcpy(glyph.at, "\xef\xbf\xbd", 3);
	} else {
		glyph.len = len;
		memcpy(glyph.at, *s, len);
		glyph.width = IS_IN(c, wide) ? 2 : IS_IN(c, zero) ? 0 : 1;
	}
	*s += len;
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
	const unsigned char *s = (const unsigned char *)text.at, *end = s + text.len;
	unsigned left = max_width;
	bool cut = text__width(text) > max_width;

	if (max_width == 0)
		return;
	if (cut)
		left--;
	while (s < end) {
		struct glyph glyph = next_glyph(&s, end);

		if (glyph.width > left || glyph.len > sizeof(row->at) - 16 - row->len)
			break;
		append(row, glyph.at, glyph.len, glyph.width);
		left -= glyph.width;
	}
	if (cut || s < end)
		row__own(row, "…");
}

unsigned text__width(struct otlp_text text)
{
	const unsigned char *s = (const unsigned char *)text.at, *end = s + text.len;
	unsigned width = 0;

	while (s < end)
		width += next_glyph(&s, end).width;
	return width;
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
