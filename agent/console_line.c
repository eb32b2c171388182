/* SPDX-License-Identifier: Apache-2.0 */
/* console_line: see console_line.h. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "console_line.h"
#include "console_text.h"

enum {
	TIME_WIDTH = 12, /* 12:04:01.204 */
	STATUS_WIDTH = 3,
	BAR_CELLS = 8,
	SERVICE_WIDTH_MAX = 16,
	BELOW = 4, /* how far an error that continues below is indented from the name */
	NO_LIMIT = 4096,
	TARGET_BYTES = 300,
};

static unsigned between(unsigned least, unsigned value, unsigned most)
{
	return value < least ? least : value > most ? most : value;
}

static const struct otlp_attribute *find(const struct otlp_attribute *attributes, size_t cnt,
					 const char *key, enum otlp_type type)
{
	for (size_t i = 0; i < cnt; i++)
		if (attributes[i].type == type && strcmp(attributes[i].key, key) == 0)
			return &attributes[i];
	return NULL;
}

static struct otlp_text text_of(const struct otlp_attribute *attributes, size_t cnt, const char *key)
{
	const struct otlp_attribute *found = find(attributes, cnt, key, OTLP_TEXT);

	return found ? found->text : (struct otlp_text){ "", 0 };
}

/* The first panic, else the first exception that the program tells of. */
static const struct otlp_event *find_exception(const struct otlp_span *span)
{
	static const char name[] = "exception";
	const struct otlp_event *found = NULL;

	for (size_t i = 0; i < span->event_cnt; i++) {
		const struct otlp_event *event = &span->events[i];

		if (event->is_panic)
			return event;
		if (!found && event->name.len == sizeof(name) - 1 &&
		    memcmp(event->name.at, name, sizeof(name) - 1) == 0)
			found = event;
	}
	return found;
}

/* "runtime error: " is in every message of a runtime.Error, whose type says so already. */
static struct otlp_text cut_prefix(struct otlp_text message)
{
	static const char prefix[] = "runtime error: ";
	const size_t len = sizeof(prefix) - 1;

	if (message.len >= len && memcmp(message.at, prefix, len) == 0)
		return (struct otlp_text){ message.at + len, message.len - len };
	return message;
}

/* Path and query of a URL: what follows its authority. */
static void split_url(struct otlp_text url, struct otlp_text *path, struct otlp_text *query)
{
	const char *end = url.at + url.len, *at = memmem(url.at, url.len, "://", 3), *mark;

	at = at ? at + 3 : url.at;
	while (at < end && *at != '/' && *at != '?' && *at != '#')
		at++;
	mark = memchr(at, '?', end - at);
	*path = (struct otlp_text){ at, (mark ? mark : end) - at };
	if (mark)
		*query = (struct otlp_text){ mark + 1, end - mark - 1 };
}

/* "address:port" of whom a client called, in AT. */
static struct otlp_text target_of(const struct otlp_span *span, char at[static TARGET_BYTES])
{
	struct otlp_text address = text_of(span->attributes, span->attribute_cnt, "server.address");
	const struct otlp_attribute *port =
		find(span->attributes, span->attribute_cnt, "server.port", OTLP_INT);
	bool is_v6 = address.len && memchr(address.at, ':', address.len);
	int len;

	if (span->kind != OTLP_CLIENT || !address.len)
		return (struct otlp_text){ "", 0 };
	if (!port)
		return address;
	len = snprintf(at, TARGET_BYTES, is_v6 ? "[%.*s]:%lld" : "%.*s:%lld",
		       (int)between(0, address.len, TARGET_BYTES - 32), address.at,
		       (long long)port->number);
	return (struct otlp_text){ at, len };
}

/* True: it is an SQL text. */
static bool find_path(struct span_line *line, const struct otlp_span *span,
		      char target[static TARGET_BYTES])
{
	const struct otlp_attribute *attributes = span->attributes;
	const size_t cnt = span->attribute_cnt;
	struct otlp_text url = text_of(attributes, cnt, "url.full");

	line->path = text_of(attributes, cnt, "url.path");
	line->query = text_of(attributes, cnt, "url.query");
	if (!line->path.len && url.len)
		split_url(url, &line->path, &line->query);
	if (line->path.len)
		return false;
	line->path = text_of(attributes, cnt, "db.query.text");
	if (line->path.len)
		return true;
	line->path = target_of(span, target);
	return false;
}

