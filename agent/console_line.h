/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_line: what the console keeps of a span while it waits for its parent, and the line it
 * becomes:
 *
 *  12:04:01.204  GET /cart/{id}        200    3.1ms  ▕██      ▏  /cart/42         shop  8c1f…e2
 *
 * The status is HTTP's, or another's where it fits ("OK"), or the "!" of an error. The path is what was
 * asked for: a server's or client's path, an SQL text, or whom a client called.
 *
 * A line that would leave the terminal's width because of its notes (an error, a wait) goes on below
 * itself; what does not go to a terminal is never cut there.
 */
#ifndef GOSPAN_AGENT_CONSOLE_LINE_H
#define GOSPAN_AGENT_CONSOLE_LINE_H

#include <stdbool.h>
#include <stdio.h>

#include "../otlp/span.h"

struct span_line {
	struct span_line *next; /* the caller's list */
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_id[8]; /* zeros: none */
	uint64_t start_unix_ns, end_unix_ns; /* end >= start */
	uint64_t pool_wait_ns;		     /* for a connection to a database */
	bool failed;
	bool is_panic; /* what `exception` tells of */
	bool is_call; /* a span of who was called may come a moment later */
	bool parent_is_local; /* a span of the same process: it ends too, sooner or later */
	bool is_top, is_shown; /* the caller's marks */
	int64_t status; /* http.response.status_code, 0: none */
	struct otlp_text name, path, query, service, exception, exception_message, error_type, message;
	struct otlp_text code; /* the status where it is a word: gRPC's, a database's */
	char text[]; /* what these point to */
};

/* What all lines of one terminal have in common. */
struct line_style {
	unsigned width;
	bool is_tty;
	bool color;
	unsigned service_width; /* widest so far, up to a limit; kept by span_line__print() */
};

/* The time that a line's bar is a part of. */
struct extent {
	uint64_t start_unix_ns, duration_ns;
};

/* A copy of what is shown of SPAN, on the heap: free() it. NULL: out of memory. */
struct span_line *span_line__new(const char *service, const struct otlp_span *span);

/* DEPTH is 0 for a line that hangs below no other. */
void span_line__print(const struct span_line *line, unsigned depth, const struct extent *extent,
		      struct line_style *style, FILE *out);

#endif
