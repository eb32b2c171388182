/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* http_copy: fields out of a copy of a request (or URL) that was read at once, into a scratch. */
#ifndef GOSPAN_BPF_HTTP_COPY_H
#define GOSPAN_BPF_HTTP_COPY_H

#include "go.bpf.h"

enum {
	REQUEST_MAX = 320, /* bytes of a request that are read at once */
	REQUEST_MIN = 248, /* its size in Go 1.19 to 1.21; fields that are newer are not needed */
};

static __always_inline __u64 word_in(const __u8 *copy, __u32 offset)
{
	return offset <= REQUEST_MAX - 8 ? *(const __u64 *)(copy + offset) : 0;
}

static __always_inline struct go_string string_in(const __u8 *copy, __u32 offset)
{
	struct go_string s = {word_in(copy, offset), word_in(copy, offset + 8)};

	return s;
}

/* Non-zero when it cannot be read. Behind a shorter struct there may be a page that is not. */
static __always_inline long read_request(__u8 *copy, __u64 request)
{
	long err = bpf_probe_read_user(copy, REQUEST_MAX, (void *)request);

	return err ? bpf_probe_read_user(copy, REQUEST_MIN, (void *)request) : 0;
}

#endif
