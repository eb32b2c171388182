/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracee: a process while it is traced: its names and resource, its executable's probes, and the
 * books of its spans, which its ready and done lines tell.
 */
#ifndef GOSPAN_AGENT_TRACEE_H
#define GOSPAN_AGENT_TRACEE_H

#include "batch.h"
#include "executable.h"

struct tracee {
	struct target *target;
	struct executable *executable; /* lent by the session */
	struct batch_resource *resource;
	bool gone; /* the process is; its last spans may still be on their way to us */
	uint32_t execed_to; /* it is gone by exec: process_record.process */
	struct tracee *next;
};

/* What the kernel side counted, and what was still under way when a process went or we did. */
struct losses {
	struct failure_counts failures;
	uint64_t unfinished;
};

void losses__add(struct losses *into, const struct losses *from);

/*
 * Attaches to TARGET's process (TARGET is taken over, also on failure), opens its resource and says
 * that it is ready. WHY tells what failed.
 */
int tracee__new(const struct kernel *kernel, struct executable *e, struct target *target,
		struct batch *batch, struct tracee **out, struct why *why);
/* An OpenTelemetry SDK inside was found in use: BPF programs act on it; this tells. */
void tracee__leave_to_sdk(struct tracee *t, enum with_sdk how);

/* Does not close the resource. */
void tracee__free(struct tracee *t);

/* Stops counting and tracing it: OUT is what was lost of it. */
void tracee__forget(struct tracee *t, const struct kernel *kernel, struct losses *out);

/*
 * "gospan: done: WHO164 spans produced, 164 exported, 0 dropped, 0 unfinished": produced = exported
 * + dropped, each reason with its count. WHO is "" or ends in ": ".
 */
void log_done(const char *who, const struct batch_counts *counts, const struct losses *losses);

/* Warns of losses since BEFORE (updated), with the setting to change. True when there were any. */
bool warn_of_losses(const struct failure_counts *now, struct failure_counts *before);

#endif
