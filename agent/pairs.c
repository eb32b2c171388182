/* SPDX-License-Identifier: Apache-2.0 */
#include "pairs.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes [START, END) without outer spaces. -EINVAL a % without two digits, -ENOMEM. */
static int decode(const char *start, const char *end, char **out)
{
	char *raw, *to;

	while (start < end && isspace((unsigned char)*start))
		start++;
	while (start < end && isspace((unsigned char)end[-1]))
		end--;
	raw = to = malloc(end - start + 1);
	if (!raw)
		return -ENOMEM;
	for (; start < end; start++) {
		*to = *start;
		if (*start == '%') {
			if (end - start < 3 || hex_digit(start[1]) < 0 || hex_digit(start[2]) < 0) {
				free(raw);
				return -EINVAL;
			}
			*to = hex_digit(start[1]) << 4 | hex_digit(start[2]);
			start += 2;
		}
		to++;
	}
	*out = utf8__clean(raw, to - raw);
	free(raw);
	return *out ? 0 : -ENOMEM;
}

int pairs__next(const char **at, char **key, char **value)
{
	const char *start = *at + strspn(*at, ", \t"), *end, *eq;
	char *k = NULL, *v = NULL;
	int err;

	*at = start;
	if (!*start)
		return 0;
	end = start + strcspn(start, ",");
	*at = end;
	eq = memchr(start, '=', end - start);
	if (!eq)
		return -EINVAL;
	err = decode(start, eq, &k);
	if (!err)
		err = decode(eq + 1, end, &v);
	if (!err && !*k)
		err = -EINVAL;
	if (err) {
		free(k);
		free(v);
		return err;
	}
	*key = k;
	*value = v;
	return 1;
}