static void find_error(struct span_line *line, const struct otlp_span *span)
{
	const struct otlp_event *exception = find_exception(span);

	line->error_type = text_of(span->attributes, span->attribute_cnt, "error.type");
	line->message = span->status_message;
	if (!exception)
		return;
	line->is_panic = exception->is_panic;
	line->exception = text_of(exception->attributes, exception->attribute_cnt, "exception.type");
	line->exception_message = cut_prefix(text_of(
		exception->attributes, exception->attribute_cnt, "exception.message"));
}

static void find_status(struct span_line *line, const struct otlp_span *span)
{
	const struct otlp_attribute *attributes = span->attributes;
	const size_t cnt = span->attribute_cnt;
	const struct otlp_attribute *status =
		find(attributes, cnt, "http.response.status_code", OTLP_INT);

	line->failed = span->status == OTLP_STATUS_ERROR;
	line->status = status ? status->number : 0;
	line->code = text_of(attributes, cnt, "rpc.response.status_code");
	if (!line->code.len)
		line->code = text_of(attributes, cnt, "db.response.status_code");
}

static void copy_numbers(struct span_line *line, const struct otlp_span *span)
{
	static const uint8_t no_span[sizeof(line->parent_id)];
	const struct otlp_attribute *wait = find(span->attributes, span->attribute_cnt,
						 "gospan.db.pool_wait", OTLP_DOUBLE);
	const uint32_t remote = span->flags & (OTLP_FLAG_HAS_IS_REMOTE | OTLP_FLAG_IS_REMOTE);

	memcpy(line->trace_id, span->trace_id, sizeof(line->trace_id));
	memcpy(line->span_id, span->span_id, sizeof(line->span_id));
	memcpy(line->parent_id, span->parent_id, sizeof(line->parent_id));
	line->start_unix_ns = span->start_unix_ns;
	line->end_unix_ns = span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns :
								      span->start_unix_ns;
	line->pool_wait_ns = wait && wait->real > 0 ? wait->real * 1e9 : 0;
	line->is_call = span->kind == OTLP_CLIENT || span->kind == OTLP_PRODUCER;
	line->parent_is_local = remote == OTLP_FLAG_HAS_IS_REMOTE &&
				memcmp(line->parent_id, no_span, sizeof(no_span)) != 0;
}

static void copy_text(char **to, struct otlp_text *text)
{
	if (text->len)
		memcpy(*to, text->at, text->len);
	text->at = *to;
	*to += text->len;
}

/* SQL is mostly written over several lines, indented. TEXT is ours. */
static void collapse_spaces(char *at, struct otlp_text *text)
{
	size_t len = 0;

	for (size_t i = 0; i < text->len; i++) {
		char c = at[i] == '\n' || at[i] == '\r' || at[i] == '\t' ? ' ' : at[i];

		if (c != ' ' || (len && at[len - 1] != ' '))
			at[len++] = c;
	}
	text->len = len;
}

struct span_line *span_line__new(const char *service, const struct otlp_span *span)
{
	struct span_line borrowed = { 0 }, *line;
	struct otlp_text *texts[] = { &borrowed.name,	       &borrowed.query,	     &borrowed.service,
				      &borrowed.exception,       &borrowed.code,
				      &borrowed.exception_message, &borrowed.error_type,
				      &borrowed.message,       &borrowed.path /* the last */ };
	char target[TARGET_BYTES], *at;
	size_t bytes = 0;
	bool is_sql;

	borrowed.name = span->name;
	borrowed.service = (struct otlp_text){ service, strlen(service) };
	is_sql = find_path(&borrowed, span, target);
	find_error(&borrowed, span);
	find_status(&borrowed, span);
	copy_numbers(&borrowed, span);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		bytes += texts[i]->len;
	line = malloc(sizeof(*line) + bytes);
	if (!line)
		return NULL;
	at = line->text;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		copy_text(&at, texts[i]);
	if (is_sql)
		collapse_spaces(at - borrowed.path.len, &borrowed.path);
	*line = borrowed;
	return line;
}

/* A moment as the clock on the wall shows it. */
static void put_time(struct row *row, uint64_t unix_ns)
{
	time_t seconds = unix_ns / 1000000000;
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	row__style(row, DIM);
	row__format(row, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		    (unsigned)(unix_ns / 1000000 % 1000));
	row__style(row, PLAIN);
}

/* gRPC's "package.Service/Method" without its package where that leaves no room for the method. */
static struct otlp_text fitting(struct otlp_text name, unsigned width)
{
	const char *slash, *dot;

