/* SPDX-License-Identifier: Apache-2.0 */
/* console_table: see console_table.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "console_table.h"
#include "console_text.h"

enum {
	SUB_BUCKET_BITS = 6,
	SUB_BUCKETS = 1 << SUB_BUCKET_BITS,
	/* Octave 0 holds 0 to 63 ns exactly, octave n from 64 << (n - 1) on; the last one 2^44 ns,
	 * five hours, and all above. */
	OCTAVES = 39,

	ROUTE_BYTES_MAX = 256,
	SLOTS = 2 * TABLE_ROUTES, /* of the hash table: never more than half full */
};

struct route {
	char *name;
	size_t name_len;
	uint64_t cnt, failed_cnt, max_ns;
	uint64_t *octaves[OCTAVES]; /* SUB_BUCKETS counts each, NULL while there are none */
	bool has_trace_id;
	uint64_t slowest_ns; /* of those with a trace id */
	uint8_t slowest[16];
};

struct table {
	struct route *slots[SLOTS];
	size_t route_cnt;
	struct route *other;
};

int table__new(struct table **out)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	*out = table;
	return 0;
}

static void route__free(struct route *route)
{
	if (!route)
		return;
	for (size_t i = 0; i < OCTAVES; i++)
		free(route->octaves[i]);
	free(route->name);
	free(route);
}

void table__free(struct table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < SLOTS; i++)
		route__free(table->slots[i]);
	route__free(table->other);
	free(table);
}

static struct route *route__new(struct otlp_text name)
{
	struct route *route = calloc(1, sizeof(*route));

	if (!route)
		return NULL;
	route->name = malloc(name.len + 1);
	if (!route->name) {
		free(route);
		return NULL;
	}
	memcpy(route->name, name.at, name.len);
	route->name_len = name.len;
	return route;
}

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static uint32_t hash(struct otlp_text text)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < text.len; i++)
		h = (h ^ (unsigned char)text.at[i]) * 16777619u;
	return h;
}

/* The slot of NAME, or the empty one where it would be. */
static size_t slot_of(const struct table *table, struct otlp_text name)
{
	size_t slot = hash(name) % SLOTS;

	for (; table->slots[slot]; slot = (slot + 1) % SLOTS) {
		const struct route *route = table->slots[slot];

		if (route->name_len == name.len && memcmp(route->name, name.at, name.len) == 0)
			break;
	}
	return slot;
}

/* The route's row, made if need be; NULL when out of memory. */
static struct route *find(struct table *table, struct otlp_text name)
{
	size_t slot;

	if (name.len > ROUTE_BYTES_MAX)
		name.len = ROUTE_BYTES_MAX;
	slot = slot_of(table, name);
	if (table->slots[slot])
		return table->slots[slot];
	if (table->route_cnt == TABLE_ROUTES) {
		if (!table->other)
			table->other = route__new((struct otlp_text){ "(other)", 7 });
		return table->other;
	}
	table->slots[slot] = route__new(name);
	if (table->slots[slot])
		table->route_cnt++;
	return table->slots[slot];
}

static unsigned octave_of(uint64_t ns)
{
	unsigned bits = ns ? 64 - __builtin_clzll(ns) : 0;
	unsigned octave = bits > SUB_BUCKET_BITS ? bits - SUB_BUCKET_BITS : 0;

	return octave < OCTAVES ? octave : OCTAVES - 1;
}

/* The middle of a bucket, at most half a bucket, 1/128, from anything in it. */
static uint64_t value_of(unsigned octave, unsigned sub)
{
	if (octave == 0)
		return sub;
	return ((uint64_t)(2 * (SUB_BUCKETS + sub) + 1) << (octave - 1)) / 2;
}

static uint64_t *bucket(struct route *route, uint64_t ns)
{
	unsigned octave = octave_of(ns);
	uint64_t sub = octave ? (ns >> (octave - 1)) - SUB_BUCKETS : ns;

	if (!route->octaves[octave])
		route->octaves[octave] = calloc(SUB_BUCKETS, sizeof(uint64_t));
	if (!route->octaves[octave])
		return NULL;
	return &route->octaves[octave][sub < SUB_BUCKETS ? sub : SUB_BUCKETS - 1];
}

void table__add(struct table *table, struct otlp_text name, uint64_t duration_ns, bool failed,
		const uint8_t *trace_id)
{
	struct route *route = find(table, name);
	uint64_t *count = route ? bucket(route, duration_ns) : NULL;

	if (!count)
		return;
	++*count;
	route->cnt++;
	route->failed_cnt += failed;
	if (duration_ns > route->max_ns)
		route->max_ns = duration_ns;
	if (trace_id && (!route->has_trace_id || duration_ns > route->slowest_ns)) {
		route->has_trace_id = true;
		route->slowest_ns = duration_ns;
		memcpy(route->slowest, trace_id, 16);
	}
}

