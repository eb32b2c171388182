/* SPDX-License-Identifier: Apache-2.0 */
/* http_text: pieces of HTTP text: request targets, queries, forwarding headers, host and port. */
#ifndef GOSPAN_AGENT_HTTP_TEXT_H
#define GOSPAN_AGENT_HTTP_TEXT_H

#include "build_span.h"

/*
 * Path and query of a request target as on the wire (RFC 9112, 3.2): origin-form, absolute-form
 * (scheme and authority cut), "*"; authority-form (CONNECT) has neither.
 */
void http__split_target(struct otlp_text target, struct otlp_text *path, struct otlp_text *query);

/* The byte at AT, percent-decoded; moves AT behind it. A lone '%' is itself. */
int http__unescape(struct otlp_text text, size_t *at);

/* QUERY with the values of KEYS as "REDACTED" (compared percent-decoded, in any case). */
struct otlp_text http__redact_query(struct build_span *b, struct otlp_text query,
				    const struct strings *keys);

/* "host", "host:port", "[v6]:port", "v6": host without brackets, port 0 when there is none. */
void http__split_host(struct otlp_text host_port, struct otlp_text *host, unsigned *port);

/* Value of parameter NAME ("for", "host", "proto") in the first element of Forwarded (RFC 7239). */
struct otlp_text http__forwarded(struct otlp_text header, const char *name);

/* First element of a comma separated list, trimmed. */
struct otlp_text http__first(struct otlp_text list);

/*
 * Path of a ServeMux pattern "[METHOD ][HOST]/[PATH]" (net/http, "Patterns"). What begins with a
 * slash is all path: other routers' may have spaces in it.
 */
struct otlp_text http__pattern_path(struct otlp_text pattern);

/* The beginning of the wire PATH that decodes to the first DECODED bytes of Go's path. */
struct otlp_text http__encoded_prefix(struct otlp_text path, size_t decoded);

#endif
