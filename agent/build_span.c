// SPDX-License-Identifier: Apache-2.0
/* build_span: see build_span.h. */
#include <stdarg.h>
#include <stdio.h>

#include "build_span.h"
#include "utf8.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

void build__begin(struct build_span *b)
{
	memset(&b->span, 0, sizeof(b->span));
	b->span.attributes = b->attributes;
	b->span.events = b->events;
	b->span.links = b->links;
	b->text_used = b->stacks_used = 0;
	b->more_cnt = b->item_cnt = 0;
	b->scope = (struct otlp_text){NULL, 0};
}

static const uint16_t text_limits[ATTR_MAX] = {
#define ATTRIBUTE(key, name, form, limit) [ATTR_##key] = limit,
#include "../bpf/attributes.def"
#undef ATTRIBUTE
};

uint16_t build__whole(uint16_t key, const uint8_t *text, uint16_t len)
{
	size_t start = len;

	if (!len || len != text_limits[key])
		return len;
	while (start && len - start < 3 && (text[start - 1] & 0xc0) == 0x80)
		start--;
	if (start && text[start - 1] >= 0xc0 &&
	    !utf8__char_len((const char *)text + start - 1, len - start + 1))
		return start - 1;
	return len;
}

/* Has none of the eight bytes its upper bit set, and is none of them NUL? */
static bool is_plain_word(uint64_t word)
{
	const uint64_t ones = 0x0101010101010101, upper_bits = 0x8080808080808080;

	return !((word | ((word - ones) & ~word)) & upper_bits);
}

/* Bytes of plain ASCII, without NUL, that TEXT begins with: nearly always all of them. */
static size_t plain_len(const char *text, size_t len)
{
	uint64_t word;
	size_t i = 0;

	for (; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, text + i, sizeof(word));
		if (!is_plain_word(word))
			break;
	}
	while (i < len && (signed char)text[i] > 0)
		i++;
	return i;
}

size_t build__clean_into(char *to, size_t room, struct otlp_text raw)
{
	size_t used = 0;

	for (size_t i = 0; i < raw.len;) {
		size_t plain = plain_len(raw.at + i, raw.len - i);
		size_t len = plain ? plain : utf8__char_len(raw.at + i, raw.len - i);
		const char *from = len && raw.at[i] ? raw.at + i : replacement;
		size_t put = from == replacement ? sizeof(replacement) - 1 : len;

		if (used + put > room) {
			if (!plain)
				break;
			put = room - used;
		}
		memcpy(to + used, from, put);
		used += put;
		i += len ? len : 1;
	}
	return used;
}

struct otlp_text build__clean(struct build_span *b, struct otlp_text raw)
{
	char *to = b->text + b->text_used;
	size_t len = build__clean_into(to, sizeof(b->text) - b->text_used, raw);

	b->text_used += len;
	return (struct otlp_text){to, len};
}

struct otlp_text build__printf(struct build_span *b, const char *format, ...)
{
	struct otlp_text out = {b->text + b->text_used, 0};
	size_t room = sizeof(b->text) - b->text_used;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(b->text + b->text_used, room, format, args);
	va_end(args);
	if (len > 0 && room)
		out.len = (size_t)len < room ? (size_t)len : room - 1;
	b->text_used += out.len;
	return out;
}

static struct otlp_attribute *add(struct build_span *b, const char *key)
{
	struct otlp_attribute *a;

	if (b->span.attribute_cnt == BUILD_ATTRIBUTES_MAX) {
		b->span.dropped_attribute_cnt++;
		return NULL;
	}
	a = &b->attributes[b->span.attribute_cnt++];
	a->key = key;
	return a;
}

void build__text(struct build_span *b, const char *key, struct otlp_text value)
{
	struct otlp_attribute *a = value.len ? add(b, key) : NULL;

	if (!a)
		return;
	a->type = OTLP_TEXT;
	a->text = build__clean(b, value);
}

void build__number(struct build_span *b, const char *key, int64_t value)
{
	struct otlp_attribute *a = add(b, key);

	if (!a)
		return;
	a->type = OTLP_INT;
	a->number = value;
}

