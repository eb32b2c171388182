/* SPDX-License-Identifier: Apache-2.0 */
/* http_url: the text of a Go url.URL, of its fields, without what nobody should read. */
#ifndef GOSPAN_AGENT_HTTP_URL_H
#define GOSPAN_AGENT_HTTP_URL_H

#include "http_text.h"

/* Fields as in Go: path and fragment decoded, raw_path, opaque and query as on the wire. */
struct http_url {
	struct otlp_text scheme, host, opaque, path, raw_path, query, fragment;
	bool has_user;
};

/*
 * As (*url.URL).String writes it, with REDACTED for user, password and the values of the query's
 * KEYS. What the kernel side has cut stays cut.
 */
struct otlp_text http__full_url(struct build_span *b, const struct http_url *url,
				const struct strings *keys);

#endif
