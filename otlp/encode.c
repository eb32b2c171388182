/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: spans to OTLP bytes.
 *
 * A span's fields are written one after the other into the batch, texts from where they lie. protobuf-c
 * would want a tree of messages built first and walk that by its descriptors, which took 0.3 of the 2 us
 * that a span costs the agent. Reading, and whatever is not done for each span, is its business. tests/unit/otlp/encode_test.c compares with what the official library makes.
 */
#include "encode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* https://protobuf.dev/programming-guides/encoding: field number << 3 | how its value is written */
#define VARINT(number) ((number) << 3 | 0)
#define FIXED64(number) ((number) << 3 | 1)
#define BYTES(number) ((number) << 3 | 2)
#define FIXED32(number) ((number) << 3 | 5)

/* opentelemetry/proto/trace/v1/trace.proto, common/v1/common.proto, resource/v1/resource.proto (1.11.0) */
enum {
	TRACES_RESOURCE_SPANS = BYTES(1),
	RESOURCE_SPANS_RESOURCE = BYTES(1),
	RESOURCE_SPANS_SCOPE_SPANS = BYTES(2),
	RESOURCE_SPANS_SCHEMA_URL = BYTES(3),
	SCOPE_SPANS_SCOPE = BYTES(1),
	SCOPE_SPANS_SPANS = BYTES(2),
	SCOPE_SPANS_SCHEMA_URL = BYTES(3),
	SCOPE_NAME = BYTES(1),
	SCOPE_VERSION = BYTES(2),
	RESOURCE_ATTRIBUTES = BYTES(1),
	SPAN_TRACE_ID = BYTES(1),
	SPAN_SPAN_ID = BYTES(2),
	SPAN_TRACE_STATE = BYTES(3),
	SPAN_PARENT_SPAN_ID = BYTES(4),
	SPAN_NAME = BYTES(5),
	SPAN_KIND = VARINT(6),
	SPAN_START_TIME = FIXED64(7),
	SPAN_END_TIME = FIXED64(8),
	SPAN_ATTRIBUTES = BYTES(9),
	SPAN_DROPPED_ATTRIBUTES = VARINT(10),
	SPAN_EVENTS = BYTES(11),
	SPAN_DROPPED_EVENTS = VARINT(12),
	SPAN_LINKS = BYTES(13),
	SPAN_DROPPED_LINKS = VARINT(14),
	SPAN_STATUS = BYTES(15),
	SPAN_FLAGS = FIXED32(16),
	EVENT_TIME = FIXED64(1),
	EVENT_NAME = BYTES(2),
	EVENT_ATTRIBUTES = BYTES(3),
	EVENT_DROPPED_ATTRIBUTES = VARINT(4),
	LINK_TRACE_ID = BYTES(1),
	LINK_SPAN_ID = BYTES(2),
	LINK_ATTRIBUTES = BYTES(4),
	LINK_DROPPED_ATTRIBUTES = VARINT(5),
	LINK_FLAGS = FIXED32(6),
	STATUS_MESSAGE = BYTES(2),
	STATUS_CODE = VARINT(3),
	KEY_VALUE_KEY = BYTES(1),
	KEY_VALUE_VALUE = BYTES(2),
	ANY_STRING = BYTES(1),
	ANY_BOOL = VARINT(2),
	ANY_INT = VARINT(3),
	ANY_DOUBLE = FIXED64(4),
	ANY_ARRAY = BYTES(5),
	ARRAY_VALUES = BYTES(1),
};

enum { VARINT_MAX_SZ = 10, TAG_MAX_SZ = 2 };

static int reserve(struct bytes *b, size_t len)
{
	size_t cap = b->cap ? b->cap : 1024;
	uint8_t *at;

	if (b->cap - b->len >= len)
		return 0;
	if (len > SIZE_MAX / 4 || b->len > SIZE_MAX / 4)
		return -ENOMEM;
	while (cap - b->len < len)
		cap *= 2;
	at = realloc(b->at, cap);
	if (!at)
		return -ENOMEM;
	b->at = at;
	b->cap = cap;
	return 0;
}