void build__real(struct build_span *b, const char *key, double value)
{
	struct otlp_attribute *a = add(b, key);

	if (!a)
		return;
	a->type = OTLP_DOUBLE;
	a->real = value;
}

struct otlp_event *build__event(struct build_span *b, const char *name, uint64_t time_unix_ns)
{
	struct otlp_event *e;

	if (b->span.event_cnt == BUILD_EVENTS_MAX) {
		b->span.dropped_event_cnt++;
		return NULL;
	}
	e = &b->events[b->span.event_cnt];
	*e = (struct otlp_event){.time_unix_ns = time_unix_ns,
				 .name = text_of(name),
				 .attributes = b->event_attributes[b->span.event_cnt]};
	b->span.event_cnt++;
	return e;
}

static struct otlp_attribute *add_to_event(struct build_span *b, struct otlp_event *event)
{
	if (!event || event->attribute_cnt == BUILD_EVENT_ATTRIBUTES_MAX)
		return NULL;
	return &b->event_attributes[event - b->events][event->attribute_cnt++];
}

void build__event_clean(struct build_span *b, struct otlp_event *event, const char *key,
			struct otlp_text value)
{
	struct otlp_attribute *a = value.len ? add_to_event(b, event) : NULL;

	if (a)
		*a = (struct otlp_attribute){.key = key, .type = OTLP_TEXT, .text = value};
}

void build__event_text(struct build_span *b, struct otlp_event *event, const char *key,
		       struct otlp_text value)
{
	if (event && value.len)
		build__event_clean(b, event, key, build__clean(b, value));
}

/* Cuts TEXT to at most MAX characters, as the specification counts them. */
static void cut(struct otlp_text *text, uint32_t max)
{
	size_t at = 0;

	for (uint32_t n = 0; n < max && at < text->len; n++)
		at += utf8__char_len(text->at + at, text->len - at);
	text->len = at;
}

/* Cuts *CNT to LIMIT; what goes is dropped. */
static void limit_count(size_t *cnt, uint32_t limit, uint32_t *dropped)
{
	if (*cnt <= limit)
		return;
	*dropped += *cnt - limit;
	*cnt = limit;
}

static void limit_counts(struct build_span *b, const struct config *config)
{
	struct otlp_span *span = &b->span;

	limit_count(&span->attribute_cnt, config->attribute_count_limit,
		    &span->dropped_attribute_cnt);
	limit_count(&span->event_cnt, config->event_count_limit, &span->dropped_event_cnt);
	for (size_t i = 0; i < span->event_cnt; i++)
		limit_count(&b->events[i].attribute_cnt, config->event_attribute_count_limit,
			    &b->events[i].dropped_attribute_cnt);
	limit_count(&span->link_cnt, config->link_count_limit, &span->dropped_link_cnt);
	for (size_t i = 0; i < span->link_cnt; i++)
		limit_count(&b->links[i].attribute_cnt, config->link_attribute_count_limit,
			    &b->links[i].dropped_attribute_cnt);
}

void build__limit(struct build_span *b, const struct config *config)
{
	struct otlp_span *span = &b->span;

	limit_counts(b, config);
	if (config->attribute_value_length_limit == UINT32_MAX)
		return;
	for (size_t i = 0; i < span->attribute_cnt; i++)
		if (b->attributes[i].type == OTLP_TEXT)
			cut(&b->attributes[i].text, config->attribute_value_length_limit);
	for (size_t i = 0; i < span->event_cnt; i++)
		for (size_t n = 0; n < b->events[i].attribute_cnt &&
				   b->events[i].attributes == b->event_attributes[i];
		     n++)
			cut(&b->event_attributes[i][n].text, config->attribute_value_length_limit);
	for (size_t i = 0; i < b->more_cnt; i++)
		if (b->more[i].type == OTLP_TEXT)
			cut(&b->more[i].text, config->attribute_value_length_limit);
	for (size_t i = 0; i < b->item_cnt; i++)
		if (b->items[i].type == OTLP_TEXT)
			cut(&b->items[i].text, config->attribute_value_length_limit);
}