	if (text__width(name) <= width || memchr(name.at, ' ', name.len))
		return name;
	slash = memchr(name.at, '/', name.len);
	if (!slash)
		return name;
	dot = memrchr(name.at, '.', slash - name.at);
	return dot ? (struct otlp_text){ dot + 1, name.at + name.len - dot - 1 } : name;
}

/* "GET /api/v1/items/{id}" without what leaves no room for its end, where a program's routes differ. */
static bool put_end_of_route(struct row *row, struct otlp_text name, unsigned width)
{
	const char *end = name.at + name.len, *path = memchr(name.at, ' ', name.len);
	struct otlp_text method, rest;

	if (text__width(name) <= width || !path || end - path < 2 || path[1] != '/')
		return false;
	method = (struct otlp_text){ name.at, ++path - name.at };
	while ((path = memchr(path + 1, '/', end - path - 1))) {
		rest = (struct otlp_text){ path, end - path };
		if (text__width(method) + 1 + text__width(rest) > width)
			continue;
		row__foreign(row, method, width);
		row__own(row, "…");
		row__foreign(row, rest, width);
		return true;
	}
	return false;
}

static void put_name(struct row *row, struct otlp_text name, unsigned depth, unsigned width)
{
	unsigned end = row->width + width;
	unsigned indent = depth > 0 ? 2 * (depth - 1) : 0;

	/* Deep trees stop moving to the right where a name would have no room. */
	if (indent > width / 2)
		indent = width / 2;
	row__pad_to(row, row->width + indent);
	if (depth > 0)
		row__own(row, "└ ");
	row__style(row, BOLD);
	if (!put_end_of_route(row, name, end - row->width))
		row__foreign(row, fitting(name, end - row->width), end - row->width);
	row__style(row, PLAIN);
	row__pad_to(row, end);
}

/*
 * A word that says all is well ("OK") has its place in the column; others are told behind. They need
 * not be an error: that a server answered NOT_FOUND is not its own.
 */
static bool is_short(struct otlp_text code)
{
	return code.len > 0 && code.len <= STATUS_WIDTH;
}

static void put_status(struct row *row, const struct span_line *line, unsigned end)
{
	char text[24] = "";

	if (line->status)
		snprintf(text, sizeof(text), "%lld", (long long)line->status);
	else if (line->failed)
		snprintf(text, sizeof(text), "!");
	row__style(row, line->failed || line->status >= 500 ? RED :
			line->status >= 400		    ? YELLOW :
							      GREEN);
	if (!*text && is_short(line->code)) {
		row__pad_to(row, end - line->code.len);
		row__foreign(row, line->code, line->code.len);
	}
	row__right(row, text, end);
	row__style(row, PLAIN);
}

/* Eighths of the bar before MOMENT, rounded. */
static unsigned eighths(uint64_t moment, const struct extent *extent)
{
	double part = extent->duration_ns == 0 || moment <= extent->start_unix_ns ?
			      0 :
			      (double)(moment - extent->start_unix_ns) / extent->duration_ns;

	return (part < 1 ? part : 1) * BAR_CELLS * 8 + 0.5;
}

/*
 * From the span's start to its end. Unicode has blocks of one to eight eighths that are filled from
 * the left, none from the right: the start is rounded down to a whole cell.
 */
static void put_bar(struct row *row, const struct span_line *line, const struct extent *extent)
{
	static const char *const blocks[] = { " ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█" };
	unsigned from = eighths(line->start_unix_ns, extent) / 8 * 8;
	unsigned to = eighths(line->end_unix_ns, extent);

	if (from >= BAR_CELLS * 8)
		from = (BAR_CELLS - 1) * 8;
	if (to <= from) /* too short to see: show where it was */
		to = from + 1;
	row__style(row, DIM);
	row__own(row, "▕");
	row__style(row, line->failed ? RED : CYAN);
	for (unsigned cell = 0; cell < BAR_CELLS * 8; cell += 8) {
		unsigned filled = cell < from || to <= cell ? 0 : to - cell < 8 ? to - cell : 8;

		row__own(row, blocks[filled]);
	}
	row__style(row, DIM);
	row__own(row, "▏");
	row__style(row, PLAIN);
}

static void put_path(struct row *row, const struct span_line *line, unsigned width)
{
	unsigned end = row->width + width;
	unsigned path_width = text__width(line->path);

	if (line->query.len == 0 || path_width + 1 >= width) {
		row__foreign(row, line->path, width);
	} else {
		row__foreign(row, line->path, width);
		row__own(row, "?");
		row__foreign(row, line->query, end - row->width);
	}
	row__pad_to(row, end);
}

