/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The finished span, as the agent assembles it and the encoders and the console read it.
 * Plain views: nothing here owns memory; all pointers live until the call that gets the span returns.
 */
#ifndef GOSPAN_OTLP_SPAN_H
#define GOSPAN_OTLP_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct otlp_text {
	const char *at;
	size_t len; /* bytes, valid UTF-8, not NUL-terminated */
};

enum otlp_type { OTLP_TEXT, OTLP_INT, OTLP_BOOL, OTLP_DOUBLE, OTLP_TEXTS, OTLP_ITEMS };

struct otlp_attribute {
	const char *key; /* NUL-terminated */
	enum otlp_type type;
	union {
		struct otlp_text text;
		int64_t number;
		bool truth;
		double real;
		struct {
			const struct otlp_text *at;
			size_t cnt;
		} texts;
		struct {
			const struct otlp_attribute *at; /* without keys; no arrays */
			size_t cnt;
		} items;
	};
};

struct otlp_event {
	uint64_t time_unix_ns;
	struct otlp_text name;
	const struct otlp_attribute *attributes;
	size_t attribute_cnt;
	uint32_t dropped_attribute_cnt;
	bool is_panic; /* for the terminal: not one that the program tells of */
};

struct otlp_link {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint32_t flags;
	const struct otlp_attribute *attributes;
	size_t attribute_cnt;
	uint32_t dropped_attribute_cnt;
};

/* Span.SpanKind and Status.StatusCode of opentelemetry/proto/trace/v1/trace.proto (1.11.0) */
enum otlp_kind { OTLP_INTERNAL = 1, OTLP_SERVER, OTLP_CLIENT, OTLP_PRODUCER, OTLP_CONSUMER };
enum otlp_status { OTLP_STATUS_UNSET, OTLP_STATUS_OK, OTLP_STATUS_ERROR };

/* Span.flags: low byte is W3C's, then whether the parent is known to be remote. */
enum { OTLP_FLAG_HAS_IS_REMOTE = 0x100, OTLP_FLAG_IS_REMOTE = 0x200 };

struct otlp_span {
	uint8_t trace_id[16];
	uint8_t span_id[8];
	uint8_t parent_id[8]; /* zeros: root */
	uint32_t flags;
	enum otlp_kind kind;
	uint64_t start_unix_ns;
	uint64_t end_unix_ns;
	struct otlp_text name;
	struct otlp_text trace_state;
	enum otlp_status status;
	struct otlp_text status_message;
	const struct otlp_attribute *attributes;
	size_t attribute_cnt;
	uint32_t dropped_attribute_cnt;
	const struct otlp_event *events;
	size_t event_cnt;
	uint32_t dropped_event_cnt;
	const struct otlp_link *links;
	size_t link_cnt;
	uint32_t dropped_link_cnt;
};

#endif
