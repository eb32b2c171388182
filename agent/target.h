/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: one process that is traced: who it is (identity, names) and its OTLP resource.
 * All of it is read from /proc once, at discovery, so that it survives the process.
 */
#ifndef GOSPAN_AGENT_TARGET_H
#define GOSPAN_AGENT_TARGET_H

#include <sys/types.h>

#include "config.h"
#include "../offsets/resolve.h"
#include "../otlp/encode.h"

/* Identity of an executable: what /proc/PID/exe leads to. */
struct exe_id {
	uint64_t dev;
	uint64_t ino;
	uint64_t mtime_ns;
	uint64_t size;
};

struct process {
	int pid;	     /* in our pid namespace */
	uint64_t start_time; /* stat field 22, ticks since boot: tells reused pids apart */
	uid_t uid;
	struct exe_id exe;
	char *exe_path;	     /* readlink of /proc/PID/exe, " (deleted)" cut */
	bool exe_deleted;
};

/* Fills OUT from /proc/PID. -ESRCH gone, -EACCES not ours, -ENOEXEC a kernel thread. */
int process__read(int pid, struct process *out);
void process__clear(struct process *p);

struct target {
	struct process process;
	char *service_name;
	char *instance_id;
	bool instance_id_given; /* by our or the target's OTEL_RESOURCE_ATTRIBUTES */
	struct bytes resource; /* packed otlp Resource */
	/* the resource's attributes, owned, for the console and tests */
	struct otlp_attribute *attributes;
	size_t attribute_cnt;
};

/*
 * Builds names and resource of PROCESS (moved into the target) by design's *Names* rules. INFO may
 * be of the executable. SEVERAL: more than one executable is traced, so our own OTEL_SERVICE_NAME
 * and service.name are ignored. -ENOMEM.
 */
int target__new(const struct config *config, const struct go_info *info, struct process *process,
		bool several, struct target **out);

/*
 * For a second process that was given the same service.instance.id as one that lives: replaces it
 * by the derived one. A no-op when it is derived already. -ENOMEM leaves the target as it was.
 */
int target__derive_instance_id(struct target *target);

void target__free(struct target *target);

#endif
