/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: open batches (bytes by resource and scope, one set for each sink) and the books. A sealed
 * batch is the envelope around the bytes; it belongs to its sink (sink.c) from then on.
 */
#include "batch.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink.h"

enum {
	OUTLET_MAX = 2,	   /* OTLP, file */
	SCOPE_MAX = 128,   /* a library is a scope, and so is each tracer of a program */
	SCOPE_RESERVE = 32, /* of them for libraries */
	FILE_DELAY_MS = 200, /* somebody may be looking: `tail -f` */
};

static const uint64_t NSEC_PER_MSEC = 1000 * 1000;

/* A resource's spans in one outlet. */
struct pool {
	struct bytes scopes[SCOPE_MAX]; /* packed, in the open batch */
	uint64_t open_cnt;		/* in the open batch */
	uint64_t held_cnt;		/* open, waiting and under way */
};

struct batch_resource {
	struct batch_resource *next;
	struct bytes packed;
	char *schema_url;
	struct batch_counts counts;
	struct pool pools[OUTLET_MAX];
	bool closing;
	batch_closed closed;
	void *closed_ctx;
};

/* A sink with its open batch. */
struct outlet {
	struct batch *batch;
	struct sink *sink;
	struct loop_timer *age;
	uint64_t delay_ns;
	uint64_t open_cnt;
	uint64_t held_cnt;
};

struct batch {
	const struct config *config;
	struct outlet outlets[OUTLET_MAX]; /* the books are those of the first */
	size_t outlet_cnt;
	struct batch_scope scopes[SCOPE_MAX];
	size_t scope_cnt;
	struct batch_resource *resources;
	struct bytes span; /* scratch */
	struct batch_counts counts;
	bool ended;
	struct loop_timer *end_timer;
	batch_flushed flushed;
	void *flushed_ctx;
};

const char *batch_drop__name(enum batch_drop drop)
{
	static const char *const names[] = {
		[BATCH_QUEUE_FULL] = "queue_full", [BATCH_REFUSED] = "refused",
		[BATCH_FAILED] = "failed",	   [BATCH_REJECTED] = "partial_rejected",
		[BATCH_CANCELED] = "canceled",	   [BATCH_ENCODE] = "encode",
	};

	static_assert(sizeof(names) / sizeof(names[0]) == BATCH_DROP_CNT, "a name each");
	return names[drop];
}

/* -- the books -- */

static void enter(struct batch *b, struct batch_resource *r, const struct outlet *outlet,
		  uint64_t exported, uint64_t dropped, enum batch_drop reason)
{
	if (outlet != b->outlets)
		return;
	r->counts.exported += exported;
	r->counts.dropped[reason] += dropped;
	b->counts.exported += exported;
	b->counts.dropped[reason] += dropped;
}

static void drop(struct batch *b, struct batch_resource *r, struct outlet *outlet, uint64_t cnt,
		 enum batch_drop reason)
{
	enter(b, r, outlet, 0, cnt, reason);
	sink__note_drop(outlet->sink, reason, cnt);
}

static bool is_held(const struct batch_resource *r)
{
	for (size_t i = 0; i < OUTLET_MAX; i++) {
		if (r->pools[i].held_cnt)
			return true;
	}
	return false;
}

static void free_resource(struct batch_resource *r)
{
	for (size_t i = 0; i < OUTLET_MAX; i++) {
		for (size_t j = 0; j < SCOPE_MAX; j++)
			bytes__free(&r->pools[i].scopes[j]);
	}
	bytes__free(&r->packed);
	free(r->schema_url);
	free(r);
}

/* Frees a closing resource whose last span has met its fate. */
static void release(struct batch *b, struct batch_resource *r)
{
	struct batch_resource **link = &b->resources;
	struct batch_counts counts = r->counts;
	batch_closed closed = r->closed;
	void *ctx = r->closed_ctx;

	if (!r->closing || is_held(r))
		return;
	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	free_resource(r);
	if (closed)
		closed(ctx, &counts);
}

static bool is_idle(const struct batch *b)
{
	for (size_t i = 0; i < b->outlet_cnt; i++) {
		if (b->outlets[i].held_cnt)
			return false;
	}
	return true;
}

static void let_go(struct outlet *outlet, struct batch_resource *r, uint64_t cnt)
{
	r->pools[outlet - outlet->batch->outlets].held_cnt -= cnt;
	outlet->held_cnt -= cnt;
}

static void on_settled(void *ctx, const struct sink_part *part, uint64_t exported,
		       enum batch_drop reason)
{
	struct outlet *outlet = ctx;
	struct batch *b = outlet->batch;

	enter(b, part->resource, outlet, exported, part->cnt - exported, reason);
	let_go(outlet, part->resource, part->cnt);
	release(b, part->resource);
	if (b->ended && b->flushed && is_idle(b))
		loop__start_timer(b->end_timer, 0, 0); /* not from inside an exporter */
}

/* -- open batches -- */

static void drop_open(struct outlet *outlet, struct batch_resource *r, struct pool *pool)
{
	drop(outlet->batch, r, outlet, pool->open_cnt, BATCH_ENCODE);
	let_go(outlet, r, pool->open_cnt);
}

