/* SPDX-License-Identifier: Apache-2.0 */
/* console_trace: see console_trace.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "console_trace.h"

struct trace *trace__new(const uint8_t trace_id[static 16])
{
	struct trace *trace = calloc(1, sizeof(*trace));

	if (!trace)
		return NULL;
	memcpy(trace->trace_id, trace_id, sizeof(trace->trace_id));
	trace->start_unix_ns = UINT64_MAX;
	return trace;
}

void trace__free(struct trace *trace)
{
	struct span_line *line, *next;

	if (!trace)
		return;
	for (line = trace->lines; line; line = next) {
		next = line->next;
		free(line);
	}
	free(trace);
}

void trace__add(struct trace *trace, struct span_line *line)
{
	static const uint8_t none[sizeof(line->parent_id)];

	trace->failed |= line->failed;
	trace->has_root |= memcmp(line->parent_id, none, sizeof(none)) == 0;
	trace->is_searched = false;
	if (line->start_unix_ns < trace->start_unix_ns)
		trace->start_unix_ns = line->start_unix_ns;
	if (line->end_unix_ns > trace->end_unix_ns)
		trace->end_unix_ns = line->end_unix_ns;
	if (trace->line_cnt == TRACE_LINES) {
		trace->left_out_cnt++;
		free(line);
		return;
	}
	line->next = trace->lines;
	trace->lines = line;
	trace->line_cnt++;
}

static uint64_t duration_of(const struct trace *trace)
{
	return trace->end_unix_ns - trace->start_unix_ns;
}

bool trace__matters_more(const struct trace *a, const struct trace *b)
{
	if (a->failed != b->failed)
		return a->failed;
	return duration_of(a) > duration_of(b);
}

static bool is_parent(const struct span_line *line, const struct span_line *child)
{
	return line != child && memcmp(line->span_id, child->parent_id, sizeof(line->span_id)) == 0;
}

static bool has_parent(const struct trace *trace, const struct span_line *line)
{
	const struct span_line *parent = trace->lines;

	while (parent && !is_parent(parent, line))
		parent = parent->next;
	return parent;
}

bool trace__lacks_a_parent(struct trace *trace)
{
	const struct span_line *line = trace->lines;

	if (trace->is_searched)
		return trace->lacks_a_parent;
	while (line && (!line->parent_is_local || has_parent(trace, line)))
		line = line->next;
	trace->is_searched = true;
	trace->lacks_a_parent = line;
	return line;
}

static void mark_tops(struct trace *trace)
{
	for (struct span_line *line = trace->lines; line; line = line->next)
		line->is_top = !has_parent(trace, line);
}

/* The first to start that is not shown yet and belongs below PARENT (NULL: on top). */
static struct span_line *next_line(struct span_line *lines, const struct span_line *parent)
{
	struct span_line *line, *first = NULL;

	for (line = lines; line; line = line->next)
		if (!line->is_shown && (parent ? is_parent(parent, line) : line->is_top) &&
		    (!first || line->start_unix_ns < first->start_unix_ns))
			first = line;
	return first;
}

/* The recursion is as deep as the tree, TRACE_LINES at most. */
static void print_below(struct trace *trace, const struct span_line *parent, unsigned depth,
			const struct extent *extent, struct line_style *style, FILE *out)
{
	struct span_line *line;

	while ((line = next_line(trace->lines, parent))) {
		line->is_shown = true;
		span_line__print(line, depth, extent, style, out);
		print_below(trace, line, depth + 1, extent, style, out);
	}
}

/*
 * A bar shows a span's place within its trace. A lone span would always fill it, which tells
 * nothing: its bar is the longer the nearer it comes to the slowest of late. Its length goes by the
 * square root, or one slow route would make all others look the same; that is to say, the full bar
 * is the geometric mean of its own duration and that of the slowest.
 */
static struct extent extent_of(const struct trace *trace, uint64_t *usual_ns)
{
	uint64_t duration = duration_of(trace);
	double mean;

	if (duration >= *usual_ns)
		*usual_ns = duration;
	else
		*usual_ns -= (*usual_ns - duration) / 32;
	mean = sqrt((double)duration * *usual_ns);
	if (trace->line_cnt == 1 && mean < 0x1p63) /* centuries: from forged times, no number of ours */
		duration = mean;
	return (struct extent){ .start_unix_ns = trace->start_unix_ns, .duration_ns = duration };
}

void trace__print(struct trace *trace, uint64_t *usual_ns, struct line_style *style, FILE *out)
{
	struct extent extent = extent_of(trace, usual_ns);
	struct span_line *line;

	mark_tops(trace);
	print_below(trace, NULL, 0, &extent, style, out);
	/* Spans that are each other's parents hang below no top. Hostile, but not to be lost. */
	for (line = trace->lines; line; line = line->next)
		if (!line->is_shown)
			span_line__print(line, 0, &extent, style, out);
	if (trace->left_out_cnt)
		fprintf(out, " … and %u more spans of this trace\n", trace->left_out_cnt);
}
