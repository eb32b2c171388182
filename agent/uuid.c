/* SPDX-License-Identifier: Apache-2.0 */
#include "uuid.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 64, NAME_MAX_LEN = 512 };

static uint32_t rotate_left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t read_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* f and K of round T: FIPS 180-4, 4.1.1 and 4.2.1 */
static uint32_t mix(unsigned t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void add_block(uint32_t h[static 5], const uint8_t block[static BLOCK])
{
	uint32_t w[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], next;
	unsigned t;

	for (t = 0; t < 16; t++)
		w[t] = read_be32(block + 4 * t);
	for (; t < 80; t++)
		w[t] = rotate_left(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	for (t = 0; t < 80; t++) {
		next = rotate_left(a, 5) + mix(t, b, c, d) + e + w[t];
		e = d;
		d = c;
		c = rotate_left(b, 30);
		b = a;
		a = next;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

void sha1(const uint8_t *data, size_t len, uint8_t out[static SHA1_SIZE])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	uint8_t last[2 * BLOCK] = {};
	size_t rest = len % BLOCK, last_len = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK, i;
	uint64_t bits = (uint64_t)len * 8;

	for (i = 0; i + BLOCK <= len; i += BLOCK)
		add_block(h, data + i);
	memcpy(last, data + i, rest);
	last[rest] = 0x80;
	for (i = 0; i < 8; i++)
		last[last_len - 1 - i] = bits >> (8 * i);
	for (i = 0; i < last_len; i += BLOCK)
		add_block(h, last + i);
	for (i = 0; i < SHA1_SIZE; i++)
		out[i] = h[i / 4] >> (24 - 8 * (i % 4));
}

void uuid__v5(const uint8_t namespace[static 16], const char *name, size_t len,
	      char out[static UUID_TEXT_SIZE])
{
	uint8_t input[16 + NAME_MAX_LEN], id[SHA1_SIZE];
	int at = 0, i;

	assert(len <= NAME_MAX_LEN);
	memcpy(input, namespace, 16);
	memcpy(input + 16, name, len);
	sha1(input, 16 + len, id);
	id[6] = (id[6] & 0x0f) | 0x50;
	id[8] = (id[8] & 0x3f) | 0x80;
	for (i = 0; i < 16; i++)
		at += snprintf(out + at, UUID_TEXT_SIZE - at, "%s%02x",
			       i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
}
