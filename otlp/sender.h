/* SPDX-License-Identifier: Apache-2.0 */
/* sender: what tests need beside exporter.h. Private to otlp/ and its tests. */
#ifndef GOSPAN_OTLP_SENDER_H
#define GOSPAN_OTLP_SENDER_H

#include "exporter.h"

/* The first wait before a retry; each next one is twice as long, up to the maximum. Jittered. */
struct backoff {
	uint32_t first_ms;
	uint32_t max_ms;
};

/* Replaces the usual 1 s and 10 s of an exporter made by exporter__new_otlp(). */
void sender__set_backoff(struct exporter *e, struct backoff backoff);

#endif
