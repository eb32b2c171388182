/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover: a table of every process seen, so that each is judged once: when it appears, and again
 * when it has become another executable. A sweep reads /proc/PID/stat and the identity of
 * /proc/PID/exe for a process that is known.
 *
 * Between fork and exec a child runs its parent's executable. os/exec does that all the time, so
 * such a child is left alone until it has exec'ed or is a second old.
 */
#include "discover.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "go_exe.h"
#include "privileges.h"
#include "proc.h"
#include "wanted.h"

enum { ANCESTORS_MAX = 64 };

struct known {
	int pid;
	uint64_t start_time;
	struct exe_id exe; /* zeros: may not be seen */
	bool wanted;	   /* found() was called, gone() not yet */
	bool exited;	   /* the kernel said so, /proc does not yet */
	bool in_tree;	   /* descends from a root */
	unsigned round;	   /* of the last sweep that saw it */
	uint64_t judged_ns; /* CLOCK_BOOTTIME */
};

struct named_pid {
	int pid;
	uint64_t start_time;
	bool gone;
};

struct discover {
	const struct config *config;
	struct discover_callbacks callbacks;
	struct known *known; /* by pid, ascending */
	size_t known_cnt, known_cap;
	unsigned round;
	struct named_pid *named; /* config->pids */
	int *port_pids;		 /* who listens on config->ports; 0 nobody yet */
	int *roots;
	size_t root_cnt;
};

/* -- the table -- */

