/* SPDX-License-Identifier: Apache-2.0 */
/*
 * encode: spans to OTLP bytes.
 *
 * The message tree of one span is built in an arena of exactly the needed size, which for any usual
 * span lies on the stack; texts are not copied. protobuf-c packs it straight into the batch. The
 * envelope is put around packed bytes, which protobuf-c cannot do, so its few tags are written
 * here.
 */
#include "encode.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace.pb-c.h"

/* Field tags: number << 3 | 2 (length-delimited). opentelemetry/proto/trace/v1/trace.proto */
enum {
	TRACES_RESOURCE_SPANS = 1 << 3 | 2,
	RESOURCE_SPANS_RESOURCE = 1 << 3 | 2,
	RESOURCE_SPANS_SCOPE_SPANS = 2 << 3 | 2,
	RESOURCE_SPANS_SCHEMA_URL = 3 << 3 | 2,
	SCOPE_SPANS_SCOPE = 1 << 3 | 2,
	SCOPE_SPANS_SPANS = 2 << 3 | 2,
	SCOPE_SPANS_SCHEMA_URL = 3 << 3 | 2,
	SCOPE_NAME = 1 << 3 | 2,
	SCOPE_VERSION = 2 << 3 | 2,
	ARENA_ALIGN = 16,
	STACK_ARENA_SZ = 8192, /* about 60 attributes */
};

/* Packed sizes at most, without texts and keys. A tag has 1 or 2 bytes, a length up to 5. */
enum {
	HEADER_MAX_SZ = 6,
	ATTRIBUTE_MAX_SZ = 4 * HEADER_MAX_SZ + 10, /* in AnyValue in KeyValue; a number is 10 bytes */
	ARRAY_ITEM_MAX_SZ = 2 * HEADER_MAX_SZ + 10,
	EVENT_MAX_SZ = 2 * HEADER_MAX_SZ + 9 + HEADER_MAX_SZ,
	LINK_MAX_SZ = HEADER_MAX_SZ + 18 + 10 + 5,
	SPAN_MAX_SZ = 18 + 10 + 10 +			     /* ids */
		      2 * HEADER_MAX_SZ + 11 + 2 * 9 +	     /* texts, kind, times */
		      3 * HEADER_MAX_SZ +		     /* dropped counts */
		      2 * HEADER_MAX_SZ + 11 + HEADER_MAX_SZ /* status, flags */,
};

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
	for (; len >= 0x80; len >>= 7)
		b->at[b->len++] = (uint8_t)(len | 0x80);
	b->at[b->len++] = (uint8_t)len;
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

/* -- the message tree of a span -- */

/* Bump allocator over a block that is known to be large enough. */
struct arena {
	char *at;
};

