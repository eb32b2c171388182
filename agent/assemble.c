// SPDX-License-Identifier: Apache-2.0
/* assemble: see assemble.h. */
#include <time.h>

#include "assemble.h"
#include "body.h"
#include "panic.h"
#include "semconv.h"
#include "stack.h"
#include "utf8.h"

enum {
	PANICS_MAX = 8,
	FRESH_NS = 1000000,
	CLOCK_TRIES = 8,
	NARROW_NS = 5000,
};

/* Values that a record may hold several of. */
struct values {
	struct panic_record at[PANICS_MAX];
	size_t cnt;
	size_t left_out;
	struct error_chain errors;
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

void wall_clock__update(struct wall_clock *clock, uint64_t end_ns)
{
	uint64_t narrowest = UINT64_MAX;

	if (clock->read_ns && end_ns <= clock->read_ns + FRESH_NS)
		return;
	/* between two readings of one clock we may be kept waiting: the narrowest of some counts */
	for (int i = 0; i < CLOCK_TRIES && narrowest > NARROW_NS; i++) {
		uint64_t before = now_ns(CLOCK_BOOTTIME), wall = now_ns(CLOCK_REALTIME);
		uint64_t after = now_ns(CLOCK_BOOTTIME);

		if (after - before >= narrowest)
			continue;
		narrowest = after - before;
		clock->offset_ns = wall - (before + narrowest / 2);
		clock->read_ns = after;
	}
}

static void add_panic(struct values *values, const struct body *body, const struct row *row)
{
	struct panic_value value;

	if (!body__value(body, row, &value))
		return;
	if (values->cnt == PANICS_MAX) {
		values->left_out++;
		return;
	}
	values->at[values->cnt++] = (struct panic_record){.value = value};
}

static void add_to_panic(struct values *values, const struct row *row)
{
	if (!values->cnt || values->left_out)
		return;
	if (row->key == ATTR_PANIC_TEXT)
		values->at[values->cnt - 1].text = (struct otlp_text){(const char *)row->value, row->len};
	else
		values->at[values->cnt - 1].stack = (struct raw){row->value, row->len};
}

/* Sorts a body's attributes by key; panics and errors, of which there may be several, apart. */
static void read_body(struct body *body, struct raws *raws, struct values *values)
{
	struct row row;

	memset(raws, 0, sizeof(*raws));
	values->cnt = values->left_out = values->errors.cnt = 0;
	while (body__next(body, &row)) {
		if (row.key >= ATTR_MAX)
			continue;
		if (row.key == ATTR_PANIC)
			add_panic(values, body, &row);
		else if (row.key == ATTR_PANIC_TEXT || row.key == ATTR_PANIC_STACK)
			add_to_panic(values, &row);
		else if (row.key == ATTR_ERROR || row.key == ATTR_ERROR_TEXT || row.key == ATTR_ERROR_ADDRESS)
			go_error__read(&values->errors, body, &row);
		else
			raws->by_key[row.key] = (struct raw){row.value, row.len};
	}
}

static void put_panics(struct build_span *b, const struct resolve *r, const struct values *values,
		       const struct span_record *record, const struct raws *raws, int64_t wall_offset)
{
	const int64_t unwound = raw_number(raws, ATTR_UNWOUND, UNWIND_NONE);

	for (size_t i = 0; i < values->cnt; i++) {
		const struct panic_record *raised = &values->at[i];
		struct otlp_event *event;
		struct panic panic;

		panic__describe(b, r, raised, record->bias, &panic);
		/* the panic that unwound the span is its last one, unless it was a Goexit */
		if (i + 1 == values->cnt && unwound == UNWIND_PANIC)
			build__text(b, "error.type", panic.type);
		if (panic.is_no_exception)
			continue;
		event = build__event(b, "exception", raised->value.time_ns + wall_offset);
		if (!event)
			continue;
		event->is_panic = true;
		build__event_text(b, event, "exception.type", panic.type);
		build__event_text(b, event, "exception.message", panic.text);
		build__event_clean(b, event, "exception.stacktrace",
				   stack__print(b, r, raised->stack.at, raised->stack.len));
	}
	/* one that was raised further in and unwound this span as well */
	if (!values->cnt && unwound == UNWIND_PANIC)
		build__text(b, "error.type", text_of("panic"));
	if (unwound == UNWIND_GOEXIT)
		build__text(b, "error.type", text_of("runtime.Goexit"));
	b->span.dropped_event_cnt += values->left_out;
}

/* Of a list that was cut where the room for it ends, the last member may be a half one. */
static struct otlp_text whole_members(struct otlp_text state)
{
	if (state.len < TRACE_STATE_MAX)
		return state;
	while (state.len && state.at[state.len - 1] != ',')
		state.len--;
	return state.len ? (struct otlp_text){state.at, state.len - 1} : state;
}

static void put_context(struct otlp_span *span, const struct span_record *record, int64_t wall_offset)
{
	memcpy(span->trace_id, record->trace_id, sizeof(span->trace_id));
	memcpy(span->span_id, record->span_id, sizeof(span->span_id));
	memcpy(span->parent_id, record->parent_id, sizeof(span->parent_id));
	span->flags = record->trace_flags | OTLP_FLAG_HAS_IS_REMOTE;
	if (record->flags & SPAN_REMOTE_PARENT)
		span->flags |= OTLP_FLAG_IS_REMOTE;
	span->kind = (enum otlp_kind)record->kind;
	span->start_unix_ns = record->start_ns + wall_offset;
	span->end_unix_ns = record->end_ns + wall_offset;
}

/* What every record begins with; NULL when it makes no sense. */
static const struct semconv *begin(struct build_span *b, const struct declarations *declarations,
				   const struct resolve *r, const struct span_record *record,
				   const uint8_t *bytes, struct raws *raws, struct values *values)
{
	struct body body = body__of(record, bytes, r);

	if (record->library >= declarations->library_cnt || record->end_ns < record->start_ns)
		return NULL;
	read_body(&body, raws, values);
	build__begin(b);
	return semconv__of(declarations->libraries[record->library].domain);
}

/* What tells the types of VALUES: after the process is gone somebody may have written to its file. */
static const struct resolve *for_values(const struct resolve *r, const struct values *values)
{
	if (r && (values->cnt || values->errors.cnt) && !resolve__is_intact(r))
		return NULL;
	return r;
}

bool assemble__span(struct build_span *b, const struct config *config,
		    const struct declarations *declarations, const struct resolve *r,
		    const struct span_record *record, const uint8_t *body, int64_t wall_offset)
{
	struct raws raws;
	struct values values;
	const struct semconv *semconv = begin(b, declarations, r, record, body, &raws, &values);
	struct semconv_input in = {
		.raws = &raws, .config = config, .resolve = r, .record = record, .body = body,
		.wall_offset = wall_offset};

	if (!semconv)
		return false;
	in.resolve = r = for_values(r, &values);
	put_context(&b->span, record, wall_offset);
	b->span.trace_state = build__clean(b, whole_members(raw_text(&raws, ATTR_TRACE_STATE)));
	go_error__describe(b, r, &values.errors, record->bias, &in.error);
	semconv->describe(b, &in);
	if (raw_number(&raws, ATTR_UNWOUND, UNWIND_NONE))
		b->span.status = OTLP_STATUS_ERROR;
	put_panics(b, r, &values, record, &raws, wall_offset);
	build__limit(b, config);
	return true;
}

bool assemble__count(struct build_span *b, const struct config *config,
		     const struct declarations *declarations, const struct resolve *r,
		     const struct span_record *record, const uint8_t *body)
{
	struct raws raws;
	struct values values;
	const struct semconv *semconv = begin(b, declarations, r, record, body, &raws, &values);
	struct semconv_input in = {.raws = &raws, .config = config, .record = record};

	if (!semconv)
		return false;
	go_error__describe(b, for_values(r, &values), &values.errors, record->bias, &in.error);
	b->span.start_unix_ns = record->start_ns;
	b->span.end_unix_ns = record->end_ns;
	b->span.kind = (enum otlp_kind)record->kind;
	memcpy(b->span.parent_id, record->parent_id, sizeof(b->span.parent_id));
	b->span.name = semconv->name(b, &in);
	if (raw_number(&raws, ATTR_UNWOUND, UNWIND_NONE) || semconv->failed(&in))
		b->span.status = OTLP_STATUS_ERROR;
	return true;
}