int bytes__append(struct bytes *b, const void *data, size_t len)
{
	int err;

	if (!len)
		return 0;
	err = reserve(b, len);
	if (err)
		return err;
	memcpy(b->at + b->len, data, len);
	b->len += len;
	return 0;
}

void bytes__free(struct bytes *b)
{
	free(b->at);
	*b = (struct bytes){ 0 };
}

/* -- the envelope: these write into space that the caller has reserved -- */

static uint8_t *put_varint(uint8_t *to, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		*to++ = (uint8_t)(n | 0x80);
	*to++ = (uint8_t)n;
	return to;
}

static size_t varint_sz(uint64_t n)
{
	size_t sz = 1;

	while (n >>= 7)
		sz++;
	return sz;
}

static size_t field_sz(size_t len)
{
	return 1 + varint_sz(len) + len;
}

static size_t text_field_sz(const char *text)
{
	return text && *text ? field_sz(strlen(text)) : 0;
}

static void put_header(struct bytes *b, uint8_t tag, size_t len)
{
	b->at[b->len++] = tag;
	b->len = put_varint(b->at + b->len, len) - b->at;
}

static void put_field(struct bytes *b, uint8_t tag, const void *data, size_t len)
{
	put_header(b, tag, len);
	if (len)
		memcpy(b->at + b->len, data, len);
	b->len += len;
}

static void put_text_field(struct bytes *b, uint8_t tag, const char *text)
{
	if (text && *text)
		put_field(b, tag, text, strlen(text));
}

/* -- a span's fields -- */

/* Appends to BYTES; after an ERR nothing more. */
struct writer {
	struct bytes *bytes;
	int err;
};

/* Where TAG's value goes, of at most LEN bytes: behind TAG, written. NULL: no memory. */
static uint8_t *put_tag(struct writer *w, unsigned tag, size_t len)
{
	if (!w->err)
		w->err = reserve(w->bytes, TAG_MAX_SZ + len);
	return w->err ? NULL : put_varint(w->bytes->at + w->bytes->len, tag);
}

/* All up to END is written. */
static void put_end(struct writer *w, const uint8_t *end)
{
	w->bytes->len = end - w->bytes->at;
}

static void put_number(struct writer *w, unsigned tag, uint64_t n)
{
	uint8_t *to = put_tag(w, tag, VARINT_MAX_SZ);

	if (to)
		put_end(w, put_varint(to, n));
}

static void put_fixed(struct writer *w, unsigned tag, uint64_t n, size_t sz)
{
	uint8_t *to = put_tag(w, tag, sz);

	if (!to)
		return;
	for (size_t i = 0; i < sz; i++)
		to[i] = (uint8_t)(n >> 8 * i);
	put_end(w, to + sz);
}

static void put_data(struct writer *w, unsigned tag, const void *data, size_t len)
{
	uint8_t *to = put_tag(w, tag, VARINT_MAX_SZ + len);

	if (!to)
		return;
	to = put_varint(to, len);
	if (len)
		memcpy(to, data, len);
	put_end(w, to + len);
}

/* What is empty or zero is left out, where it is not one of several (oneof). */
static void put_text(struct writer *w, unsigned tag, struct otlp_text text)
{
	if (text.len)
		put_data(w, tag, text.at, text.len);
}

static void put_count(struct writer *w, unsigned tag, uint64_t n)
{
	if (n)
		put_number(w, tag, n);
}

/* Begins a message, whose length is known when it ends; nearly always one byte is enough for that. */
static size_t begin(struct writer *w, unsigned tag)
{
	uint8_t *to = put_tag(w, tag, 1);

	if (!to)
		return 0;
	put_end(w, to + 1);
	return w->bytes->len;
}

static void end(struct writer *w, size_t begun)
{
	struct bytes *b = w->bytes;
	size_t len = b->len - begun, more = varint_sz(len) - 1;

	if (!w->err && more)
		w->err = reserve(b, more);
	if (w->err)
		return;
	if (more)
		memmove(b->at + begun + more, b->at + begun, len);
	put_varint(b->at + begun - 1, len);
	b->len += more;
}

