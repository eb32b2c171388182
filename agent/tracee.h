/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracee: a process while it is traced: its target (names, resource), its executable's probes, and
 * what became of its spans, which is what its ready and done lines say.
 */
#ifndef GOSPAN_AGENT_TRACEE_H
#define GOSPAN_AGENT_TRACEE_H

#include "batch.h"
#include "executable.h"

struct tracee {
	struct target *target;
	struct executable *executable;
	struct batch_resource *resource; /* NULL without a batch */
	uint64_t seen;	     /* sampled spans that reached us */
	uint64_t shown;	     /* handed to the console */
	uint64_t truncated;
};

/* Spans with their fates, added up: produced = exported + the sum of dropped. */
struct tally {
	uint64_t produced, exported, unfinished;
	struct tally_drop {
		const char *reason;
		uint64_t cnt;
	} dropped[FAIL_MAX + BATCH_DROP_CNT];
	size_t dropped_cnt;
	struct tally_drop noted[FAIL_MAX]; /* left out on purpose, or cut */
	size_t noted_cnt;
};

/* "pid 4242 service "shop": attached 9 probes (net/http) in 41 ms" */
void tracee__log_ready(const struct tracee *t, uint64_t elapsed_ns);

/* Adds what happened to T's spans to TALLY. */
void tracee__tally(const struct tracee *t, const struct kernel *kernel, uint64_t unfinished,
		   struct tally *tally);
void tally__add(struct tally *into, const struct tally *from);

/* "gospan: done: WHO 164 spans produced, 164 exported, 0 dropped, 0 unfinished" */
void tally__log(const struct tally *tally, const char *who);

#endif
