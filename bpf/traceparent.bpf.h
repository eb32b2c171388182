/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * traceparent: W3C Trace Context, parse and format. https://www.w3.org/TR/trace-context/ section 3.2:
 *   2HEX "-" 32HEX "-" 16HEX "-" 2HEX, lower case; version ff is invalid, version 00 is exactly
 *   55 characters, a later one may go on after a further "-". Ids of zeros are invalid.
 */
#ifndef GOSPAN_BPF_TRACEPARENT_H
#define GOSPAN_BPF_TRACEPARENT_H

#include "span.bpf.h"

enum { TRACEPARENT_LEN = 55 };

/* Value of a lower-case hex digit, HEX_NONE for all else. A table: branches would multiply paths. */
enum { HEX_NONE = 0x80 };
#define NONE_8 HEX_NONE, HEX_NONE, HEX_NONE, HEX_NONE, HEX_NONE, HEX_NONE, HEX_NONE, HEX_NONE
#define NONE_32 NONE_8, NONE_8, NONE_8, NONE_8
/*
 * One table: a constant of 16 bytes alone would be merged into a section of its own, which brings the
 * BTF out of order.
 */
/* clang-format off */
static const struct {
	__u8 digits[256];
	char chars[16];
} hex = {
	.digits = {
		NONE_32, NONE_8, NONE_8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, HEX_NONE, HEX_NONE, HEX_NONE,
		HEX_NONE, HEX_NONE, HEX_NONE, NONE_32, HEX_NONE, 10, 11, 12, 13, 14, 15, HEX_NONE, NONE_8,
		NONE_8, NONE_8, NONE_32, NONE_32, NONE_32, NONE_32,
	},
	.chars = "0123456789abcdef",
};
/* clang-format on */

/* CNT bytes from 2 * CNT digits; returns the OR of all bytes, or 0x100 when a digit is none. */
static __noinline __u32 hex_bytes(const __u8 *text, __u8 *out, int cnt)
{
	__u32 bad = 0, any = 0;

	for (int i = 0; i < cnt; i++) {
		__u8 high = hex.digits[text[2 * i]], low = hex.digits[text[2 * i + 1]];

		bad |= high | low;
		out[i] = high << 4 | low;
		any |= out[i];
	}
	return bad & HEX_NONE ? 0x100 : any;
}

/*
 * TEXT holds the first TRACEPARENT_LEN + 1 bytes of a header value of LEN bytes. Fills OUT and
 * returns true when it is valid; else OUT is as it was.
 */
static __always_inline bool traceparent_parse(const __u8 *text, __u64 len,
					      struct trace_context *out)
{
	struct trace_context found = {.from = PARENT_REMOTE};
	__u32 version, trace, span;
	__u8 byte;

	if (len < TRACEPARENT_LEN || text[2] != '-' || text[35] != '-' || text[52] != '-')
		return false;
	version = hex_bytes(text, &byte, 1);
	if (version == 0x100 || byte == 0xff)
		return false;
	if (len > TRACEPARENT_LEN && (!byte || text[TRACEPARENT_LEN] != '-'))
		return false;
	trace = hex_bytes(text + 3, found.trace_id, sizeof(found.trace_id));
	span = hex_bytes(text + 36, found.span_id, sizeof(found.span_id));
	if (!trace || trace == 0x100 || !span || span == 0x100)
		return false;
	if (hex_bytes(text + 53, &found.flags, 1) == 0x100)
		return false;
	*out = found;
	return true;
}

static __always_inline void put_hex(__u8 *text, const __u8 *bytes, int cnt)
{
	for (int i = 0; i < cnt; i++) {
		text[2 * i] = hex.chars[bytes[i] >> 4];
		text[2 * i + 1] = hex.chars[bytes[i] & 15];
	}
}

/* Version 00, TRACEPARENT_LEN bytes into TEXT. */
static __always_inline void traceparent_format(const struct trace_context *from, __u8 *text)
{
	text[0] = text[1] = '0';
	text[2] = text[35] = text[52] = '-';
	put_hex(text + 3, from->trace_id, sizeof(from->trace_id));
	put_hex(text + 36, from->span_id, sizeof(from->span_id));
	put_hex(text + 53, &from->flags, 1);
}

/* HEADER is the value as the target has it. OUT is as it was when it is not valid. */
static __noinline __attribute__((unused)) int
traceparent_read(const struct go_string *header, struct trace_context *out)
{
	__u8 text[TRACEPARENT_LEN + 1] = {};
	__u64 len = header->len;

	if (len < TRACEPARENT_LEN)
		return 0;
	if (!bpf_probe_read_user(text, len > TRACEPARENT_LEN ? sizeof(text) : TRACEPARENT_LEN,
				 (void *)header->ptr))
		traceparent_parse(text, len, out);
	return 0;
}

#endif