/* Place of PID in the table: its entry, or where one would go. */
static size_t find_place(const struct discover *d, int pid)
{
	size_t low = 0, high = d->known_cnt, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (d->known[middle].pid < pid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct known *find(const struct discover *d, int pid)
{
	size_t i = find_place(d, pid);

	return i < d->known_cnt && d->known[i].pid == pid ? &d->known[i] : NULL;
}

static struct known *insert(struct discover *d, int pid)
{
	size_t i = find_place(d, pid), cap = d->known_cap ? 2 * d->known_cap : 256;
	struct known *grown;

	if (d->known_cnt == d->known_cap) {
		grown = realloc(d->known, cap * sizeof(*grown));
		if (!grown)
			return NULL; /* the next sweep tries again */
		d->known = grown;
		d->known_cap = cap;
	}
	memmove(&d->known[i + 1], &d->known[i], (d->known_cnt - i) * sizeof(*d->known));
	d->known_cnt++;
	d->known[i] = (struct known){ .pid = pid };
	return &d->known[i];
}

/* The process is gone or another one now: whoever was told of it hears so. */
static void lose(struct discover *d, struct known *known, bool ended)
{
	bool was_wanted = known->wanted;
	size_t i;

	known->wanted = false;
	for (i = 0; i < d->config->port_cnt; i++) {
		if (d->port_pids[i] == known->pid)
			d->port_pids[i] = 0;
	}
	for (i = 0; ended && i < d->config->pid_cnt; i++) {
		if (d->named[i].pid == known->pid && d->named[i].start_time == known->start_time)
			d->named[i].gone = true;
	}
	if (was_wanted)
		d->callbacks.gone(d->callbacks.ctx, known->pid);
}

static void forget(struct discover *d, int pid)
{
	struct known *known = find(d, pid);
	size_t i;

	if (!known)
		return;
	lose(d, known, true);
	i = find_place(d, pid);
	memmove(&d->known[i], &d->known[i + 1], (d->known_cnt - i - 1) * sizeof(*d->known));
	d->known_cnt--;
}

/* -- what is wanted -- */

static bool is_root(const struct discover *d, int pid)
{
	size_t i;

	for (i = 0; i < d->root_cnt; i++) {
		if (d->roots[i] == pid)
			return true;
	}
	return false;
}

/*
 * Descends from a root: by its ancestors, or, when one of them ended before it was seen, by the
 * process group that the root leads.
 */
static bool is_in_tree(const struct discover *d, int pid, struct proc_stat stat)
{
	const struct known *known;
	int i;

	if (!d->root_cnt)
		return false;
	if (is_root(d, stat.pgrp))
		return true;
	for (i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		known = find(d, pid);
		if (is_root(d, pid) || (i && known && known->in_tree))
			return true;
		pid = stat.ppid;
		if (pid > 1 && proc__stat(pid, &stat))
			return false;
	}
	return false;
}

static bool is_named(const struct discover *d, const struct known *known)
{
	size_t i;

	for (i = 0; i < d->config->pid_cnt; i++) {
		if (d->named[i].pid == known->pid && d->named[i].start_time == known->start_time)
			return true;
	}
	return false;
}

static bool is_listener(const struct discover *d, int pid)
{
	size_t i;

	for (i = 0; i < d->config->port_cnt; i++) {
		if (d->port_pids[i] == pid)
			return true;
	}
	return false;
}

/* Wanted by a rule that leaves room for doubt: a Go program, if it MUST_BE_GO, and no collector. */
static bool passes(const struct process *p, bool must_be_go)
{
	struct buildinfo info;
	bool collector;

	if (go_exe__read(p->pid, &info))
		return !must_be_go;
	collector = go_exe__is_collector(&info);
	if (collector)
		log_info("discover: pid %d '%s' is a collector (%s): not traced unless named by "
			 "--pid or its exact path", p->pid, p->exe_path, info.module);
	buildinfo__free(&info);
	return !collector;
}

static bool is_wanted(const struct discover *d, const struct known *known, const struct process *p)
{
	enum exe_match match = wanted__by_exe(&d->config->exes, p);

	if (is_named(d, known) || match == EXE_BY_PATH)
		return true;
	if (match == EXE_BY_NAME || is_listener(d, p->pid))
		return passes(p, false);
	if (match == EXE_BY_GLOB || known->in_tree)
		return passes(p, true);
	return false;
}

static void log_denied(enum log_level level, int pid, const char *note)
{
	char why[160];

	privileges__explain_process(pid, why, sizeof(why));
	log__write(level, "discover: %s%s", why, note);
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Judges a process that is new, or new as this executable. */
static void consider(struct discover *d, struct known *known)
{
	struct process p;
	int err;

	known->judged_ns = boot_ns();
	err = process__read(known->pid, &p);
	if (err == -EACCES && wanted__by_command_line(&d->config->exes, known->pid))
		log_denied(LOG_WARN, known->pid, " (by its command line it is a target)");
	if (err)
		return;
	if (p.start_time == known->start_time && is_wanted(d, known, &p)) {
		known->wanted = true;
		d->callbacks.found(d->callbacks.ctx, &p);
	}
	process__clear(&p);
}

/* -- looking -- */

static bool is_new_fork(const struct proc_stat *stat, const struct exe_id *exe)
{
	struct exe_id parent;

	return boot_ns() / 1000000000 <= stat->start_time / sysconf(_SC_CLK_TCK) + 1 &&
	       !proc__exe_id(stat->ppid, &parent) && exe_id__equal(&parent, exe);
}

/* Looks at PID; EXECED: it has just become what it is. */
static void look(struct discover *d, int pid, bool execed)
{
	struct exe_id exe = {};
	struct proc_stat stat;
	struct known *known;

	if (pid == getpid())
		return;
	if (proc__stat(pid, &stat) || proc__exe_id(pid, &exe) == -ESRCH) {
		forget(d, pid);
		return;
	}
	known = find(d, pid);
	if (known && known->start_time == stat.start_time &&
	    (known->exited || exe_id__equal(&known->exe, &exe))) {
		known->round = d->round;
		return;
	}
	if (!known && !execed && exe.ino && is_new_fork(&stat, &exe))
		return;
	if (known)
		lose(d, known, known->start_time != stat.start_time);
	else
		known = insert(d, pid);
	if (!known)
		return;
	*known = (struct known){ .pid = pid, .start_time = stat.start_time, .exe = exe,
				 .round = d->round };
	known->in_tree = is_in_tree(d, pid, stat);
	consider(d, known);
}

static void look_once(void *ctx, int pid)
{
	look(ctx, pid, false);
}

static void look_at_ports(struct discover *d)
{
	struct known *known;
	size_t i;
	int pid;

	for (i = 0; i < d->config->port_cnt; i++) {
		if (d->port_pids[i])
			continue;
		pid = discover__listener(d->config->ports[i]);
		known = pid > 0 ? find(d, pid) : NULL;
		if (!known || known->exited)
			continue;
		d->port_pids[i] = pid;
		if (!known->wanted)
			consider(d, known);
	}
}

void discover__sweep(struct discover *d)
{
	size_t i = 0;
	int pid;

	d->round++;
	proc__each_pid(look_once, d);
	while (i < d->known_cnt) {
		pid = d->known[i].pid;
		if (d->known[i].round != d->round)
			forget(d, pid);
		else
			i++;
	}
	look_at_ports(d);
}

void discover__exec(struct discover *d, int pid)
{
	look(d, pid, true);
}

/* Wanted before, it is wanted as what it became, if that is the same file. */
static void find_again(struct discover *d, struct known *known)
{
	struct process p;

	known->judged_ns = boot_ns();
	if (process__read(known->pid, &p))
		return;
	if (p.start_time == known->start_time && exe_id__equal(&p.exe, &known->exe)) {
		d->callbacks.gone(d->callbacks.ctx, known->pid);
		d->callbacks.found(d->callbacks.ctx, &p);
	}
	process__clear(&p);
}

void discover__execed(struct discover *d, int pid, uint64_t time_ns)
{
	struct known *known = find(d, pid);

	if (known && known->wanted && known->judged_ns < time_ns)
		find_again(d, known);
	look(d, pid, true);
}

void discover__exit(struct discover *d, int pid)
{
	struct known *known = find(d, pid);

	if (!known)
		return;
	known->exited = true;
	lose(d, known, true);
}

int discover__add_root(struct discover *d, int pid)
{
	int *grown = realloc(d->roots, (d->root_cnt + 1) * sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	d->roots = grown;
	d->roots[d->root_cnt++] = pid;
	look(d, pid, true);
	return 0;
}

bool discover__exhausted(const struct discover *d)
{
	size_t i;

	if (d->config->exes.cnt || d->config->port_cnt)
		return false;
	for (i = 0; i < d->config->pid_cnt; i++) {
		if (!d->named[i].gone)
			return false;
	}
	for (i = 0; i < d->known_cnt; i++) {
		if (d->known[i].in_tree && !d->known[i].exited)
			return false;
	}
	return true;
}

/* -- the rest of the interface -- */

static void add_words(char *buf, size_t buf_sz, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void add_words(char *buf, size_t buf_sz, const char *format, ...)
{
	size_t len = strlen(buf);
	va_list args;

	if (len)
		len += snprintf(buf + len, buf_sz - len, ", ");
	if (len >= buf_sz)
		return;
	va_start(args, format);
	vsnprintf(buf + len, buf_sz - len, format, args);
	va_end(args);
}

void discover__describe(const struct discover *d, char *buf, size_t buf_sz)
{
	const struct config *c = d->config;
	const char *setting = c->command == COMMAND_SERVICE ? "OTEL_GO_AUTO_TARGET_EXE=" : "--exe ";
	size_t i;

	buf[0] = '\0';
	for (i = 0; i < c->pid_cnt; i++)
		add_words(buf, buf_sz, "pid %d", c->pids[i]);
	for (i = 0; i < c->exes.cnt; i++)
		add_words(buf, buf_sz, "%s'%s'", setting, c->exes.at[i]);
	for (i = 0; i < c->port_cnt; i++)
		add_words(buf, buf_sz, ":%u", c->ports[i]);
	for (i = 0; i < d->root_cnt; i++)
		add_words(buf, buf_sz, "pid %d and what it starts", d->roots[i]);
}

/* A named pid must be there from the start: nobody waits for a number. */
static int find_named(struct discover *d)
{
	struct process p;
	size_t i;
	int err;

	for (i = 0; i < d->config->pid_cnt; i++) {
		if (d->config->pids[i] == getpid()) {
			log_error("discover: pid %d is gospan itself", getpid());
			return -EINVAL;
		}
		err = process__read(d->config->pids[i], &p);
		if (err == -EACCES)
			log_denied(LOG_ERROR, d->config->pids[i], "");
		else if (err == -ENOEXEC)
			log_error("discover: pid %d has no executable: a kernel thread",
				  d->config->pids[i]);
		else if (err)
			log_err(err, "discover: pid %d", d->config->pids[i]);
		if (err)
			return err;
		d->named[i] = (struct named_pid){ .pid = p.pid, .start_time = p.start_time };
		process__clear(&p);
	}
	return 0;
}

int discover__new(const struct config *config, const struct discover_callbacks *callbacks,
		  struct discover **out)
{
	struct discover *d = calloc(1, sizeof(*d));
	int err = -ENOMEM;

	if (!d)
		return err;
	d->config = config;
	d->callbacks = *callbacks;
	d->named = calloc(config->pid_cnt + 1, sizeof(*d->named));
	d->port_pids = calloc(config->port_cnt + 1, sizeof(*d->port_pids));
	if (d->named && d->port_pids)
		err = find_named(d);
	if (err) {
		discover__free(d);
		return err;
	}
	*out = d;
	return 0;
}

void discover__free(struct discover *d)
{
	if (!d)
		return;
	free(d->known);
	free(d->named);
	free(d->port_pids);
	free(d->roots);
	free(d);
}
