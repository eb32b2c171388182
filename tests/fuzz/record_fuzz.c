/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes what becomes of the kernel's records. Input: one byte of enum mode, then records as they
 * lie in the ring buffer, each a span_record and its body. Whatever a target wrote into them, the
 * span is within its bounds, all texts are valid UTF-8, the JSON is JSON, and no control character
 * reaches the terminal.
 * libFuzzer: -max_len=800
 */
#include <jansson.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../agent/assemble.h"
#include "../../agent/console.h"
#include "../../agent/events.h"
#include "../../otlp/json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum mode {
	MODE_LIMITS = 1,  /* small OTEL_SPAN_*_LIMITs */
	MODE_RESOLVE = 2, /* the executable is known: panics have types */
	MODE_JSON = 4,
	MODE_CONSOLE = 8, /* to the terminal, not to a collector */
	MODE_PARSE = 16,  /* the JSON is read by another implementation */
};

enum { RECORDS_MAX = 16, SCREEN_SIZE = 1 << 18 };

/* How we check is not worth the fuzzer's time. */
#ifdef __clang__
#define NOT_MEASURED __attribute__((no_sanitize("coverage")))
#else /* make unit only wants it to compile */
#define NOT_MEASURED
#endif

#define SCOPE(package) (char[]){"gospan/" package}

/* One of each way to describe a span; make-seeds knows their order. */
static struct declared_library libraries[] = {
	{"http_server", "net/http", SCOPE("net/http"), SPAN_SERVER, "HTTP", {NULL}},
	{"http_client", "net/http", SCOPE("net/http"), SPAN_CLIENT, "HTTP", {NULL}},
	{"grpc_server", "google.golang.org/grpc", SCOPE("google.golang.org/grpc"), SPAN_SERVER, "RPC", {NULL}},
	{"grpc_client", "google.golang.org/grpc", SCOPE("google.golang.org/grpc"), SPAN_CLIENT, "RPC", {NULL}},
	{"database_sql", "database/sql", SCOPE("database/sql"), SPAN_CLIENT, "DB", {NULL}},
	{"otel_api", "go.opentelemetry.io/otel", SCOPE("go.opentelemetry.io/otel"), SPAN_INTERNAL, "SPAN", {NULL}},
};
static const struct declarations declarations = {
	.libraries = libraries,
	.library_cnt = sizeof(libraries) / sizeof(libraries[0]),
};
static const char executable[] = "tests/fuzz/corpus/resolve/panics";
static struct config *configs[2];
static struct resolve *resolve;
static struct build_span workbench;
static char screen[SCREEN_SIZE];
static FILE *terminal;

static void expect(bool ok)
{
	if (!ok)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static char *limits[] = {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT=7",
				 "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT=5",
				 "OTEL_SPAN_EVENT_COUNT_LIMIT=1",
				 "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT=1", NULL};
	char *args[] = {"gospan", "trace", "--pid", "1", NULL}, **variables = environ;
	int status, fd = open(executable, O_RDONLY | O_CLOEXEC);
	struct why why = {};

	if (fd < 0 || resolve__open(fd, executable, &resolve, &why)) {
		fprintf(stderr, "%s: %s (run in the repository's root)\n", executable, why.text);
		exit(1);
	}
	close(fd);
	environ = limits + 4;
	expect(!config__parse(4, args, &configs[0], &status));
	environ = limits;
	expect(!config__parse(4, args, &configs[1], &status));
	environ = variables;
	terminal = fmemopen(screen, sizeof(screen), "w");
	expect(terminal);
	return 0;
}

