/* SPDX-License-Identifier: Apache-2.0 */
/*
 * build_span: the workbench on which one record becomes an otlp_span: room for its attributes,
 * events and cleaned texts, used again for the next record. What does not fit is counted as dropped
 * by OTLP's own fields.
 */
#ifndef GOSPAN_AGENT_BUILD_SPAN_H
#define GOSPAN_AGENT_BUILD_SPAN_H

#include <string.h>

#include "config.h"
#include "../bpf/span.h"
#include "../otlp/span.h"

enum {
	BUILD_ATTRIBUTES_MAX = 64,
	BUILD_EVENTS_MAX = 32,
	BUILD_EVENT_ATTRIBUTES_MAX = 4,
	BUILD_LINKS_MAX = 32,
	BUILD_MORE_MAX = 256,
	BUILD_TEXT_MAX = 16384, /* a record is 2 KiB; a bad byte becomes three */
	BUILD_STACKS_MAX = 65536, /* stacks of panics: 100 frames with long names are 15 KB */
};

struct build_span {
	struct otlp_span span;
	struct otlp_attribute attributes[BUILD_ATTRIBUTES_MAX];
	struct otlp_event events[BUILD_EVENTS_MAX];
	struct otlp_attribute event_attributes[BUILD_EVENTS_MAX][BUILD_EVENT_ATTRIBUTES_MAX];
	struct otlp_link links[BUILD_LINKS_MAX];
	struct otlp_attribute more[BUILD_MORE_MAX]; /* of links, and of events that may have many */
	size_t more_cnt;
	struct otlp_attribute items[BUILD_MORE_MAX]; /* of arrays */
	size_t item_cnt;
	struct otlp_text scope; /* name of the span's tracer; empty: the library's */
	char text[BUILD_TEXT_MAX];
	size_t text_used;
	char stacks[BUILD_STACKS_MAX];
	size_t stacks_used;
};

/* Bytes of a record's attribute; at NULL: it has none. The last one of a key counts. */
struct raw {
	const uint8_t *at;
	size_t len;
};

/* Raw attributes of one record by key; views into the record. */
struct raws {
	struct raw by_key[ATTR_MAX];
};

static inline struct otlp_text raw_text(const struct raws *raws, enum attribute_key key)
{
	return (struct otlp_text){(const char *)raws->by_key[key].at, raws->by_key[key].len};
}

/* The number under KEY, or OTHERWISE. */
static inline int64_t raw_number(const struct raws *raws, enum attribute_key key, int64_t otherwise)
{
	int64_t number;

	if (raws->by_key[key].len != sizeof(number))
		return otherwise;
	memcpy(&number, raws->by_key[key].at, sizeof(number));
	return number;
}

void build__begin(struct build_span *b);

/* Copies of text as valid UTF-8 (bad bytes as U+FFFD); cut when the workbench is full. */
struct otlp_text build__clean(struct build_span *b, struct otlp_text raw);
struct otlp_text build__printf(struct build_span *b, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same behind TO, which has room for ROOM bytes. What does not fit is cut off. */
size_t build__clean_into(char *to, size_t room, struct otlp_text raw);

/*
 * Length of a text of KEY without the rest of a character in whose middle the record may have been
 * cut off.
 */
uint16_t build__whole(uint16_t key, const uint8_t *text, uint16_t len);

/* Adds an attribute; text is cleaned. Empty text is left out. */
void build__text(struct build_span *b, const char *key, struct otlp_text value);
void build__number(struct build_span *b, const char *key, int64_t value);
void build__real(struct build_span *b, const char *key, double value);

/* A new event, or NULL when there are too many (counted). Its attributes are added by the next. */
struct otlp_event *build__event(struct build_span *b, const char *name, uint64_t time_unix_ns);
void build__event_text(struct build_span *b, struct otlp_event *event, const char *key,
		       struct otlp_text value);
/* The same for a clean text that lives as long as the span. */
void build__event_clean(struct build_span *b, struct otlp_event *event, const char *key,
			struct otlp_text value);

/* Applies the attribute, event and link limits of the configuration. */
void build__limit(struct build_span *b, const struct config *config);

static inline struct otlp_text text_of(const char *s)
{
	return (struct otlp_text){s, strlen(s)};
}

static inline bool text_is(struct otlp_text t, const char *s)
{
	return t.len == strlen(s) && !memcmp(t.at, s, t.len);
}

#endif
