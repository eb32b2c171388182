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
};

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

static const struct otlp_event *find_exception(const struct otlp_span *span)
{
	static const char name[] = "exception";

	for (size_t i = 0; i < span->event_cnt; i++)
		if (span->events[i].name.len == sizeof(name) - 1 &&
		    memcmp(span->events[i].name.at, name, sizeof(name) - 1) == 0)
			return &span->events[i];
	return NULL;
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

/* Points the line's texts into the span, where they are now. */
static void borrow_texts(struct span_line *line, const char *service, const struct otlp_span *span)
{
	const struct otlp_attribute *attributes = span->attributes;
	const struct otlp_event *exception = find_exception(span);
	const size_t cnt = span->attribute_cnt;

	line->name = span->name;
	line->service = (struct otlp_text){ service, strlen(service) };
	line->path = text_of(attributes, cnt, "url.path");
	line->query = text_of(attributes, cnt, "url.query");
	line->error_type = text_of(attributes, cnt, "error.type");
	if (!exception)
		return;
	line->panic = text_of(exception->attributes, exception->attribute_cnt, "exception.type");
	line->panic_message = cut_prefix(text_of(exception->attributes, exception->attribute_cnt,
						 "exception.message"));
}

struct span_line *span_line__new(const char *service, const struct otlp_span *span)
{
	const struct otlp_attribute *status = find(span->attributes, span->attribute_cnt,
						   "http.response.status_code", OTLP_INT);
	struct span_line borrowed = { 0 }, *line;
	struct otlp_text *texts[] = { &borrowed.name,	 &borrowed.path,  &borrowed.query,
				      &borrowed.service, &borrowed.panic, &borrowed.panic_message,
				      &borrowed.error_type };
	size_t bytes = 0;
	char *at;

	borrow_texts(&borrowed, service, span);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		bytes += texts[i]->len;
	line = malloc(sizeof(*line) + bytes);
	if (!line)
		return NULL;
	at = line->text;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i]->len)
			memcpy(at, texts[i]->at, texts[i]->len);
		texts[i]->at = at;
		at += texts[i]->len;
	}
	memcpy(borrowed.trace_id, span->trace_id, sizeof(borrowed.trace_id));
	memcpy(borrowed.span_id, span->span_id, sizeof(borrowed.span_id));
	memcpy(borrowed.parent_id, span->parent_id, sizeof(borrowed.parent_id));
	borrowed.start_unix_ns = span->start_unix_ns;
	borrowed.end_unix_ns = span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns :
									  span->start_unix_ns;
	borrowed.failed = span->status == OTLP_STATUS_ERROR;
	borrowed.status = status ? status->number : 0;
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
	row__foreign(row, name, end - row->width);
	row__style(row, PLAIN);
	row__pad_to(row, end);
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

static void put_error(struct row *row, const struct span_line *line, unsigned max_width)
{
	unsigned end = row->width + max_width;

	row__style(row, RED);
	if (line->panic.len) {
		row__own(row, "panic ");
		row__foreign(row, line->panic, end - row->width);
		if (line->panic_message.len && end > row->width + 2) {
			row__own(row, ": ");
			row__foreign(row, line->panic_message, end - row->width);
		}
	} else {
		row__own(row, "error.type=");
		row__foreign(row, line->error_type, end - row->width);
	}
	row__style(row, PLAIN);
}

/* The columns put_error() would like to have; 0: there is no error to tell of. */
static unsigned error_width(const struct span_line *line)
{
	if (line->panic.len)
		return 6 + text__width(line->panic) +
		       (line->panic_message.len ? 2 + text__width(line->panic_message) : 0);
	return line->error_type.len ? 11 + text__width(line->error_type) : 0;
}

/* For HTTP the type of an error is mostly its status, which is in the line already. */
static bool is_told_by_status(const struct span_line *line)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%lld", (long long)line->status);

	return !line->panic.len && (size_t)len == line->error_type.len &&
	       memcmp(text, line->error_type.at, len) == 0;
}

static unsigned between(unsigned least, unsigned value, unsigned most)
{
	return value < least ? least : value > most ? most : value;
}

static void print_error_below(const struct span_line *line, const struct line_style *style, FILE *out)
{
	const unsigned column = 1 + TIME_WIDTH + 2 + BELOW;
	struct row row;

	row__start(&row, style->color);
	row__pad_to(&row, column);
	put_error(&row, line, style->width > column + 20 ? style->width - column : 20);
	row__print(&row, out);
}

void span_line__print(const struct span_line *line, unsigned depth, const struct extent *extent,
		      struct line_style *style, FILE *out)
{
	const unsigned name_width = between(16, style->width / 5, 40);
	const unsigned path_width = between(10, style->width / 6, 40);
	const unsigned service_width = between(0, text__width(line->service), SERVICE_WIDTH_MAX);
	unsigned service_end, wanted = error_width(line);
	bool error_fits;
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
	error_fits = !style->is_tty || row.width + 2 + wanted <= style->width;
	if (wanted && error_fits) {
		row__pad_to(&row, row.width + 2);
		put_error(&row, line, NO_LIMIT);
	}
	row__print(&row, out);
	if (wanted && !error_fits && !is_told_by_status(line))
		print_error_below(line, style, out);
}
