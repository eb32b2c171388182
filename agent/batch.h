/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch: collects encoded spans between assemble and the exporters, in bounded memory, and keeps
 * the books: for every resource, produced = exported + dropped (by reason) + held.
 *
 * There is a sink for each thing that is exported to: OTLP and the file, as the configuration says.
 * A span is packed once and appended to each sink, which seals a batch at its size
 * (OTEL_BSP_MAX_EXPORT_BATCH_SIZE) or age (OTEL_BSP_SCHEDULE_DELAY), holds at most
 * OTEL_BSP_MAX_QUEUE_SIZE spans (waiting and under way), and lets nothing that happens in another
 * one matter. The books are those of the OTLP sink if there is one, else the file's; with neither,
 * a span counts as exported when it is added (the console has it).
 */
#ifndef GOSPAN_AGENT_BATCH_H
#define GOSPAN_AGENT_BATCH_H

#include "config.h"
#include "loop.h"
#include "../otlp/encode.h"

struct batch;
struct batch_resource; /* a traced process: where its spans are from */

enum batch_drop {
	BATCH_QUEUE_FULL,
	BATCH_REFUSED,	/* a final answer of the receiver */
	BATCH_FAILED,	/* no answer, or none but "later", for too long */
	BATCH_REJECTED, /* taken by the receiver in part: "partial success" */
	BATCH_CANCELED, /* the agent ended first */
	BATCH_ENCODE,	/* out of memory */
	BATCH_DROP_CNT,
};

struct batch_counts {
	uint64_t produced;
	uint64_t exported;
	uint64_t dropped[BATCH_DROP_CNT];
};

/* What a library's spans are filed under. The strings are copied when first seen. */
struct batch_scope {
	const char *name;
	const char *version;
	const char *schema_url;
	const char *otherwise; /* filed under this name once there are many; NULL: never */
};

/* "queue_full" ...: for done lines. */
const char *batch_drop__name(enum batch_drop drop);

/*
 * CONFIG and LOOP must outlive it. -EINVAL after a log line (unusable endpoint, certificate, file),
 * -ENOMEM.
 */
int batch__new(const struct config *config, struct loop *loop, struct batch **out);

/*
 * What is still held is dropped as canceled. Closes all resources, without their callbacks. Not to
 * be called from inside a callback of the batch.
 */
void batch__free(struct batch *b);

/* RESOURCE (packed, otlp__pack_resource()) is copied. -ENOMEM. */
int batch__open_resource(struct batch *b, const struct bytes *resource, const char *schema_url,
			 struct batch_resource **out);

/*
 * No more spans of R will come: sends what is held without waiting for more, and calls CLOSED
 * (NULL: nobody) with the final counts when every span has met its fate; perhaps before this
 * returns. R is gone then.
 */
typedef void (*batch_closed)(void *ctx, const struct batch_counts *counts);
void batch__close_resource(struct batch *b, struct batch_resource *r, batch_closed closed,
			   void *ctx);

/* Packs SPAN and files it. Never fails: what cannot be held is counted. SCOPE and SPAN are lent. */
void batch__add(struct batch *b, struct batch_resource *r, const struct batch_scope *scope,
		const struct otlp_span *span);

/*
 * The final flush, once: sends everything; after at most DEADLINE_MS what is left is dropped as
 * canceled. Then calls DONE, from the loop. What is added afterwards is dropped too.
 */
typedef void (*batch_flushed)(void *ctx);
void batch__flush(struct batch *b, uint32_t deadline_ms, batch_flushed done, void *ctx);

/* So far; produced - exported - dropped are held. Also of closed resources. */
struct batch_counts batch__counts(const struct batch *b);
struct batch_counts batch_resource__counts(const struct batch_resource *r);

#endif
