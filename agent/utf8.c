/* SPDX-License-Identifier: Apache-2.0 */
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t utf8__char_len(const char *text, size_t len)
{
	const uint8_t *p = (const uint8_t *)text;
	uint8_t low = 0x80, high = 0xbf; /* of the second byte */
	size_t n, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (len < n || p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < n; i++) {
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	}
	return n;
}

/* Bytes that are valid from the start of TEXT on. */
static size_t valid_len(const char *text, size_t len)
{
	size_t at = 0, n;

	while (at < len && text[at] && (n = utf8__char_len(text + at, len - at)))
		at += n;
	return at;
}

char *utf8__clean(const char *text, size_t len)
{
	static const char replacement[] = "\xef\xbf\xbd";
	char *out = malloc(3 * len + 1), *to = out;
	size_t n;

	if (!out)
		return NULL;
	for (;;) {
		n = valid_len(text, len);
		memcpy(to, text, n);
		to += n;
		if (n == len)
			break;
		memcpy(to, replacement, 3);
		to += 3;
		text += n + 1;
		len -= n + 1;
	}
	*to = '\0';
	return out;
}
