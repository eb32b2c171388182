// SPDX-License-Identifier: Apache-2.0
/*
 * semconv_span: spans that a program makes by hand through OpenTelemetry's API; see semconv.h. They
 * say all of it themselves: the rows of the body, in the order of the calls, are replayed.
 */
#include "body.h"
#include "semconv.h"

/* The replay of one body. */
struct replay {
	struct build_span *b;
	const struct semconv_input *in;
	struct body body;
	struct row row; /* the one that was read */
	struct otlp_event *event; /* the last one; NULL: none, or it was dropped */
	struct otlp_link *link;
	struct error_chain errors; /* of the event */
};

/* Attributes that a PAIR_*_KEY may add to. */
struct owner {
	struct otlp_attribute *at;
	size_t *cnt;
	bool is_full;
	uint32_t *dropped;
};

static int64_t number_of(const struct replay *r)
{
	int64_t number = 0;

	if (r->row.len == sizeof(number))
		memcpy(&number, r->row.value, sizeof(number));
	return number;
}

static struct otlp_text text_of_row(const struct replay *r)
{
	return (struct otlp_text){(const char *)r->row.value, r->row.len};
}

/* A scalar from the row that was read; false when it is none. */
static bool read_scalar(const struct replay *r, struct otlp_attribute *out)
{
	int64_t number = number_of(r);

	switch (r->row.key) {
	case ATTR_PAIR_BOOL:
		out->type = OTLP_BOOL;
		out->truth = number & 1;
		return true;
	case ATTR_PAIR_INT:
		out->type = OTLP_INT;
		out->number = number;
		return true;
	case ATTR_PAIR_FLOAT:
		out->type = OTLP_DOUBLE;
		memcpy(&out->real, &number, sizeof(out->real));
		return true;
	case ATTR_PAIR_TEXT:
		out->type = OTLP_TEXT;
		out->text = build__clean(r->b, text_of_row(r));
		return true;
	default:
		return false;
	}
}

static bool read_array(struct replay *r, struct otlp_attribute *out)
{
	int64_t cnt = number_of(r);

	out->type = OTLP_ITEMS;
	out->items.at = &r->b->items[r->b->item_cnt];
	out->items.cnt = cnt;
	if (cnt < 0 || (size_t)cnt > BUILD_MORE_MAX - r->b->item_cnt)
		return false;
	for (int64_t i = 0; i < cnt; i++)
		if (!body__next(&r->body, &r->row) || !read_scalar(r, &r->b->items[r->b->item_cnt++]))
			return false;
	return true;
}

/* The row's text as a key, which ends in a NUL; NULL when the workbench is full. */
static const char *read_key(struct replay *r)
{
	struct otlp_text key = build__clean(r->b, text_of_row(r));

	if (r->b->text_used == BUILD_TEXT_MAX)
		return NULL;
	r->b->text[r->b->text_used++] = 0;
	return key.at;
}

/*
 * Puts VALUE over what OWNER has under its key, else behind the last. False: there is no room, or no
 * key: an SDK drops and counts such as well.
 */
static bool put(const struct owner *owner, const struct otlp_attribute *value)
{
	for (size_t i = 0; i < *owner->cnt; i++)
		if (!strcmp(owner->at[i].key, value->key)) {
			owner->at[i] = *value;
			return true;
		}
	if (owner->is_full || !*value->key) {
		++*owner->dropped;
		return false;
	}
	owner->at[(*owner->cnt)++] = *value;
	return true;
}

static void put_pair(struct replay *r)
{
	struct build_span *b = r->b;
	struct owner owner = {b->attributes, &b->span.attribute_cnt,
			      b->span.attribute_cnt == BUILD_ATTRIBUTES_MAX,
			      &b->span.dropped_attribute_cnt};
	uint16_t of = r->row.key;
	struct otlp_attribute value = {.key = read_key(r)};

	if (!value.key || !body__next(&r->body, &r->row) ||
	    !(r->row.key == ATTR_PAIR_ARRAY ? read_array(r, &value) : read_scalar(r, &value)))
		return;
	if (of == ATTR_PAIR_EVENT_KEY && r->event)
		owner = (struct owner){(struct otlp_attribute *)r->event->attributes,
				       &r->event->attribute_cnt, b->more_cnt == BUILD_MORE_MAX,
				       &r->event->dropped_attribute_cnt};
	else if (of == ATTR_PAIR_LINK_KEY && r->link)
		owner = (struct owner){(struct otlp_attribute *)r->link->attributes,
				       &r->link->attribute_cnt, b->more_cnt == BUILD_MORE_MAX,
				       &r->link->dropped_attribute_cnt};
	else if (of != ATTR_PAIR_KEY)
		return;
	if (put(&owner, &value) && of != ATTR_PAIR_KEY) /* its attributes are the last on the bench */
		b->more_cnt = owner.at + *owner.cnt - b->more;
}

static void put_event(struct replay *r)
{
	r->event = build__event(r->b, "", 0);
	r->errors.cnt = 0;
	if (!r->event)
		return;
	r->event->name = build__clean(r->b, text_of_row(r));
	r->event->attributes = &r->b->more[r->b->more_cnt];
}