static size_t taken_sz(size_t cnt, size_t item_sz)
{
	return (cnt * item_sz + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
}

static void *take(struct arena *arena, size_t cnt, size_t item_sz)
{
	void *taken = arena->at;

	arena->at += taken_sz(cnt, item_sz);
	return taken;
}

/* How much room a message needs: its tree exactly, its packed bytes at most. */
struct room {
	size_t arena_sz;
	size_t packed_sz;
};

/* An array's; the packed bytes of its items without their texts. */
static void add_array_room(struct room *room, size_t cnt)
{
	room->arena_sz += taken_sz(1, sizeof(Otlp__ArrayValue)) +
			  taken_sz(cnt, sizeof(Otlp__AnyValue)) +
			  taken_sz(cnt, sizeof(Otlp__AnyValue *));
	room->packed_sz += cnt * ARRAY_ITEM_MAX_SZ;
}

static void add_value_room(struct room *room, const struct otlp_attribute *attribute)
{
	if (attribute->type == OTLP_TEXT)
		room->packed_sz += attribute->text.len;
	if (attribute->type == OTLP_TEXTS) {
		add_array_room(room, attribute->texts.cnt);
		for (size_t i = 0; i < attribute->texts.cnt; i++)
			room->packed_sz += attribute->texts.at[i].len;
	}
	if (attribute->type == OTLP_ITEMS) {
		add_array_room(room, attribute->items.cnt);
		for (size_t i = 0; i < attribute->items.cnt; i++)
			add_value_room(room, &attribute->items.at[i]);
	}
}

/* What build_attributes() will take. */
static void add_attributes_room(struct room *room, const struct otlp_attribute *attributes,
				size_t cnt)
{
	room->arena_sz += taken_sz(cnt, sizeof(Otlp__KeyValue *)) +
			  taken_sz(cnt, sizeof(Otlp__KeyValue)) +
			  taken_sz(cnt, sizeof(Otlp__AnyValue));
	for (size_t i = 0; i < cnt; i++) {
		room->packed_sz += ATTRIBUTE_MAX_SZ + strlen(attributes[i].key);
		add_value_room(room, &attributes[i]);
	}
}

/* What build_span() will take. */
static struct room span_room(const struct otlp_span *span)
{
	struct room room = {
		.arena_sz = taken_sz(span->event_cnt, sizeof(Otlp__Span__Event)) +
			    taken_sz(span->event_cnt, sizeof(Otlp__Span__Event *)) +
			    taken_sz(span->link_cnt, sizeof(Otlp__Span__Link)) +
			    taken_sz(span->link_cnt, sizeof(Otlp__Span__Link *)),
		.packed_sz = SPAN_MAX_SZ + span->name.len + span->trace_state.len +
			     span->status_message.len,
	};

	add_attributes_room(&room, span->attributes, span->attribute_cnt);
	for (size_t i = 0; i < span->event_cnt; i++) {
		room.packed_sz += EVENT_MAX_SZ + span->events[i].name.len;
		add_attributes_room(&room, span->events[i].attributes,
				    span->events[i].attribute_cnt);
	}
	for (size_t i = 0; i < span->link_cnt; i++) {
		room.packed_sz += LINK_MAX_SZ;
		add_attributes_room(&room, span->links[i].attributes,
				    span->links[i].attribute_cnt);
	}
	return room;
}

static ProtobufCBinaryData text_data(struct otlp_text text)
{
	return (ProtobufCBinaryData){ .len = text.len, .data = (uint8_t *)text.at };
}

static ProtobufCBinaryData id_data(const uint8_t *id, size_t len)
{
	return (ProtobufCBinaryData){ .len = len, .data = (uint8_t *)id };
}

static void build_text(Otlp__AnyValue *value, struct otlp_text text)
{
	otlp__any_value__init(value);
	value->value_case = OTLP__ANY_VALUE__VALUE_STRING_VALUE;
	value->string_value = text_data(text);
}

/* With CNT values for the caller to fill in. */
static Otlp__ArrayValue *build_array(struct arena *arena, Otlp__AnyValue *value, size_t cnt)
{
	Otlp__ArrayValue *array = take(arena, 1, sizeof(*array));
	Otlp__AnyValue *items = take(arena, cnt, sizeof(*items));

	otlp__array_value__init(array);
	array->n_values = cnt;
	array->values = take(arena, cnt, sizeof(*array->values));
	for (size_t i = 0; i < cnt; i++)
		array->values[i] = &items[i];
	value->value_case = OTLP__ANY_VALUE__VALUE_ARRAY_VALUE;
	value->array_value = array;
	return array;
}

static void build_value(struct arena *arena, const struct otlp_attribute *attribute,
			Otlp__AnyValue *value)
{
	Otlp__ArrayValue *array;

	otlp__any_value__init(value);
	switch (attribute->type) {
	case OTLP_TEXT:
		build_text(value, attribute->text);
		break;
	case OTLP_INT:
		value->value_case = OTLP__ANY_VALUE__VALUE_INT_VALUE;
		value->int_value = attribute->number;
		break;
	case OTLP_BOOL:
		value->value_case = OTLP__ANY_VALUE__VALUE_BOOL_VALUE;
		value->bool_value = attribute->truth;
		break;
	case OTLP_DOUBLE:
		value->value_case = OTLP__ANY_VALUE__VALUE_DOUBLE_VALUE;
		value->double_value = attribute->real;
		break;
	case OTLP_TEXTS:
		array = build_array(arena, value, attribute->texts.cnt);
		for (size_t i = 0; i < attribute->texts.cnt; i++)
			build_text(array->values[i], attribute->texts.at[i]);
		break;
	case OTLP_ITEMS:
		array = build_array(arena, value, attribute->items.cnt);
		for (size_t i = 0; i < attribute->items.cnt; i++)
			build_value(arena, &attribute->items.at[i], array->values[i]);
		break;
	}
}

static Otlp__KeyValue **build_attributes(struct arena *arena,
					 const struct otlp_attribute *attributes, size_t cnt)
{
	Otlp__KeyValue **list = take(arena, cnt, sizeof(*list));
	Otlp__KeyValue *pairs = take(arena, cnt, sizeof(*pairs));
	Otlp__AnyValue *values = take(arena, cnt, sizeof(*values));

	for (size_t i = 0; i < cnt; i++) {
		otlp__key_value__init(&pairs[i]);
		pairs[i].key = (char *)attributes[i].key;
		pairs[i].value = &values[i];
		build_value(arena, &attributes[i], &values[i]);
		list[i] = &pairs[i];
	}
	return list;
}

static void build_events(struct arena *arena, const struct otlp_span *span, Otlp__Span *message)
{
	Otlp__Span__Event *events = take(arena, span->event_cnt, sizeof(*events));

	message->n_events = span->event_cnt;
	message->events = take(arena, span->event_cnt, sizeof(*message->events));
	for (size_t i = 0; i < span->event_cnt; i++) {
		const struct otlp_event *from = &span->events[i];

		otlp__span__event__init(&events[i]);
		events[i].time_unix_nano = from->time_unix_ns;
		events[i].name = text_data(from->name);
		events[i].n_attributes = from->attribute_cnt;
		events[i].attributes =
			build_attributes(arena, from->attributes, from->attribute_cnt);
		events[i].dropped_attributes_count = from->dropped_attribute_cnt;
		message->events[i] = &events[i];
	}
}

static void build_links(struct arena *arena, const struct otlp_span *span, Otlp__Span *message)
{
	Otlp__Span__Link *links = take(arena, span->link_cnt, sizeof(*links));

	message->n_links = span->link_cnt;
	message->links = take(arena, span->link_cnt, sizeof(*message->links));
	for (size_t i = 0; i < span->link_cnt; i++) {
		const struct otlp_link *from = &span->links[i];

		otlp__span__link__init(&links[i]);
		links[i].trace_id = id_data(from->trace_id, sizeof(from->trace_id));
		links[i].span_id = id_data(from->span_id, sizeof(from->span_id));
		links[i].flags = from->flags;
		links[i].n_attributes = from->attribute_cnt;
		links[i].attributes =
			build_attributes(arena, from->attributes, from->attribute_cnt);
		links[i].dropped_attributes_count = from->dropped_attribute_cnt;
		message->links[i] = &links[i];
	}
}

static void build_span(struct arena *arena, const struct otlp_span *span, Otlp__Status *status,
		       Otlp__Span *message)
{
	static const uint8_t no_id[sizeof(span->parent_id)];

	otlp__span__init(message);
	message->trace_id = id_data(span->trace_id, sizeof(span->trace_id));
	message->span_id = id_data(span->span_id, sizeof(span->span_id));
	if (memcmp(span->parent_id, no_id, sizeof(no_id)) != 0)
		message->parent_span_id = id_data(span->parent_id, sizeof(span->parent_id));
	message->trace_state = text_data(span->trace_state);
	message->name = text_data(span->name);
	message->kind = (Otlp__Span__SpanKind)span->kind;
	message->start_time_unix_nano = span->start_unix_ns;
	message->end_time_unix_nano = span->end_unix_ns;
	message->flags = span->flags;
	message->n_attributes = span->attribute_cnt;
	message->attributes = build_attributes(arena, span->attributes, span->attribute_cnt);
	message->dropped_attributes_count = span->dropped_attribute_cnt;
	build_events(arena, span, message);
	message->dropped_events_count = span->dropped_event_cnt;
	build_links(arena, span, message);
	message->dropped_links_count = span->dropped_link_cnt;
	if (span->status != OTLP_STATUS_UNSET) {
		otlp__status__init(status);
		status->code = (Otlp__Status__StatusCode)span->status;
		status->message = text_data(span->status_message);
		message->status = status;
	}
}

/*
 * To know a message's length protobuf-c walks it as long as to pack it. So it is packed behind the
 * longest header there can be, and moved to the one it has.
 */
static void pack_span(struct bytes *b, const Otlp__Span *message, size_t max_sz)
{
	uint8_t *packed = b->at + b->len + HEADER_MAX_SZ;
	size_t len = otlp__span__pack(message, packed);

	assert(len <= max_sz);
	put_header(b, SCOPE_SPANS_SPANS, len);
	memmove(b->at + b->len, packed, len);
	b->len += len;
}

int otlp__append_span(struct bytes *scope_spans, const struct otlp_span *span)
{
	_Alignas(ARENA_ALIGN) char stack[STACK_ARENA_SZ];
	struct room room = span_room(span);
	void *block = room.arena_sz > sizeof(stack) ? malloc(room.arena_sz) : stack;
	struct arena arena = { block };
	Otlp__Status status;
	Otlp__Span message;
	int err;

	if (!block)
		return -ENOMEM;
	err = reserve(scope_spans, HEADER_MAX_SZ + room.packed_sz);
	if (err)
		goto cleanup;
	build_span(&arena, span, &status, &message);
	assert((size_t)(arena.at - (char *)block) == room.arena_sz);
	pack_span(scope_spans, &message, room.packed_sz);

cleanup:
	if (block != stack)
		free(block);
	return err;
}

int otlp__pack_resource(struct bytes *out, const struct otlp_attribute *attributes, size_t cnt)
{
	Otlp__Resource message = OTLP__RESOURCE__INIT;
	struct arena arena = { NULL };
	struct room room = { 0 };
	void *block;
	int err;

	add_attributes_room(&room, attributes, cnt);
	block = malloc(room.arena_sz + 1); /* never of 0 bytes */
	if (!block)
		return -ENOMEM;
	arena.at = block;
	message.n_attributes = cnt;
	message.attributes = build_attributes(&arena, attributes, cnt);
	err = reserve(out, room.packed_sz);
	if (!err)
		out->len += otlp__resource__pack(&message, out->at + out->len);
	free(block);
	return err;
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