/* Puts R's part of the open batch into TRACES and empties it. True if it has become part of it. */
static bool seal_resource(struct outlet *outlet, struct batch_resource *r, struct bytes *traces,
			  struct sink_part *part)
{
	struct batch *b = outlet->batch;
	struct pool *pool = &r->pools[outlet - b->outlets];
	struct otlp_scope scopes[SCOPE_MAX];
	int err;

	for (size_t i = 0; i < b->scope_cnt; i++)
		scopes[i] = (struct otlp_scope){ b->scopes[i].name, b->scopes[i].version,
						 b->scopes[i].schema_url, &pool->scopes[i] };
	err = otlp__append_resource_spans(traces, &r->packed, r->schema_url, scopes, b->scope_cnt);
	if (err)
		drop_open(outlet, r, pool);
	*part = (struct sink_part){ r, pool->open_cnt };
	pool->open_cnt = 0;
	for (size_t i = 0; i < b->scope_cnt; i++)
		bytes__free(&pool->scopes[i]);
	return !err;
}

static size_t count_open_resources(const struct outlet *outlet)
{
	const struct batch *b = outlet->batch;
	size_t cnt = 0;

	for (const struct batch_resource *r = b->resources; r; r = r->next)
		cnt += r->pools[outlet - b->outlets].open_cnt > 0;
	return cnt;
}

static void drop_parts(struct outlet *outlet, const struct sink_part *parts, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		drop(outlet->batch, parts[i].resource, outlet, parts[i].cnt, BATCH_ENCODE);
		let_go(outlet, parts[i].resource, parts[i].cnt);
	}
}

/* Closes the open batch and gives it to the sink. */
static void seal(struct outlet *outlet)
{
	size_t cnt = 0, open_cnt = count_open_resources(outlet);
	struct batch *b = outlet->batch;
	struct bytes traces = { 0 };
	struct sink_part *parts;

	loop__stop_timer(outlet->age);
	if (!open_cnt)
		return;
	parts = calloc(open_cnt, sizeof(*parts));
	if (!parts) { /* the spans stay where they are */
		loop__start_timer(outlet->age, outlet->delay_ns, 0);
		return;
	}
	for (struct batch_resource *r = b->resources; r; r = r->next) {
		if (r->pools[outlet - b->outlets].open_cnt)
			cnt += seal_resource(outlet, r, &traces, &parts[cnt]);
	}
	outlet->open_cnt = 0;
	if (cnt && sink__send(outlet->sink, &traces, parts, cnt))
		drop_parts(outlet, parts, cnt);
	bytes__free(&traces);
	free(parts);
}

static void on_age(void *ctx)
{
	seal(ctx);
}

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

/* Index of SCOPE in b->scopes, where it is entered if new. -ENOMEM, -ENOSPC. */
static int find_scope(struct batch *b, const struct batch_scope *scope)
{
	struct batch_scope *entry, other;
	size_t i;

	for (i = 0; i < b->scope_cnt; i++) {
		if (!strcmp(b->scopes[i].name, scope->name))
			return (int)i;
	}
	if (i >= SCOPE_MAX - SCOPE_RESERVE && scope->otherwise) {
		other = *scope;
		other.name = scope->otherwise;
		other.otherwise = NULL;
		return find_scope(b, &other);
	}
	if (i == SCOPE_MAX)
		return -ENOSPC;
	entry = &b->scopes[i];
	*entry = (struct batch_scope){ copy(scope->name), copy(scope->version),
				       copy(scope->schema_url), NULL };
	b->scope_cnt++;
	if (entry->name && entry->version && entry->schema_url)
		return (int)i;
	free((char *)entry->name);
	free((char *)entry->version);
	free((char *)entry->schema_url);
	b->scope_cnt--;
	return -ENOMEM;
}

/* Appends b->span to OUTLET's open batch. */
static void put(struct batch *b, struct batch_resource *r, struct outlet *outlet, int scope)
{
	struct pool *pool = &r->pools[outlet - b->outlets];

	if (outlet->held_cnt >= b->config->bsp_max_queue_size) {
		drop(b, r, outlet, 1, BATCH_QUEUE_FULL);
		return;
	}
	if (bytes__append(&pool->scopes[scope], b->span.at, b->span.len)) {
		drop(b, r, outlet, 1, BATCH_ENCODE);
		return;
	}
	pool->open_cnt++;
	pool->held_cnt++;
	outlet->held_cnt++;
	if (!outlet->open_cnt++)
		loop__start_timer(outlet->age, outlet->delay_ns, 0);
	if (outlet->open_cnt >= b->config->bsp_max_export_batch_size)
		seal(outlet);
}

