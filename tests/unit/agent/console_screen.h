/* SPDX-License-Identifier: Apache-2.0 */
/* console_screen: a console that writes into memory, and spans for it. Included behind cmocka.h. */
#ifndef GOSPAN_TESTS_CONSOLE_SCREEN_H
#define GOSPAN_TESTS_CONSOLE_SCREEN_H

#include <stdlib.h>
#include <string.h>

#include "../../../agent/console.h"

#define MS 1000000ull
/* 2026-01-02 12:04:01.204 UTC */
#define NOON (1767355441204 * MS)

struct screen {
	struct config config;
	struct console *console;
	char *text;
	size_t len;
	FILE *out;
};

static inline int set_up(void **state)
{
	struct screen *screen = calloc(1, sizeof(*screen));

	setenv("TZ", "UTC", 1);
	unsetenv("COLUMNS");
	screen->out = open_memstream(&screen->text, &screen->len);
	screen->config.color = true; /* not a terminal: still no colour */
	assert_int_equal(console__new(&screen->config, NULL, screen->out, &screen->console), 0);
	*state = screen;
	return 0;
}

static inline int tear_down(void **state)
{
	struct screen *screen = *state;

	console__free(screen->console);
	fclose(screen->out);
	free(screen->text);
	free(screen);
	return 0;
}

static inline struct otlp_text text(const char *s)
{
	return (struct otlp_text){s, strlen(s)};
}

static inline struct otlp_attribute text_attribute(const char *key, const char *value)
{
	return (struct otlp_attribute){.key = key, .type = OTLP_TEXT, .text = text(value)};
}

static inline struct otlp_attribute status_code(int64_t code)
{
	return (struct otlp_attribute){
		.key = "http.response.status_code", .type = OTLP_INT, .number = code};
}

/* A SERVER span without a parent; TRACE tells traces apart, ID spans. */
static inline struct otlp_span server_span(uint8_t trace, uint8_t id, const char *name,
					   uint64_t offset_ms, uint64_t duration_ns)
{
	struct otlp_span span = {.trace_id = {0x8c, 0x1f, [7] = trace, [15] = 0xe2},
				 .span_id = {id},
				 .kind = OTLP_SERVER,
				 .start_unix_ns = NOON + offset_ms * MS,
				 .name = text(name)};

	span.end_unix_ns = span.start_unix_ns + duration_ns;
	return span;
}

static inline void add_request(struct screen *screen, const struct otlp_span *span,
			       const char *path, int64_t code)
{
	struct otlp_attribute attributes[] = {text_attribute("url.path", path), status_code(code)};
	struct otlp_span copy = *span;

	copy.attributes = attributes;
	copy.attribute_cnt = 2;
	console__span(screen->console, "shop", &copy);
}

static inline void assert_shown(struct screen *screen, const char *expected)
{
	console__flush(screen->console);
	fflush(screen->out);
	assert_string_equal(screen->text, expected);
}

static inline struct otlp_span child_of(const struct otlp_span *parent, uint8_t id,
					const char *name, uint64_t offset_ms, uint64_t duration_ns)
{
	struct otlp_span span = server_span(parent->trace_id[7], id, name, offset_ms, duration_ns);

	span.kind = OTLP_CLIENT;
	memcpy(span.parent_id, parent->span_id, sizeof(span.parent_id));
	return span;
}

#endif