static void put_value(struct writer *w, const struct otlp_attribute *a);

static void put_texts(struct writer *w, const struct otlp_attribute *a)
{
	size_t array = begin(w, ANY_ARRAY);

	for (size_t i = 0; i < a->texts.cnt; i++) {
		size_t item = begin(w, ARRAY_VALUES);

		put_data(w, ANY_STRING, a->texts.at[i].at, a->texts.at[i].len);
		end(w, item);
	}
	end(w, array);
}

static void put_items(struct writer *w, const struct otlp_attribute *a)
{
	size_t array = begin(w, ANY_ARRAY);

	for (size_t i = 0; i < a->items.cnt; i++) {
		size_t item = begin(w, ARRAY_VALUES);

		put_value(w, &a->items.at[i]);
		end(w, item);
	}
	end(w, array);
}

/* What is in an AnyValue. */
static void put_value(struct writer *w, const struct otlp_attribute *a)
{
	uint64_t bits;

	switch (a->type) {
	case OTLP_TEXT:
		put_data(w, ANY_STRING, a->text.at, a->text.len);
		break;
	case OTLP_INT:
		put_number(w, ANY_INT, a->number);
		break;
	case OTLP_BOOL:
		put_number(w, ANY_BOOL, a->truth);
		break;
	case OTLP_DOUBLE:
		memcpy(&bits, &a->real, sizeof(bits));
		put_fixed(w, ANY_DOUBLE, bits, sizeof(bits));
		break;
	case OTLP_TEXTS:
		put_texts(w, a);
		break;
	case OTLP_ITEMS:
		put_items(w, a);
		break;
	}
}

static void put_attributes(struct writer *w, unsigned tag, const struct otlp_attribute *attributes,
			   size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		const char *key = attributes[i].key;
		size_t pair = begin(w, tag), value;

		put_text(w, KEY_VALUE_KEY, (struct otlp_text){ key, strlen(key) });
		value = begin(w, KEY_VALUE_VALUE);
		put_value(w, &attributes[i]);
		end(w, value);
		end(w, pair);
	}
}

static void put_event(struct writer *w, const struct otlp_event *event)
{
	size_t begun = begin(w, SPAN_EVENTS);

	if (event->time_unix_ns)
		put_fixed(w, EVENT_TIME, event->time_unix_ns, 8);
	put_text(w, EVENT_NAME, event->name);
	put_attributes(w, EVENT_ATTRIBUTES, event->attributes, event->attribute_cnt);
	put_count(w, EVENT_DROPPED_ATTRIBUTES, event->dropped_attribute_cnt);
	end(w, begun);
}

static void put_link(struct writer *w, const struct otlp_link *link)
{
	size_t begun = begin(w, SPAN_LINKS);

	put_data(w, LINK_TRACE_ID, link->trace_id, sizeof(link->trace_id));
	put_data(w, LINK_SPAN_ID, link->span_id, sizeof(link->span_id));
	put_attributes(w, LINK_ATTRIBUTES, link->attributes, link->attribute_cnt);
	put_count(w, LINK_DROPPED_ATTRIBUTES, link->dropped_attribute_cnt);
	if (link->flags)
		put_fixed(w, LINK_FLAGS, link->flags, 4);
	end(w, begun);
}

static void put_status(struct writer *w, const struct otlp_span *span)
{
	size_t begun;

	if (span->status == OTLP_STATUS_UNSET)
		return;
	begun = begin(w, SPAN_STATUS);
	put_text(w, STATUS_MESSAGE, span->status_message);
	put_number(w, STATUS_CODE, span->status);
	end(w, begun);
}

