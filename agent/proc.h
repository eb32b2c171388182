/* SPDX-License-Identifier: Apache-2.0 */
/* proc: what is read from /proc/PID. Everything there may be gone, partial or hostile. */
#ifndef GOSPAN_AGENT_PROC_H
#define GOSPAN_AGENT_PROC_H

#include <sys/stat.h>

#include "target.h"

struct proc_stat { /* proc_pid_stat(5) */
	char state;
	int ppid;
	int pgrp;
	uint64_t start_time; /* ticks since boot */
	bool kernel_thread;
};

/* The text of /proc/PID/stat. -EINVAL. */
int proc__parse_stat(const char *text, struct proc_stat *out);
/* -ESRCH: gone, a zombie too. */
int proc__stat(int pid, struct proc_stat *out);

/* Nobody has this pid, not even a zombie. */
bool proc__is_gone(int pid);

/* -ESRCH gone, -EACCES not ours, -ENOENT none (kernel threads, zombies). */
int proc__exe_id(int pid, struct exe_id *out);
struct exe_id exe_id__of(const struct stat *st);
bool exe_id__equal(const struct exe_id *a, const struct exe_id *b);

/*
 * Reads at most MAX bytes of /proc/PID/NAME (PID 0: /proc/NAME). *OUT is owned by the caller and
 * NUL-terminated behind its *LEN bytes. Negative errno.
 */
int proc__read(int pid, const char *name, size_t max, char **out, size_t *len);

/* Target of the link /proc/PID/NAME, owned by the caller. Negative errno. */
int proc__link(int pid, const char *name, char **out);

/* Value of variable NAME in ENVIRON (LEN bytes of NAME=VALUE, each with a NUL), or NULL. */
const char *environ__get(const char *environment, size_t len, const char *name);

/* CLOCK_REALTIME of the start of a process, ns. */
uint64_t proc__start_unix_ns(uint64_t start_time);

/* Calls FN for each process number in /proc, in ascending order as the kernel lists them. */
int proc__each_pid(void (*fn)(void *ctx, int pid), void *ctx);

#endif
