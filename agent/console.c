/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: see console.h.
 *
 * A child span ends before its parent, so the spans of a trace wait for each other:
 *  - where the root is there, the trace is complete, but for spans of other processes that end a moment
 *    after their caller has its answer: LATE_NS, or TICK_NS where a call is all there is;
 *  - a span whose parent belongs to the same process waits for that one, which is still open, however
 *    long it takes, up to OPEN_NS: a long request's tree is worth more than its first leaf at once;
 *  - whether a parent in another process will come is not known: HOLD_NS.
 * Then the trace goes into the shop window. Each tick shows what is in the window, as long as that
 * makes no more than TRACES_PER_SECOND (a token bucket: a burst after a quiet second is shown whole).
 * When there are more, the failed and then the slowest ones win; the others are counted, and a line
 * says so once a second.
 *
 * HOLD_NS and a tick are well below the 250 ms in which a span must be on the screen unless its parent
 * is open. What waits is bounded: when TRACES or LINES are reached, the oldest trace waits no longer.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "console.h"
#include "console_line.h"
#include "console_output.h"
#include "console_table.h"
#include "console_trace.h"

#define MS 1000000ull

enum {
	TRACES_PER_SECOND = 20,
	TRACES = 1024,
	LINES = 8192,
	BUCKETS = 256, /* of the hash table of traces */
	DEFAULT_WIDTH = 120,
};

static const uint64_t LATE_NS = 70 * MS; /* the agent looks for events each 50 ms */
static const uint64_t HOLD_NS = 130 * MS;
static const uint64_t OPEN_NS = 2000 * MS;
static const uint64_t TICK_NS = 50 * MS;
static const uint64_t TOKEN_NS = 1000 * MS / TRACES_PER_SECOND; /* what showing a trace costs */
static const uint64_t TOKENS_MAX_NS = 1000 * MS;

struct console {
	const struct config *config;
	struct output out;
	struct line_style style;
	struct table *table;
	struct loop_timer *timer; /* NULL without a loop */
	bool ticking;

	struct trace *buckets[BUCKETS];
	struct trace *oldest, *newest;
	unsigned trace_cnt, line_cnt; /* that wait */

	struct trace *window[TRACES_PER_SECOND];
	unsigned window_cnt;
	uint64_t tokens_ns, refilled_ns;
	uint64_t usual_ns; /* trace__print()'s */

	uint64_t left_out_cnt, left_out_failed_cnt;
	uint64_t left_out_since_ns;
	bool hinted;
};

static const uint8_t no_span[8];

static void tick(void *ctx);

int console__new(const struct config *config, struct loop *loop, FILE *out, struct console **out_console)
{
	struct console *c = calloc(1, sizeof(*c));
	int err = -ENOMEM;

	if (!c)
		return err;
	c->config = config;
	c->style.is_tty = fileno(out) >= 0 && isatty(fileno(out));
	c->style.color = c->style.is_tty && config->color;
	c->tokens_ns = TOKENS_MAX_NS;
	c->refilled_ns = loop__now_ns();
	err = output__open(&c->out, out);
	if (!err)
		err = table__new(&c->table);
	if (err)
		goto cleanup;
	if (loop)
		err = loop__add_timer(loop, tick, c, &c->timer);
	if (err)
		goto cleanup;
	*out_console = c;
	c = NULL;
cleanup:
	console__free(c);
	return err;
}

/* -- showing -- */

