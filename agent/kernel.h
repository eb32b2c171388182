/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kernel: the instance of the BPF object that owns the shared maps (ring buffer, spans under way,
 * failure counters) and the programs that are loaded once (exec and exit of processes). Every
 * executable gets an instance of its own (agent/executable) that uses these maps.
 */
#ifndef GOSPAN_AGENT_KERNEL_H
#define GOSPAN_AGENT_KERNEL_H

#include "config.h"
#include "declarations.h"
#include "features.h"

struct kernel;
struct gospan_bpf;
struct bpf_object;

/* Creates the maps, finds the agent's place among pid namespaces, listens for exec and exit. */
int kernel__new(const struct config *config, const struct features *features, struct kernel **out);
void kernel__free(struct kernel *k);

const struct declarations *kernel__declarations(const struct kernel *k);
const struct config *kernel__config(const struct kernel *k);
const struct features *kernel__features(const struct kernel *k);

/* Opens another instance whose maps are the shared ones and whose settings are the config's. */
int kernel__open_instance(const struct kernel *k, struct gospan_bpf **out);

/* Ring buffers: spans, and exec / exit of processes. */
int kernel__events_fd(const struct kernel *k);
int kernel__process_events_fd(const struct kernel *k);
/* True when the kernel tells of exec and exit (else /proc is polled). */
bool kernel__tells_processes(const struct kernel *k);

/* PID (in our namespace) is traced, for instances that trace only such. */
int kernel__add_target(const struct kernel *k, int pid);
void kernel__remove_target(const struct kernel *k, int pid);

/* What was counted against PID so far (0: nobody's). Zeros if nothing. */
void kernel__failures(const struct kernel *k, int pid, struct failure_counts *out);

/*
 * PID is gone or detached: drops its spans under way and returns how many (sampled) there were.
 * EXECED_TO (process_record.process; 0: nothing): what it is now, whose spans stay.
 */
size_t kernel__forget(const struct kernel *k, int pid, uint32_t execed_to);

/* Every pid that has something under way. */
size_t kernel__forget_all(const struct kernel *k);

#endif