/* Who it is, and when. */
static void put_head(struct writer *w, const struct otlp_span *span)
{
	static const uint8_t no_id[sizeof(span->parent_id)];

	put_data(w, SPAN_TRACE_ID, span->trace_id, sizeof(span->trace_id));
	put_data(w, SPAN_SPAN_ID, span->span_id, sizeof(span->span_id));
	put_text(w, SPAN_TRACE_STATE, span->trace_state);
	if (memcmp(span->parent_id, no_id, sizeof(no_id)) != 0)
		put_data(w, SPAN_PARENT_SPAN_ID, span->parent_id, sizeof(span->parent_id));
	put_text(w, SPAN_NAME, span->name);
	put_count(w, SPAN_KIND, span->kind);
	put_fixed(w, SPAN_START_TIME, span->start_unix_ns, 8);
	put_fixed(w, SPAN_END_TIME, span->end_unix_ns, 8);
}

int otlp__append_span(struct bytes *scope_spans, const struct otlp_span *span)
{
	struct writer w = { scope_spans, 0 };
	size_t before = scope_spans->len, begun = begin(&w, SCOPE_SPANS_SPANS);

	put_head(&w, span);
	put_attributes(&w, SPAN_ATTRIBUTES, span->attributes, span->attribute_cnt);
	put_count(&w, SPAN_DROPPED_ATTRIBUTES, span->dropped_attribute_cnt);
	for (size_t i = 0; i < span->event_cnt; i++)
		put_event(&w, &span->events[i]);
	put_count(&w, SPAN_DROPPED_EVENTS, span->dropped_event_cnt);
	for (size_t i = 0; i < span->link_cnt; i++)
		put_link(&w, &span->links[i]);
	put_count(&w, SPAN_DROPPED_LINKS, span->dropped_link_cnt);
	put_status(&w, span);
	if (span->flags)
		put_fixed(&w, SPAN_FLAGS, span->flags, 4);
	end(&w, begun);
	if (w.err)
		scope_spans->len = before;
	return w.err;
}

int otlp__pack_resource(struct bytes *out, const struct otlp_attribute *attributes, size_t cnt)
{
	struct writer w = { out, 0 };
	size_t before = out->len;

	put_attributes(&w, RESOURCE_ATTRIBUTES, attributes, cnt);
	if (w.err)
		out->len = before;
	return w.err;
}

/* -- the envelope around packed spans -- */

static size_t scope_name_sz(const struct otlp_scope *scope)
{
	return text_field_sz(scope->name) + text_field_sz(scope->version);
}

static size_t scope_spans_sz(const struct otlp_scope *scope)
{
	return field_sz(scope_name_sz(scope)) + scope->spans->len +
	       text_field_sz(scope->schema_url);
}

static void put_scope_spans(struct bytes *b, const struct otlp_scope *scope)
{
	put_header(b, RESOURCE_SPANS_SCOPE_SPANS, scope_spans_sz(scope));
	put_header(b, SCOPE_SPANS_SCOPE, scope_name_sz(scope));
	put_text_field(b, SCOPE_NAME, scope->name);
	put_text_field(b, SCOPE_VERSION, scope->version);
	memcpy(b->at + b->len, scope->spans->at, scope->spans->len);
	b->len += scope->spans->len;
	put_text_field(b, SCOPE_SPANS_SCHEMA_URL, scope->schema_url);
}

int otlp__append_resource_spans(struct bytes *traces, const struct bytes *resource,
				const char *schema_url, const struct otlp_scope *scopes,
				size_t scope_cnt)
{
	size_t scopes_sz = 0, len;
	int err;

	for (size_t i = 0; i < scope_cnt; i++) {
		if (scopes[i].spans->len)
			scopes_sz += field_sz(scope_spans_sz(&scopes[i]));
	}
	if (!scopes_sz)
		return 0;

	len = field_sz(resource->len) + scopes_sz + text_field_sz(schema_url);
	err = reserve(traces, field_sz(len));
	if (err)
		return err;
	put_header(traces, TRACES_RESOURCE_SPANS, len);
	put_field(traces, RESOURCE_SPANS_RESOURCE, resource->at, resource->len);
	for (size_t i = 0; i < scope_cnt; i++) {
		if (scopes[i].spans->len)
			put_scope_spans(traces, &scopes[i]);
	}
	put_text_field(traces, RESOURCE_SPANS_SCHEMA_URL, schema_url);
	return 0;
}