/* The duration that PERCENT of the requests do not exceed. */
static uint64_t percentile(const struct route *route, unsigned percent)
{
	uint64_t rank = (route->cnt * percent + 99) / 100, seen = 0;

	for (unsigned octave = 0; octave < OCTAVES; octave++) {
		for (unsigned sub = 0; route->octaves[octave] && sub < SUB_BUCKETS; sub++) {
			seen += route->octaves[octave][sub];
			if (seen >= rank) {
				uint64_t ns = value_of(octave, sub);

				/* the last bucket holds the longest, which is known */
				return seen < route->cnt && ns < route->max_ns ? ns : route->max_ns;
			}
		}
	}
	return route->max_ns;
}

uint64_t table__percentile(const struct table *table, struct otlp_text name, unsigned percent)
{
	const struct route *route = table->slots[slot_of(table, name)];

	return route ? percentile(route, percent) : 0;
}

static int by_count(const void *a, const void *b)
{
	const struct route *x = *(struct route *const *)a, *y = *(struct route *const *)b;
	size_t len = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order;

	if (x->cnt != y->cnt)
		return x->cnt < y->cnt ? 1 : -1;
	order = memcmp(x->name, y->name, len);
	return order ? order : (x->name_len > y->name_len) - (x->name_len < y->name_len);
}

/* Where the columns end (the first and the last one: begin). */
struct columns {
	unsigned name, count, errors, p50, p95, p99, max, id;
	unsigned name_width;
	bool full_id;
};

static struct columns lay_out(struct route *const *routes, size_t cnt, unsigned width)
{
	enum { NUMBERS = 8 + 8 + 4 * (DURATION_WIDTH + 1) + 2, SHORT_ID = 13, FULL_ID = 32 };
	struct columns at = { .name = 1, .name_width = 5 };
	unsigned most;

	for (size_t i = 0; i < cnt; i++) {
		unsigned len = text__width((struct otlp_text){ routes[i]->name, routes[i]->name_len });

		if (len > at.name_width)
			at.name_width = len;
	}
	most = width > NUMBERS + SHORT_ID + 1 + 12 ? width - NUMBERS - SHORT_ID - 1 : 12;
	if (at.name_width > most)
		at.name_width = most;
	at.count = at.name + at.name_width + 8;
	at.errors = at.count + 8;
	at.p50 = at.errors + DURATION_WIDTH + 1;
	at.p95 = at.p50 + DURATION_WIDTH + 1;
	at.p99 = at.p95 + DURATION_WIDTH + 1;
	at.max = at.p99 + DURATION_WIDTH + 1;
	at.id = at.max + 2;
	at.full_id = at.id + FULL_ID <= width;
	return at;
}

static void print_header(const struct columns *at, FILE *out, bool color)
{
	struct row row;

	row__start(&row, color);
	row__style(&row, DIM);
	row__pad_to(&row, at->name);
	row__own(&row, "route");
	row__right(&row, "count", at->count);
	row__right(&row, "errors", at->errors);
	row__right(&row, "p50", at->p50);
	row__right(&row, "p95", at->p95);
	row__right(&row, "p99", at->p99);
	row__right(&row, "max", at->max);
	row__pad_to(&row, at->id);
	row__own(&row, "slowest trace");
	row__print(&row, out);
}

static void put_number(struct row *row, uint64_t number, unsigned column)
{
	char text[24];

	snprintf(text, sizeof(text), " %llu", (unsigned long long)number);
	row__right(row, text, column);
}

static void put_duration(struct row *row, uint64_t ns, unsigned column)
{
	char text[DURATION_BYTES];

	format_duration(ns, text);
	row__right(row, text, column);
}

static void print_route(const struct route *route, const struct columns *at, FILE *out, bool color)
{
	struct row row;

	row__start(&row, color);
	row__pad_to(&row, at->name);
	row__foreign(&row, (struct otlp_text){ route->name, route->name_len }, at->name_width);
	put_number(&row, route->cnt, at->count);
	if (route->failed_cnt)
		row__style(&row, RED);
	put_number(&row, route->failed_cnt, at->errors);
	row__style(&row, PLAIN);
	put_duration(&row, percentile(route, 50), at->p50);
	put_duration(&row, percentile(route, 95), at->p95);
	put_duration(&row, percentile(route, 99), at->p99);
	put_duration(&row, route->max_ns, at->max);
	row__pad_to(&row, at->id);
	row__style(&row, DIM);
	for (size_t i = 0; at->full_id && route->has_trace_id && i < 16; i++)
		row__format(&row, "%02x", route->slowest[i]);
	if (!at->full_id && route->has_trace_id)
		row__short_id(&row, route->slowest);
	row__print(&row, out);
}

void table__print(const struct table *table, FILE *out, unsigned width, bool color)
{
	struct route *routes[TABLE_ROUTES];
	struct columns at;
	size_t cnt = 0;

	for (size_t i = 0; i < SLOTS; i++)
		if (table->slots[i])
			routes[cnt++] = table->slots[i];
	if (cnt == 0)
		return;
	qsort(routes, cnt, sizeof(routes[0]), by_count);
	at = lay_out(routes, cnt, width);
	fputc('\n', out);
	print_header(&at, out, color);
	for (size_t i = 0; i < cnt; i++)
		print_route(routes[i], &at, out, color);
	if (table->other)
		print_route(table->other, &at, out, color);
	fflush(out);
}