/* "WHAT: MESSAGE" behind the word LABEL, as far as END. */
static void put_pair(struct row *row, const char *label, struct otlp_text what,
		     struct otlp_text message, unsigned end)
{
	row__own(row, label);
	if (end > row->width)
		row__foreign(row, what, end - row->width);
	if (!message.len || end <= row->width + 2)
		return;
	row__own(row, what.len ? ": " : "");
	row__foreign(row, message, end - row->width);
}

static bool has_error(const struct span_line *line)
{
	return line->exception.len || line->error_type.len || line->message.len;
}

/* A wait for a connection that explains the span's duration, or part of it. */
static bool has_waited(const struct span_line *line)
{
	return line->pool_wait_ns > (line->end_unix_ns - line->start_unix_ns) / 10;
}

static void put_notes(struct row *row, const struct span_line *line, unsigned end)
{
	const struct otlp_text none = { "", 0 };
	const unsigned start = row->width;
	char duration[DURATION_BYTES];

	row__style(row, has_error(line) ? RED : YELLOW);
	if (line->exception.len)
		put_pair(row, line->is_panic ? "panic " : "exception ", line->exception,
			 line->exception_message, end);
	else if (line->error_type.len)
		put_pair(row, "error.type=", line->error_type, line->message, end);
	else if (line->message.len)
		put_pair(row, "error: ", none, line->message, end);
	else if (line->code.len && !is_short(line->code))
		put_pair(row, "", line->code, none, end);
	row__style(row, YELLOW);
	if (has_waited(line) && end > row->width) {
		format_duration(line->pool_wait_ns, duration);
		row__own(row, row->width > start ? ", waited " : "waited ");
		row__own(row, duration);
		row__own(row, " for a connection");
	}
	row__style(row, PLAIN);
}

/* For HTTP the type of an error is mostly its status, which is in the line already. */
static bool is_told_by_status(const struct span_line *line)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)line->status);

	return !line->exception.len && !line->message.len && !has_waited(line) &&
	       (size_t)len == line->error_type.len && memcmp(text, line->error_type.at, len) == 0;
}

/* Behind the line where there is room, else below it. */
static void print_with_notes(struct row *row, const struct span_line *line,
			     const struct line_style *style, FILE *out)
{
	const unsigned column = 1 + TIME_WIDTH + 2 + BELOW;
	struct row notes;
	bool fits;

	row__start(&notes, false);
	put_notes(&notes, line, NO_LIMIT);
	fits = !style->is_tty || row->width + 2 + notes.width <= style->width;
	if (notes.width && fits) {
		row__pad_to(row, row->width + 2);
		put_notes(row, line, row->width + NO_LIMIT);
	}
	row__print(row, out);
	if (!notes.width || fits || is_told_by_status(line))
		return;
	row__start(row, style->color);
	row__pad_to(row, column);
	put_notes(row, line, style->width > column + 20 ? style->width : column + 20);
	row__print(row, out);
}

void span_line__print(const struct span_line *line, unsigned depth, const struct extent *extent,
		      struct line_style *style, FILE *out)
{
	const unsigned name_width = between(16, style->width / 4, 40);
	const unsigned path_width = between(10, style->width / 6, 40);
	const unsigned service_width = between(0, text__width(line->service), SERVICE_WIDTH_MAX);
	unsigned service_end;
	char duration[DURATION_BYTES];
	struct row row;

	if (service_width > style->service_width)
		style->service_width = service_width;
	row__start(&row, style->color);
	row__pad_to(&row, 1);
	put_time(&row, line->start_unix_ns);
	row__pad_to(&row, row.width + 2);
	put_name(&row, line->name, depth, name_width);
	put_status(&row, line, row.width + 2 + STATUS_WIDTH);
	format_duration(line->end_unix_ns - line->start_unix_ns, duration);
	row__right(&row, duration, row.width + 1 + DURATION_WIDTH);
	row__pad_to(&row, row.width + 2);
	put_bar(&row, line, extent);
	row__pad_to(&row, row.width + 2);
	put_path(&row, line, path_width);
	row__pad_to(&row, row.width + 2);
	service_end = row.width + style->service_width;
	row__foreign(&row, line->service, style->service_width);
	row__pad_to(&row, service_end + 2);
	row__style(&row, DIM);
	row__short_id(&row, line->trace_id);
	row__style(&row, PLAIN);
	print_with_notes(&row, line, style, out);
}