void batch__add(struct batch *b, struct batch_resource *r, const struct batch_scope *scope,
		const struct otlp_span *span)
{
	int index = find_scope(b, scope), err = index;

	b->counts.produced++;
	r->counts.produced++;
	if (!b->outlet_cnt) {
		b->counts.exported++;
		r->counts.exported++;
		return;
	}
	b->span.len = 0;
	if (index >= 0)
		err = otlp__append_span(&b->span, span);
	for (size_t i = 0; i < b->outlet_cnt; i++) {
		if (b->ended)
			drop(b, r, &b->outlets[i], 1, BATCH_CANCELED);
		else if (err < 0)
			drop(b, r, &b->outlets[i], 1, BATCH_ENCODE);
		else
			put(b, r, &b->outlets[i], index);
	}
}

/* -- resources -- */

int batch__open_resource(struct batch *b, const struct bytes *resource, const char *schema_url,
			 struct batch_resource **out)
{
	struct batch_resource *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->schema_url = copy(schema_url);
	if (!r->schema_url || bytes__append(&r->packed, resource->at, resource->len)) {
		free_resource(r);
		return -ENOMEM;
	}
	r->next = b->resources;
	b->resources = r;
	*out = r;
	return 0;
}

void batch__close_resource(struct batch *b, struct batch_resource *r, batch_closed closed,
			   void *ctx)
{
	for (size_t i = 0; i < b->outlet_cnt; i++) {
		if (r->pools[i].open_cnt)
			seal(&b->outlets[i]);
	}
	r->closing = true;
	r->closed = closed;
	r->closed_ctx = ctx;
	release(b, r);
}

struct batch_counts batch__counts(const struct batch *b)
{
	return b->counts;
}

struct batch_counts batch_resource__counts(const struct batch_resource *r)
{
	return r->counts;
}

/* -- beginning and end -- */

static int add_outlet(struct batch *b, struct loop *loop, bool is_file)
{
	struct outlet *outlet = &b->outlets[b->outlet_cnt];
	uint32_t delay_ms = b->config->bsp_schedule_delay_ms;
	int err;

	if (is_file && delay_ms > FILE_DELAY_MS)
		delay_ms = FILE_DELAY_MS;
	outlet->batch = b;
	outlet->delay_ns = delay_ms * NSEC_PER_MSEC;
	err = is_file ? sink__new_file(b->config, loop, on_settled, outlet, &outlet->sink) :
			sink__new_otlp(b->config, loop, on_settled, outlet, &outlet->sink);
	if (err)
		return err;
	b->outlet_cnt++;
	return loop__add_timer(loop, on_age, outlet, &outlet->age);
}

/* All is sent, or the time for it is up. */
static void on_end(void *ctx)
{
	struct batch *b = ctx;
	batch_flushed flushed = b->flushed;

	b->flushed = NULL;
	for (size_t i = 0; i < b->outlet_cnt; i++)
		sink__cancel(b->outlets[i].sink);
	for (size_t i = 0; i < b->outlet_cnt; i++)
		sink__tell_drops(b->outlets[i].sink);
	if (flushed)
		flushed(b->flushed_ctx);
}

int batch__new(const struct config *config, struct loop *loop, struct batch **out)
{
	struct batch *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->config = config;
	err = loop__add_timer(loop, on_end, b, &b->end_timer);
	if (!err && config->otlp_wanted)
		err = add_outlet(b, loop, false);
	if (!err && config->otlp_file)
		err = add_outlet(b, loop, true);
	if (err)
		batch__free(b);
	else
		*out = b;
	return err;
}

void batch__flush(struct batch *b, uint32_t deadline_ms, batch_flushed done, void *ctx)
{
	assert(!b->ended);
	b->ended = true;
	b->flushed = done;
	b->flushed_ctx = ctx;
	for (size_t i = 0; i < b->outlet_cnt; i++) {
		/* a little less, so that the receiver's fault is named before all is canceled */
		sink__hurry(b->outlets[i].sink, deadline_ms - deadline_ms / 10);
		seal(&b->outlets[i]);
	}
	loop__start_timer(b->end_timer, is_idle(b) ? 0 : deadline_ms * NSEC_PER_MSEC, 0);
}

/* Spans that no sink has seen yet. */
static void cancel_open(struct outlet *outlet)
{
	struct batch *b = outlet->batch;

	for (struct batch_resource *r = b->resources; r; r = r->next) {
		uint64_t cnt = r->pools[outlet - b->outlets].open_cnt;

		if (cnt)
			drop(b, r, outlet, cnt, BATCH_CANCELED);
	}
}

void batch__free(struct batch *b)
{
	struct batch_resource *r, *next;

	if (!b)
		return;
	b->flushed = NULL;
	for (r = b->resources; r; r = r->next)
		r->closing = false; /* freed below, without their callbacks */
	for (size_t i = 0; i < b->outlet_cnt; i++) {
		cancel_open(&b->outlets[i]);
		sink__free(b->outlets[i].sink);
		loop__remove_timer(b->outlets[i].age);
	}
	for (r = b->resources; r; r = next) {
		next = r->next;
		free_resource(r);
	}
	for (size_t i = 0; i < b->scope_cnt; i++) {
		free((char *)b->scopes[i].name);
		free((char *)b->scopes[i].version);
		free((char *)b->scopes[i].schema_url);
	}
	loop__remove_timer(b->end_timer);
	bytes__free(&b->span);
	free(b);
}