static unsigned terminal_width(FILE *out)
{
	enum { LEAST = 60, MOST = 1000 };
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (columns && atoi(columns) >= LEAST && atoi(columns) <= MOST)
		return atoi(columns);
	if (fileno(out) >= 0 && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col < LEAST ? LEAST : size.ws_col;
	return DEFAULT_WIDTH;
}

static void leave_out(struct console *c, struct trace *trace)
{
	if (c->left_out_cnt == 0)
		c->left_out_since_ns = loop__now_ns();
	c->left_out_cnt++;
	c->left_out_failed_cnt += trace->failed;
	trace__free(trace);
}

static void tell_left_out(struct console *c)
{
	FILE *out = c->out.stream;

	if (c->left_out_cnt == 0)
		return;
	fprintf(out, " … %llu more traces not shown", (unsigned long long)c->left_out_cnt);
	if (c->left_out_failed_cnt)
		fprintf(out, ", %llu of them failed", (unsigned long long)c->left_out_failed_cnt);
	fputs(c->hinted ? "\n" : " (--slow, --errors and --route select)\n", out);
	c->hinted = true;
	c->left_out_cnt = 0;
	c->left_out_failed_cnt = 0;
}

static int by_start(const void *a, const void *b)
{
	const struct trace *x = *(struct trace *const *)a, *y = *(struct trace *const *)b;

	return (x->start_unix_ns > y->start_unix_ns) - (x->start_unix_ns < y->start_unix_ns);
}

static int by_weight(const void *a, const void *b)
{
	const struct trace *x = *(struct trace *const *)a, *y = *(struct trace *const *)b;

	return trace__matters_more(y, x) - trace__matters_more(x, y);
}

/* How many traces may be shown now. */
static unsigned refill_tokens(struct console *c)
{
	uint64_t now_ns = loop__now_ns();

	c->tokens_ns += now_ns - c->refilled_ns;
	if (c->tokens_ns > TOKENS_MAX_NS)
		c->tokens_ns = TOKENS_MAX_NS;
	c->refilled_ns = now_ns;
	return c->tokens_ns / TOKEN_NS;
}

/* Shows what of the window there are tokens for, in the order of time; the rest is left out. */
static void show_window(struct console *c)
{
	unsigned affordable = refill_tokens(c);

	qsort(c->window, c->window_cnt, sizeof(c->window[0]), by_weight);
	while (c->window_cnt > affordable)
		leave_out(c, c->window[--c->window_cnt]);
	c->tokens_ns -= c->window_cnt * TOKEN_NS;

	qsort(c->window, c->window_cnt, sizeof(c->window[0]), by_start);
	c->style.width = terminal_width(c->out.target);
	for (unsigned i = 0; i < c->window_cnt; i++) {
		trace__print(c->window[i], &c->usual_ns, &c->style, c->out.stream);
		trace__free(c->window[i]);
	}
	c->window_cnt = 0;
	output__flush(&c->out);
}

/* Puts a complete trace into the window, which keeps those that matter most. */
static void offer(struct console *c, struct trace *trace)
{
	unsigned least = 0;

	if (!trace->matched) {
		trace__free(trace);
		return;
	}
	if (c->window_cnt < TRACES_PER_SECOND) {
		c->window[c->window_cnt++] = trace;
		return;
	}
	for (unsigned i = 1; i < c->window_cnt; i++)
		if (trace__matters_more(c->window[least], c->window[i]))
			least = i;
	if (trace__matters_more(trace, c->window[least])) {
		struct trace *loser = c->window[least];

		c->window[least] = trace;
		trace = loser;
	}
	leave_out(c, trace);
}

/* -- collecting -- */

/* Trace ids are random. Where a caller chose one to collide, only its own look-up gets slower. */
static struct trace **bucket_of(struct console *c, const uint8_t trace_id[static 16])
{
	return &c->buckets[(trace_id[15] ^ trace_id[7]) % BUCKETS];
}

static struct trace *find_trace(struct console *c, const uint8_t trace_id[static 16])
{
	struct trace *trace = *bucket_of(c, trace_id);

	while (trace && memcmp(trace->trace_id, trace_id, sizeof(trace->trace_id)) != 0)
		trace = trace->next_in_bucket;
	return trace;
}

/* Takes TRACE out of both lists it is in; BEFORE is the one before it by age, NULL for the oldest. */
static void complete(struct console *c, struct trace *trace, struct trace *before)
{
	struct trace **at = bucket_of(c, trace->trace_id);

	while (*at != trace)
		at = &(*at)->next_in_bucket;
	*at = trace->next_in_bucket;
	if (before)
		before->next = trace->next;
	else
		c->oldest = trace->next;
	if (c->newest == trace)
		c->newest = before;
	c->trace_cnt--;
	c->line_cnt -= trace->line_cnt;
	offer(c, trace);
}

static struct trace *add_trace(struct console *c, const uint8_t trace_id[static 16])
{
	struct trace *trace = trace__new(trace_id), **bucket = bucket_of(c, trace_id);

	if (!trace)
		return NULL;
	trace->arrived_ns = loop__now_ns();
	trace->settled_ns = trace->arrived_ns;
	trace->next_in_bucket = *bucket;
	*bucket = trace;
	if (c->newest)
		c->newest->next = trace;
	else
		c->oldest = trace;
	c->newest = trace;
	c->trace_cnt++;
	return trace;
}

static bool has_waited(struct trace *trace, uint64_t now_ns)
{
	const uint64_t settled_ns = now_ns - trace->settled_ns;

	if (now_ns - trace->arrived_ns >= OPEN_NS)
		return true;
	if (trace->has_root && trace->line_cnt == 1)
		return !trace->lines->is_call || settled_ns >= TICK_NS;
	if (trace->has_root)
		return settled_ns >= LATE_NS;
	return !trace__lacks_a_parent(trace) && settled_ns >= HOLD_NS;
}

/* Completes the traces that have waited long enough; all of them: ALL. */
static void collect(struct console *c, bool all)
{
	struct trace *trace, *next, *before = NULL;
	uint64_t now_ns = loop__now_ns();

	for (trace = c->oldest; trace; trace = next) {
		next = trace->next;
		if (all || has_waited(trace, now_ns))
			complete(c, trace, before);
		else
			before = trace;
	}
}

/* A route is named with its method: "GET /cart/{id}". GLOB may leave the method out. */
static bool matches_route(const char *glob, struct otlp_text name)
{
	char route[256];
	const char *path;

	if (name.len >= sizeof(route))
		name.len = sizeof(route) - 1;
	memcpy(route, name.at, name.len);
	route[name.len] = '\0';
	path = strchr(route, ' ');
	return fnmatch(glob, route, 0) == 0 || (path && fnmatch(glob, path + 1, 0) == 0);
}

static bool matches(const struct config *config, const struct span_line *line)
{
	if (config->errors_only && !line->failed)
		return false;
	if (line->end_unix_ns - line->start_unix_ns < config->slow_ns)
		return false;
	return !config->route_glob || matches_route(config->route_glob, line->name);
}

static bool is_root(const struct otlp_span *span)
{
	return memcmp(span->parent_id, no_span, sizeof(no_span)) == 0;
}

/* What the table counts: what came in from outside, not what was called on its behalf. */
static bool is_request(const struct otlp_span *span)
{
	return span->kind == OTLP_SERVER || span->kind == OTLP_CONSUMER || is_root(span);
}

static void start_ticking(struct console *c)
{
	if (c->timer && !c->ticking) {
		c->ticking = true;
		loop__start_timer(c->timer, 0, TICK_NS);
	}
}

void console__span(struct console *c, const char *service, const struct otlp_span *span)
{
	struct span_line *line = span_line__new(service, span);
	struct trace *trace;
	bool was_settled;

	if (!line)
		return;
	if (is_request(span))
		table__add(c->table, span->name, line->end_unix_ns - line->start_unix_ns,
			   line->failed, span->trace_id);
	if (c->trace_cnt == TRACES || c->line_cnt >= LINES)
		complete(c, c->oldest, NULL);
	trace = find_trace(c, span->trace_id);
	if (!trace)
		trace = add_trace(c, span->trace_id);
	if (!trace) {
		free(line);
		return;
	}
	trace->matched |= matches(c->config, line);
	c->line_cnt -= trace->line_cnt;
	was_settled = trace->has_root || !trace__lacks_a_parent(trace);
	trace__add(trace, line);
	if (is_root(span) || (!was_settled && !trace__lacks_a_parent(trace)))
		trace->settled_ns = loop__now_ns();
	c->line_cnt += trace->line_cnt;
	start_ticking(c);
}

void console__count(struct console *c, const struct otlp_span *span)
{
	if (is_request(span))
		table__add(c->table, span->name, span->end_unix_ns - span->start_unix_ns,
			   span->status == OTLP_STATUS_ERROR, NULL);
}

static void tick(void *ctx)
{
	struct console *c = ctx;

	collect(c, false);
	show_window(c);
	if (c->left_out_cnt && loop__now_ns() - c->left_out_since_ns >= 1000 * MS) {
		tell_left_out(c);
		output__flush(&c->out);
	}
	if (!c->oldest && !c->left_out_cnt) {
		loop__stop_timer(c->timer);
		c->ticking = false;
	}
}

void console__flush(struct console *c)
{
	collect(c, true);
	show_window(c);
	tell_left_out(c);
	output__flush(&c->out);
}

void console__table(struct console *c)
{
	table__print(c->table, c->out.stream, terminal_width(c->out.target), c->style.color);
	output__flush(&c->out);
}

uint64_t console__lost(const struct console *c, int *err)
{
	*err = c->out.err;
	return c->out.lost_lines;
}

void console__free(struct console *c)
{
	struct trace *trace, *next;

	if (!c)
		return;
	for (trace = c->oldest; trace; trace = next) {
		next = trace->next;
		trace__free(trace);
	}
	for (unsigned i = 0; i < c->window_cnt; i++)
		trace__free(c->window[i]);
	loop__remove_timer(c->timer);
	output__close(&c->out);
	table__free(c->table);
	free(c);
}
