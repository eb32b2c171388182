/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TAIL_MAX = 12 };

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* The byte escaped at NAME ("%2e"), or -1. Go writes lower case (cmd/internal/objabi/path.go). */
static int escaped_byte(const char *name, size_t len)
{
	if (len < 3 || name[0] != '%' || hex_digit(name[1]) < 0 || hex_digit(name[2]) < 0)
		return -1;
	return hex_digit(name[1]) << 4 | hex_digit(name[2]);
}

size_t name__vendor_prefix(const char *name, size_t len)
{
	static const char vendor[] = "/vendor/";
	const size_t vendor_len = sizeof(vendor) - 1;
	const char *bracket = memchr(name, '[', len);
	size_t path_len = bracket ? (size_t)(bracket - name) : len;
	size_t cut = 0;

	if (path_len >= vendor_len - 1 && !memcmp(name, vendor + 1, vendor_len - 1))
		cut = vendor_len - 1;
	for (;;) {
		const char *found = memmem(name + cut, path_len - cut, vendor, vendor_len);

		if (!found)
			return cut;
		cut = found + vendor_len - name;
	}
}

int name__normalise(const char *name, size_t len, char *buf, size_t buf_sz)
{
	size_t n = 0;

	for (size_t i = name__vendor_prefix(name, len); i < len;) {
		int escaped = escaped_byte(name + i, len - i);

		if (n + 1 >= buf_sz)
			return -E2BIG;
		buf[n++] = escaped >= 0 ? escaped : name[i];
		i += escaped >= 0 ? 3 : 1;
	}
	if (n >= buf_sz)
		return -E2BIG;
	buf[n] = '\0';
	return n;
}

bool name__equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t i = name__vendor_prefix(a, a_len), j = name__vendor_prefix(b, b_len);

	while (i < a_len && j < b_len) {
		int x = escaped_byte(a + i, a_len - i);
		int y = escaped_byte(b + j, b_len - j);

		if ((x >= 0 ? x : (uint8_t)a[i]) != (y >= 0 ? y : (uint8_t)b[j]))
			return false;
		i += x >= 0 ? 3 : 1;
		j += y >= 0 ? 3 : 1;
	}
	return i == a_len && j == b_len;
}

size_t name__package_len(const char *name, size_t len)
{
	size_t start = 0;

	for (size_t i = 0; i < len && name[i] != '[' && name[i] != '('; i++) {
		if (name[i] == '/')
			start = i + 1;
	}
	for (size_t i = start; i < len; i++) {
		if (name[i] == '.')
			return i;
	}
	return 0;
}

uint32_t name__tail_hash(const char *name, size_t len, const char *stops)
{
	uint32_t hash = 2166136261u; /* FNV-1a, over the name read backwards */

	for (int n = 0; n < TAIL_MAX && len; n++) {
		bool percent = len >= 3 && name[len - 3] == '%';
		int escaped = percent ? escaped_byte(name + len - 3, 3) : -1;
		char byte = escaped >= 0 ? escaped : name[len - 1];

		if (byte == stops[0] || (stops[1] && byte == stops[1]))
			break;
		hash = (hash ^ (uint8_t)byte) * 16777619u;
		len -= escaped >= 0 ? 3 : 1;
	}
	return hash ^ hash >> 15;
}

int name_index__init(struct name_index *index, size_t cnt)
{
	size_t buckets = 1;

	while (buckets < cnt / 2) /* smaller than the cache counts more than short chains */
		buckets *= 2;
	index->heads = calloc(buckets, sizeof(*index->heads));
	index->next = calloc(cnt ? cnt : 1, sizeof(*index->next));
	index->mask = buckets - 1;
	if (index->heads && index->next)
		return 0;
	name_index__free(index);
	return -ENOMEM;
}

void name_index__free(struct name_index *index)
{
	free(index->heads);
	free(index->next);
	memset(index, 0, sizeof(*index));
}

void name_index__add(struct name_index *index, uint32_t hash, uint32_t number)
{
	uint32_t *head = &index->heads[hash & index->mask];

	index->next[number] = *head;
	*head = number + 1;
}

uint32_t name_index__first(const struct name_index *index, uint32_t hash)
{
	return index->heads ? index->heads[hash & index->mask] : 0;
}

uint32_t name_index__next(const struct name_index *index, uint32_t entry)
{
	return index->next[entry - 1];
}
