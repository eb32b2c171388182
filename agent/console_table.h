/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_table: requests by route: how many, how many failed, and how long they took.
 *
 * Durations go into logarithmic buckets (64 to each power of two, made when first needed), so that
 * memory does not grow with the number of requests and a percentile is off by less than 1 %.
 * The number of routes is bounded too: those that come when TABLE_ROUTES are known share one row,
 * "(other)".
 */
#ifndef GOSPAN_AGENT_CONSOLE_TABLE_H
#define GOSPAN_AGENT_CONSOLE_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "../otlp/span.h"

enum { TABLE_ROUTES = 256 };

struct table;

/* -ENOMEM */
int table__new(struct table **out);
void table__free(struct table *table);

/* TRACE_ID is NULL for a request without a span. Out of memory: the request is not counted. */
void table__add(struct table *table, struct otlp_text route, uint64_t duration_ns, bool failed,
		const uint8_t *trace_id);

/* The duration that PERCENT of ROUTE's requests do not exceed; 0: none of it is known. */
uint64_t table__percentile(const struct table *table, struct otlp_text route, unsigned percent);

/* Prints all rows, the most frequent first, within WIDTH columns. Nothing if there are none. */
void table__print(const struct table *table, FILE *out, unsigned width, bool color);

#endif
