// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* http_server: see http_server.bpf.h. */
#include "http_server.bpf.h"
#include "glob.bpf.h"

const volatile __u8 propagate_trace_context = 1;
const volatile __u8 capture_body_size = 1;
const volatile __u32 exclude_cnt = MAX_EXCLUDE;
/* Not read-only: the verifier would follow each character that it knows. */
volatile char exclude_globs[MAX_EXCLUDE][EXCLUDE_GLOB_MAX];

_Static_assert(sizeof(struct header_scratch) <= SCRATCH_MAX, "the scratch is too small");
_Static_assert(sizeof(struct glob_match) <= SCRATCH_MAX, "the scratch is too small");

/* Cuts the query off. */
static __always_inline void find_path_end(struct glob_match *path)
{
	__u32 end = 0;

	while (end < GLOB_TEXT_MAX && path->text[end] != '?')
		end++;
	if (end < path->len)
		path->len = end;
}

/* Of the path in SPAN's scratch; enum glob_verdict. */
__weak int exclude_step(struct in_flight *span, __u32 glob)
{
	if (!span)
		return GLOB_DIFFERS;
	return glob_go_on((void *)span_scratch(span), exclude_globs[glob & (MAX_EXCLUDE - 1)]);
}

__weak int exclude_matches(struct in_flight *span, __u32 glob)
{
	if (!span)
		return 0;
	glob_begin((void *)span_scratch(span));
	for (int i = 0; i < GLOB_TURNS; i++) {
		int verdict = exclude_step(span, glob);

		if (verdict != GLOB_GOES_ON)
			return verdict == GLOB_MATCHES;
	}
	return 0;
}

/* URI's path into SPAN's scratch; returns how much of URI was looked at, -1: it cannot be read. */
static __always_inline __s32 read_path(struct in_flight *span, const struct go_string *uri)
{
	struct glob_match *path = (void *)span_scratch(span);
	__u32 len = uri->len < GLOB_TEXT_MAX ? uri->len : GLOB_TEXT_MAX;

	if (bpf_probe_read_user(path->text, len, (void *)uri->ptr))
		return -1;
	path->len = len;
	find_path_end(path);
	return len;
}

/* Global functions: the verifier looks at them once, not for each of the servers. */
__weak int http_exclude(struct in_flight *span, struct go_string *uri)
{
	if (!span || !uri || !exclude_cnt || read_path(span, uri) < 0)
		return 0;
	for (__u32 i = 0; i < MAX_EXCLUDE; i++) {
		if (i < exclude_cnt && exclude_matches(span, i)) {
			span->owner.silent = 1;
			return fail(span->record.pid, FAIL_EXCLUDED);
		}
	}
	return 0;
}

__weak int http_path_len(struct in_flight *span, struct go_string *uri)
{
	__s32 len, path_len;

	if (!span || !uri)
		return 0;
	len = read_path(span, uri);
	path_len = ((struct glob_match *)span_scratch(span))->len;
	return len >= 0 && path_len < len ? path_len : 0;
}

__weak int http_put_headers(struct in_flight *span, struct http_headers *headers)
{
	if (!span || !headers)
		return 0;
	span_parent(span, &headers->remote);
	if (headers->own_export) {
		span->owner.silent = 1;
		fail(span->record.pid, FAIL_OWN_EXPORT);
	}
	if (span_is_brief(span))
		return 0;
	span_put_string(span, ATTR_USER_AGENT, headers->user_agent);
	span_put_string(span, ATTR_HTTP_FORWARDED, headers->forwarded);
	span_put_string(span, ATTR_HTTP_X_FORWARDED_FOR, headers->x_forwarded_for);
	span_put_string(span, ATTR_HTTP_X_FORWARDED_HOST, headers->x_forwarded_host);
	span_put_string(span, ATTR_HTTP_X_FORWARDED_PROTO, headers->x_forwarded_proto);
	if (headers->remote.from)
		span_put_string(span, ATTR_TRACE_STATE, headers->trace_state);
	return 0;
}
