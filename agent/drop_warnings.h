/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drop_warnings: says that spans were dropped, why, and which setting to change: at most once a
 * minute a reason, soon after the first drop, with the number since the last time.
 */
#ifndef GOSPAN_AGENT_DROP_WARNINGS_H
#define GOSPAN_AGENT_DROP_WARNINGS_H

#include "batch.h"

struct drop_warnings {
	const struct config *config;
	const char *where; /* "otlp", "file" */
	struct loop_timer *timer;
	bool waiting;
	bool ending; /* the time of a payload is now what the final flush leaves it */
	uint64_t last_ns; /* 0: never warned */
	struct {
		uint64_t cnt; /* not yet told */
		char detail[512];
	} by_reason[BATCH_DROP_CNT];
};

/* -ENOMEM. */
int drop_warnings__init(struct drop_warnings *w, const struct config *config, struct loop *loop,
			const char *where);
/* DETAIL: what the receiver says, "" if nothing; copied. */
void drop_warnings__note(struct drop_warnings *w, enum batch_drop reason, uint64_t cnt,
			 const char *detail);
/* Tells now what has not been told. */
void drop_warnings__tell(struct drop_warnings *w);
/* The same, for the last time. */
void drop_warnings__clear(struct drop_warnings *w);

#endif
