/* SPDX-License-Identifier: Apache-2.0 */
/* resource: the attributes of a process that need no configuration. Inside of target. */
#ifndef GOSPAN_AGENT_RESOURCE_H
#define GOSPAN_AGENT_RESOURCE_H

#include "attributes.h"
#include "target.h"

/* process.*, of semantic conventions 1.44. process.pid is the number in *our* pid namespace. */
void resource__add_process(struct attributes *a, const struct process *p,
			   const struct go_info *info, bool with_args);

/* host.*, os.*, container.id of process P. */
void resource__add_host(struct attributes *a, const struct process *p);

/* telemetry.*: last, so that nobody else's values stand. */
void resource__add_telemetry(struct attributes *a);

/*
 * What tells machines apart, for ids: the container's id, else the machine id, else the id of this
 * boot. "" if there is nothing.
 */
enum { ORIGIN_SIZE = 80 };
void resource__origin(const struct process *p, char out[static ORIGIN_SIZE]);

#endif
