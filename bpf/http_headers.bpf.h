/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * http_headers: what a server span wants of a request's http.Header, found in one pass over the map.
 * Keys are in canonical form there (textproto.CanonicalMIMEHeaderKey), for HTTP/2 as well, so they
 * are compared as they are; only keys of a wanted length are read at all.
 */
#ifndef GOSPAN_BPF_HTTP_HEADERS_H
#define GOSPAN_BPF_HTTP_HEADERS_H

#include "go_map.bpf.h"
#include "traceparent.bpf.h"

enum upgrade { UPGRADE_NONE, UPGRADE_OTHER, UPGRADE_H2C };

/* Lies in a map value, as all that branches fill in: the verifier would follow each combination. */
struct http_headers {
	struct go_string user_agent;
	struct go_string forwarded;
	struct go_string x_forwarded_for;
	struct go_string x_forwarded_host;
	struct go_string x_forwarded_proto;
	struct go_string trace_parent; /* empty when there are several: as if there were none (W3C) */
	struct go_string trace_state;
	struct go_string upgrade_to;
	struct trace_context remote;
	__u32 upgrade; /* enum upgrade */
	bool own_export;
	__u8 trace_parents; /* headers of that name */
};

/* How the scratch of a span is used while its headers are read. */
struct header_scratch {
	struct go_map_scratch map;
	struct http_headers headers;
};

enum { HEADER_KEY_MAX = 17 };

static __always_inline bool length_is_wanted(__u64 len)
{
	const __u32 wanted = 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11 | 1 << 15 | 1 << 16 | 1 << 17;

	return len <= HEADER_KEY_MAX && (1 << len) & wanted;
}

static __always_inline struct http_headers *http_headers_of(struct in_flight *span)
{
	return &((struct header_scratch *)span_scratch(span))->headers;
}

/* Where the value of the header of this name goes; NULL: nobody wants it. */
static __always_inline struct go_string *place_of(const __u64 key[static 3],
						  struct http_headers *out)
{
	const __u64 x_forwarded = CHARS('X', '-', 'F', 'o', 'r', 'w', 'a', 'r');

	if (key[0] == CHARS('T', 'r', 'a', 'c', 'e', 'p', 'a', 'r') &&
	    key[1] == CHARS('e', 'n', 't', 0, 0, 0, 0, 0))
		return &out->trace_parent;
	if (key[0] == CHARS('T', 'r', 'a', 'c', 'e', 's', 't', 'a') &&
	    key[1] == CHARS('t', 'e', 0, 0, 0, 0, 0, 0))
		return &out->trace_state;
	if (key[0] == CHARS('U', 's', 'e', 'r', '-', 'A', 'g', 'e') &&
	    key[1] == CHARS('n', 't', 0, 0, 0, 0, 0, 0))
		return &out->user_agent;
	if (key[0] == CHARS('U', 'p', 'g', 'r', 'a', 'd', 'e', 0))
		return &out->upgrade_to;
	if (key[0] == CHARS('F', 'o', 'r', 'w', 'a', 'r', 'd', 'e') && key[1] == 'd')
		return &out->forwarded;
	if (key[0] == x_forwarded && key[1] == CHARS('d', 'e', 'd', '-', 'F', 'o', 'r', 0))
		return &out->x_forwarded_for;
	if (key[0] == x_forwarded && key[1] == CHARS('d', 'e', 'd', '-', 'H', 'o', 's', 't'))
		return &out->x_forwarded_host;
	if (key[0] == x_forwarded && key[1] == CHARS('d', 'e', 'd', '-', 'P', 'r', 'o', 't') &&
	    key[2] == 'o')
		return &out->x_forwarded_proto;
	return NULL;
}

/* VALUE is the first of CNT that the header of this name has. */
static __always_inline void keep_header(struct go_string *place, struct go_string value, __u64 cnt,
					struct http_headers *out)
{
	*place = value;
	if (place == &out->trace_parent && (cnt != 1 || out->trace_parents++))
		place->ptr = place->len = 0;
}

__weak int http_take_header(struct in_flight *span)
{
	const struct go_map_slot *slot;
	struct http_headers *headers;
	struct go_string *place, value;
	__u64 len, key[3] = {};

	if (!span)
		return 0;
	slot = go_map_slot_in(span);
	headers = http_headers_of(span);
	len = slot->key.len;
	if (!length_is_wanted(len) || !slot->elem.len)
		return 0;
	barrier_var(len); /* else the mask is optimised away, which the verifier wants to see */
	if (bpf_probe_read_user(key, len & 31, (void *)slot->key.ptr))
		return fail(span->record.pid, FAIL_HEADER_READ);
	place = place_of(key, headers);
	if (!place)
		return 0;
	if (bpf_probe_read_user(&value, sizeof(value), (void *)slot->elem.ptr))
		return fail(span->record.pid, FAIL_HEADER_READ);
	keep_header(place, value, slot->elem.len, headers);
	return 0;
}

static __always_inline __u32 upgrade_of(struct go_string to)
{
	__u64 word = 0;

	if (!to.len)
		return UPGRADE_NONE;
	if (to.len == 3 && !bpf_probe_read_user(&word, 3, (void *)to.ptr) &&
	    (word | 0x200020) == CHARS('h', '2', 'c', 0, 0, 0, 0, 0))
		return UPGRADE_H2C;
	return UPGRADE_OTHER;
}

/* What follows from the values. */
static __always_inline void judge_headers(struct http_headers *out)
{
	traceparent_read(&out->trace_parent, &out->remote);
	out->upgrade = upgrade_of(out->upgrade_to);
	out->own_export = span_is_own_export(out->user_agent);
}

/* Reads them into the span's scratch. Losses are counted against its process. */
__weak int http_read_headers(struct in_flight *span, __u64 map)
{
	struct http_headers *out;

	if (!span)
		return 0;
	out = http_headers_of(span);
	__builtin_memset(out, 0, sizeof(*out));
	go_map_each(span, map, SLICE_SIZE, http_take_header);
	judge_headers(out);
	return 0;
}

#endif