static void put_event_text(struct replay *r, const char *key, struct otlp_text text)
{
	struct owner owner = {(struct otlp_attribute *)r->event->attributes,
			      &r->event->attribute_cnt, r->b->more_cnt == BUILD_MORE_MAX,
			      &r->event->dropped_attribute_cnt};
	struct otlp_attribute value = {.key = key, .type = OTLP_TEXT, .text = text};

	if (text.len && put(&owner, &value))
		r->b->more_cnt++;
}

/* After the rows of RecordError's error. */
static void finish_error(struct replay *r)
{
	struct go_error error;

	if (!r->errors.cnt || !r->event)
		return;
	go_error__describe(r->b, r->in->resolve, &r->errors, r->in->record->bias, &error);
	r->event->name = text_of("exception");
	put_event_text(r, "exception.type", error.outer);
	put_event_text(r, "exception.message", error.text);
	r->errors.cnt = 0;
}

/* W3C trace context: an id that is all zero is none. */
static bool is_valid(const struct span_link *link)
{
	static const struct span_link none;

	return memcmp(link->trace_id, none.trace_id, sizeof(none.trace_id)) &&
	       memcmp(link->span_id, none.span_id, sizeof(none.span_id));
}

static void put_link(struct replay *r)
{
	struct build_span *b = r->b;
	struct span_link from;

	r->link = NULL;
	if (r->row.len != sizeof(from))
		return;
	memcpy(&from, r->row.value, sizeof(from));
	/* to a span of the same program: without an SDK the program has no ids for it */
	if (b->span.link_cnt == BUILD_LINKS_MAX || !is_valid(&from)) {
		b->span.dropped_link_cnt++;
		return;
	}
	r->link = &b->links[b->span.link_cnt++];
	*r->link = (struct otlp_link){.flags = from.flags | OTLP_FLAG_HAS_IS_REMOTE,
				      .attributes = &b->more[b->more_cnt]};
	memcpy(r->link->trace_id, from.trace_id, sizeof(from.trace_id));
	memcpy(r->link->span_id, from.span_id, sizeof(from.span_id));
}

static void put_left_out(struct replay *r)
{
	uint64_t cnts = number_of(r);

	r->b->span.dropped_attribute_cnt += cnts & 0xffff;
	r->b->span.dropped_event_cnt += cnts >> 16 & 0xffff;
	r->b->span.dropped_link_cnt += cnts >> 32 & 0xffff;
}

static void put_row(struct replay *r)
{
	struct otlp_span *span = &r->b->span;

	if (r->row.key == ATTR_ERROR || r->row.key == ATTR_ERROR_TEXT ||
	    r->row.key == ATTR_ERROR_ADDRESS) {
		go_error__read(&r->errors, &r->body, &r->row);
		return;
	}
	finish_error(r);
	switch (r->row.key) {
	case ATTR_PAIR_KEY:
	case ATTR_PAIR_EVENT_KEY:
	case ATTR_PAIR_LINK_KEY:
		put_pair(r);
		break;
	case ATTR_SPAN_EVENT:
		put_event(r);
		break;
	case ATTR_SPAN_EVENT_SINCE_BOOT:
	case ATTR_SPAN_EVENT_TIME:
		if (r->event)
			r->event->time_unix_ns =
				(uint64_t)number_of(r) +
				(r->row.key == ATTR_SPAN_EVENT_TIME ? 0 : r->in->wall_offset);
		break;
	case ATTR_SPAN_LINK:
		put_link(r);
		break;
	case ATTR_SPAN_LEFT_OUT:
		put_left_out(r);
		break;
	case ATTR_SPAN_START_TIME:
		span->start_unix_ns = number_of(r);
		break;
	case ATTR_SPAN_END_TIME:
		span->end_unix_ns = number_of(r);
		break;
	}
}

static struct otlp_text name_of(struct build_span *b, const struct semconv_input *in)
{
	return build__clean(b, raw_text(in->raws, ATTR_SPAN_NAME));
}

static bool failed(const struct semconv_input *in)
{
	return raw_number(in->raws, ATTR_SPAN_STATUS, STATUS_UNSET) == STATUS_ERROR;
}

static void put_status(struct build_span *b, const struct semconv_input *in)
{
	int64_t status = raw_number(in->raws, ATTR_SPAN_STATUS, STATUS_UNSET);

	if (status == STATUS_OK)
		b->span.status = OTLP_STATUS_OK;
	if (status != STATUS_ERROR)
		return;
	b->span.status = OTLP_STATUS_ERROR;
	b->span.status_message = build__clean(b, raw_text(in->raws, ATTR_SPAN_STATUS_TEXT));
}

static void describe(struct build_span *b, const struct semconv_input *in)
{
	int64_t kind = raw_number(in->raws, ATTR_SPAN_KIND, SPAN_INTERNAL);
	struct replay r = {.b = b, .in = in, .body = body__of(in->record, in->body, in->resolve)};

	b->span.name = name_of(b, in);
	b->scope = build__clean(b, raw_text(in->raws, ATTR_SPAN_SCOPE));
	if (kind >= SPAN_INTERNAL && kind <= SPAN_CONSUMER)
		b->span.kind = (enum otlp_kind)kind;
	put_status(b, in);
	while (body__next(&r.body, &r.row))
		put_row(&r);
	finish_error(&r);
}

const struct semconv semconv_span = {
	.domain = "SPAN",
	.name = name_of,
	.failed = failed,
	.describe = describe,
};
