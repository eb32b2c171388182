/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prepare: gets executables ready (read, load: tens of milliseconds) in a worker thread, so that
 * the loop goes on. One at a time; the worker shares nothing and hands over a finished object.
 */
#ifndef GOSPAN_AGENT_PREPARE_H
#define GOSPAN_AGENT_PREPARE_H

#include "executable.h"
#include "loop.h"

struct prepare;

/*
 * Called on the loop when the executable ID is ready; E is the receiver's, or NULL with ERR and WHY
 * as executable__new() left them.
 */
typedef void (*prepared)(void *ctx, const struct exe_id *id, struct executable *e, int err,
			 const struct why *why);

int prepare__new(const struct kernel *kernel, struct loop *loop, prepared done, void *ctx,
		 struct prepare **out);

/* Queues the executable of PROCESS (lent). -ENOMEM. */
int prepare__request(struct prepare *p, const struct process *process, bool all_processes);

/* Nothing is queued or under way. */
bool prepare__is_idle(const struct prepare *p);

/* Waits for what is under way; forgets what is queued. NULL is fine. */
void prepare__free(struct prepare *p);

#endif