/* Said once more, independently: the code point that starts at P, or -1. */
NOT_MEASURED static int32_t decode(const uint8_t *p, size_t left, size_t *len)
{
	static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	int32_t c = *p;

	*len = c < 0x80 ? 1 : c < 0xc0 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf8 ? 4 : 0;
	if (!*len || *len > left)
		return -1;
	c &= *len == 1 ? 0x7f : 0xff >> (*len + 1);
	for (size_t i = 1; i < *len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[*len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? -1 : c;
}

/* Control characters may be in OTLP, where they are data, but not on the screen. */
NOT_MEASURED static void check_text(struct otlp_text text, bool on_screen)
{
	int32_t c;
	size_t len = 1;

	for (size_t i = 0; i < text.len; i += len) {
		c = decode((const uint8_t *)text.at + i, text.len - i, &len);
		expect(c > 0);
		expect(!on_screen || c == '\n' || (c >= 0x20 && (c < 0x7f || c > 0x9f)));
	}
}

static void check_attributes(const struct otlp_attribute *attributes, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		expect(attributes[i].key[0]);
		if (attributes[i].type == OTLP_TEXT)
			check_text(attributes[i].text, false);
	}
}

static void check_span(const struct otlp_span *span, const struct config *config,
		       const struct declared_library *library)
{
	expect(span->attribute_cnt <= BUILD_ATTRIBUTES_MAX && span->event_cnt <= BUILD_EVENTS_MAX);
	expect(span->attribute_cnt <= config->attribute_count_limit);
	expect(span->event_cnt <= config->event_count_limit);
	expect(workbench.text_used <= BUILD_TEXT_MAX);
	/* a span by hand has the name that the program gave it, which may be none */
	expect(span->name.len || !strcmp(library->domain, "SPAN"));
	check_text(span->name, false);
	check_text(span->trace_state, false);
	check_attributes(span->attributes, span->attribute_cnt);
	for (size_t i = 0; i < span->event_cnt; i++) {
		check_text(span->events[i].name, false);
		expect(span->events[i].attribute_cnt <= config->event_attribute_count_limit);
		check_attributes(span->events[i].attributes, span->events[i].attribute_cnt);
	}
}

static void check_json(const struct bytes *packed, const struct otlp_span *span, bool parse)
{
	struct bytes json = {};
	json_t *root;

	expect(!otlp__span_to_json(packed, &json));
	check_text((struct otlp_text){(char *)json.at, json.len}, true);
	if (parse) {
		root = json_loadb((char *)json.at, json.len, JSON_REJECT_DUPLICATES, NULL);
		expect(json_is_object(root) && !json_object_get(root, "name") == !span->name.len);
		json_decref(root);
	}
	bytes__free(&json);
}

static void check_encoding(const struct otlp_span *span, enum mode mode)
{
	struct bytes packed = {};

	expect(!otlp__append_span(&packed, span));
	if (mode & MODE_JSON)
		check_json(&packed, span, mode & MODE_PARSE);
	bytes__free(&packed);
}

static void handle(const struct span_record *record, const uint8_t *body, enum mode mode,
		   struct console *console)
{
	const struct config *config = configs[mode & MODE_LIMITS];
	const struct resolve *r = mode & MODE_RESOLVE ? resolve : NULL;
	struct build_span *b = &workbench;

	if (!(record->flags & SPAN_SAMPLED)) {
		if (!assemble__count(b, config, &declarations, r, record, body))
			return;
		check_text(b->span.name, false);
		if (mode & MODE_CONSOLE)
			console__count(console, &b->span);
		return;
	}
	if (!assemble__span(b, config, &declarations, r, record, body, 1700000000000000000))
		return;
	check_span(&b->span, config, &libraries[record->library]);
	if (mode & MODE_CONSOLE)
		console__span(console, "service", &b->span);
	else
		check_encoding(&b->span, mode);
}

/* A copy of its own on the heap, so that ASan sees where the body ends. */
static void handle_copy(const struct span_record *record, const uint8_t *body, enum mode mode,
			struct console *console)
{
	uint8_t *copy = malloc(record->size);

	if (record->size)
		memcpy(copy, body, record->size);
	handle(record, copy, mode, console);
	free(copy);
}

static void handle_all(const uint8_t *at, const uint8_t *end, enum mode mode,
		       struct console *console)
{
	struct span_record record;

	for (int i = 0; i < RECORDS_MAX && (size_t)(end - at) >= sizeof(record); i++) {
		memcpy(&record, at, sizeof(record));
		at += sizeof(record);
		/* the kernel side sends no more than this, and agent/events looks that it is there
		 */
		if (record.size > GOSPAN_BODY_MAX)
			record.size = GOSPAN_BODY_MAX;
		if (record.size > end - at)
			record.size = end - at;
		handle_copy(&record, at, mode, console);
		at += record.size;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct console *console = NULL;
	int err;

	if (!size)
		return 0;
	if (!(data[0] & MODE_CONSOLE)) {
		handle_all(data + 1, data + size, data[0], NULL);
		return 0;
	}
	rewind(terminal);
	expect(!console__new(configs[0], NULL, terminal, &console));
	handle_all(data + 1, data + size, data[0], console);
	console__flush(console);
	console__table(console);
	expect(!console__lost(console, &err) && !err);
	check_text((struct otlp_text){screen, ftell(terminal)}, true);
	console__free(console);
	return 0;
}
