/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover: which processes are wanted, and when they come and go.
 *
 * A sweep over /proc finds what runs now; later processes are announced by the kernel's
 * sched_process_exec / _exit events (agent/events) through discover__execed() and discover__exit(),
 * with a sweep each second as the fallback. Matching follows the commands' contract: pid, exe
 * pattern (with '/': the whole path as the target sees it, else the base name; globs), listening
 * port, descendants of a pid (run). Never ourselves, never a collector unless named by pid or exact
 * path.
 */
#ifndef GOSPAN_AGENT_DISCOVER_H
#define GOSPAN_AGENT_DISCOVER_H

#include "target.h"

struct discover;

/*
 * Called from within sweep, exec, exit and add_root. found() may have events taken, and so call exec: no
 * row of the table is held across it. gone() calls none of them.
 */
struct discover_callbacks {
	void *ctx;
	/* A wanted process is there; P is lent. Called once per (pid, start time, exe). */
	void (*found)(void *ctx, const struct process *p);
	/* It is gone, or it has exec'ed (then found() may follow). */
	void (*gone)(void *ctx, int pid);
};

/*
 * Logs and returns -ESRCH, -EACCES, -ENOEXEC, -EINVAL when a named pid is gone, not ours to see, a
 * kernel thread, gospan itself; -ENOMEM. CONFIG must outlive it. Nothing is found before the first
 * sweep.
 */
int discover__new(const struct config *config, const struct discover_callbacks *callbacks,
		  struct discover **out);
void discover__free(struct discover *d);

/* Looks through all of /proc: finds, and reports gone ones. */
void discover__sweep(struct discover *d);

/* PID has exec'ed / exited (thread group leaders, pids in our namespace). */
void discover__exec(struct discover *d, int pid);
void discover__exit(struct discover *d, int pid);

/*
 * The kernel says that it did at TIME_NS (CLOCK_BOOTTIME): its program begins anew, also if that is
 * the same file, unless it was found later than that.
 */
void discover__execed(struct discover *d, int pid, uint64_t time_ns);

/* Adds PID and, from now on, all its descendants to what is wanted (run). */
int discover__add_root(struct discover *d, int pid);

/* True when nothing that is wanted can still come: all named pids are gone, no pattern, no port. */
bool discover__exhausted(const struct discover *d);

/* What is waited for, for the "waiting" line: "--exe 'shop'", ":8080", "pid 4242". */
void discover__describe(const struct discover *d, char *buf, size_t buf_sz);

/* Quick test: is /proc/PID/exe a Go program (build info magic present)? Opens and maps it. */
bool discover__is_go(int pid);

/* Pid of the process that listens on TCP PORT in our network view, or -ENOENT / -EACCES. */
int discover__listener(unsigned port);

/* Lowest TCP port PID listens on, 0 if none or unknown. */
unsigned discover__port_of(int pid);

/* Calls FN for every process in /proc that we may look at. */
void discover__each_process(void (*fn)(void *ctx, const struct process *p), void *ctx);

#endif
