/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink: sealed batches on their way into one exporter: a queue in front of it, its ears on the
 * loop, and the lines about a receiver that goes and comes. Says of each part of a batch what
 * became of it.
 */
#ifndef GOSPAN_AGENT_SINK_H
#define GOSPAN_AGENT_SINK_H

#include "drop_warnings.h"

struct sink;

/* How many spans of a batch are whose. */
struct sink_part {
	struct batch_resource *resource;
	uint64_t cnt;
};

/* EXPORTED of PART's spans arrived, the others were dropped for REASON. Must not free the sink. */
typedef void (*sink_settled)(void *ctx, const struct sink_part *part, uint64_t exported,
			     enum batch_drop reason);

/* -EINVAL after a log line, -ENOMEM. */
int sink__new_otlp(const struct config *config, struct loop *loop, sink_settled settled, void *ctx,
		   struct sink **out);
int sink__new_file(const struct config *config, struct loop *loop, sink_settled settled, void *ctx,
		   struct sink **out);

/*
 * Takes over TRACES' bytes and sends them when it is their turn; PARTS are copied. SETTLED may be
 * called before this returns. -ENOMEM: nothing is taken over.
 */
int sink__send(struct sink *s, struct bytes *traces, const struct sink_part *parts,
	       size_t part_cnt);

/* Warns of spans that were dropped before they got here. */
void sink__note_drop(struct sink *s, enum batch_drop reason, uint64_t cnt);

bool sink__is_idle(const struct sink *s);
/* The final flush, see exporter__hurry(). */
void sink__hurry(struct sink *s, uint32_t deadline_ms);
/* Drops what is left as canceled; nothing can be sent any more. */
void sink__cancel(struct sink *s);
/* Cancels. NULL is fine. */
void sink__free(struct sink *s);

/* Warns now of drops that have not been told yet. */
void sink__tell_drops(struct sink *s);

#endif
