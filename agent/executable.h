/* SPDX-License-Identifier: Apache-2.0 */
/*
 * executable: one distinct executable: its facts, its plan, its instance of the BPF object with the
 * facts in read-only data, and the links to its processes. Prepared once, however many processes
 * run it.
 */
#ifndef GOSPAN_AGENT_EXECUTABLE_H
#define GOSPAN_AGENT_EXECUTABLE_H

#include "kernel.h"
#include "links.h"
#include "plan.h"
#include "target.h"

struct executable {
	struct exe_id id;
	char *path;	       /* as first seen, for messages */
	struct resolve *resolve;
	struct plan *plan;
	struct gospan_bpf *bpf; /* NULL once its programs are all that is kept */
	int dispatch_fd, programs_fd; /* what is attached, and the table that keeps what it jumps to */
	bool all_processes;    /* one link for every process, those to come included */
	struct links links;
	int write_err;	       /* why the kernel does not let us write headers; 0: it does, or none would be */
	uint64_t prepare_ns;   /* what reading and loading took */
};

/*
 * Reads the executable of PROCESS and loads programs for it. ALL_PROCESSES: whoever runs it is
 * traced. WHY tells on failure: -ENOEXEC no Go program (or one that cannot be read), -ENOTSUP
 * nothing in it to trace, -ESRCH PROCESS has gone or runs another one by now, -EPERM / others the
 * kernel's answer.
 */
int executable__new(const struct kernel *kernel, const struct process *process, bool all_processes,
		    struct executable **out, struct why *why);

/*
 * Frees what libbpf keeps of programs that are loaded, ten megabytes for the libraries of a large
 * service, or of a load that failed. Nothing here needs it any more.
 */
void executable__forget_object(struct executable *e);

/* Puts the probes into PID's text (into everybody's with all_processes, the first time). */
int executable__attach(struct executable *e, const struct kernel *kernel, int pid, struct why *why);

/* Takes PID's own probes away again, if it has some. */
void executable__detach(struct executable *e, int pid);

/* Takes all probes away; executable__attach() puts them back. */
void executable__detach_all(struct executable *e);

/* Links must be closed or taken before; else they are closed one after the other. NULL is fine. */
void executable__free(struct executable *e);

#endif
