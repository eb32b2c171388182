/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_trace: the spans of one trace that have ended so far, and how they are shown as a tree.
 */
#ifndef GOSPAN_AGENT_CONSOLE_TRACE_H
#define GOSPAN_AGENT_CONSOLE_TRACE_H

#include <stdbool.h>
#include <stdio.h>

#include "console_line.h"

/* More spans than that of one trace at a time are counted, not shown. */
enum { TRACE_LINES = 256 };

struct trace {
	struct trace *next_in_bucket; /* the caller's lists */
	struct trace *next;
	uint64_t arrived_ns;  /* the caller's: when its first span came */
	uint64_t settled_ns;  /* the caller's: since when no span is known to be missing */
	bool matched;	      /* the caller's: it is to be shown */
	bool has_root;	      /* a span without a parent */
	bool is_searched;     /* since the last span came, for what is missing: */
	bool lacks_a_parent;
	uint8_t trace_id[16];
	struct span_line *lines; /* the latest first */
	unsigned line_cnt, left_out_cnt;
	bool failed;
	uint64_t start_unix_ns, end_unix_ns; /* the first start and the last end */
};

/* NULL: out of memory. */
struct trace *trace__new(const uint8_t trace_id[static 16]);
void trace__free(struct trace *trace);

/* Takes LINE over. */
void trace__add(struct trace *trace, struct span_line *line);

/* Whether a span's parent in the same process has not ended yet: it will come. */
bool trace__lacks_a_parent(struct trace *trace);

/* True when A is rather shown than B: the failed ones first, then the slowest. */
bool trace__matters_more(const struct trace *a, const struct trace *b);

/*
 * Prints the tree. *USUAL_NS, kept here, is what the bar of a lone span is measured against: about
 * the slowest of the last few dozen traces.
 */
void trace__print(struct trace *trace, uint64_t *usual_ns, struct line_style *style, FILE *out);

#endif
