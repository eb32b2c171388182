// SPDX-License-Identifier: Apache-2.0
/* session_executables: those that a session knows, and how long it keeps what it knows of them. */
#include <errno.h>
#include <stdlib.h>

#include "memory.h"
#include "proc.h"
#include "session_state.h"

/*
 * What no process runs any more is kept for a restart, which is attached at once then, but not for
 * long: its open file holds the file system of a container that may be gone. An executable that
 * cannot be traced takes no more than a row, which spares a second look and a second message.
 */
enum { IDLE_MAX = 8, REFUSED_MAX = 1024 };

static const uint64_t idle_ns = 600000000000;

struct seen_exe *session__find_exe(const struct session *s, const struct exe_id *id)
{
	struct seen_exe *seen = s->executables;

	while (seen && !exe_id__equal(&seen->id, id))
		seen = seen->next;
	return seen;
}

static int request(struct session *s, const struct process *p)
{
	/* a pattern means every process of the executable; a pid, a port or a child means this one */
	bool all = s->config->exes.cnt && !s->config->pid_cnt && !s->config->port_cnt &&
		   s->config->command != COMMAND_RUN;

	return prepare__request(s->prepare, p, all);
}

struct seen_exe *session__add_exe(struct session *s, const struct process *p)
{
	struct seen_exe *seen = calloc(1, sizeof(*seen));

	if (!seen || request(s, p)) {
		free(seen);
		return NULL;
	}
	seen->id = p->exe;
	seen->preparing = true;
	seen->next = s->executables;
	s->executables = seen;
	return seen;
}

void session__wait_for_exe(struct seen_exe *seen, int pid)
{
	int *waiting = reallocarray(seen->waiting, seen->waiting_cnt + 1, sizeof(*waiting));

	if (!waiting)
		return;
	seen->waiting = waiting;
	waiting[seen->waiting_cnt++] = pid;
}

static bool prepare_by(struct session *s, const struct seen_exe *seen, int pid)
{
	struct process p = {};
	int err = process__read(pid, &p);

	if (!err)
		err = exe_id__equal(&p.exe, &seen->id) ? request(s, &p) : -ESRCH;
	process__clear(&p);
	return !err;
}

bool session__prepare_again(struct session *s, struct seen_exe *seen)
{
	struct seen_exe **at = &s->executables;

	for (size_t i = 0; i < seen->waiting_cnt && !seen->preparing; i++)
		seen->preparing = prepare_by(s, seen, seen->waiting[i]);
	if (seen->preparing)
		return true;
	while (*at != seen)
		at = &(*at)->next;
	*at = seen->next;
	return false;
}

static bool has_tracees(const struct session *s, const struct executable *e)
{
	for (const struct tracee *t = s->tracees; t; t = t->next)
		if (t->executable == e)
			return true;
	return false;
}

static bool has_living_tracees(const struct session *s, const struct executable *e)
{
	for (const struct tracee *t = s->tracees; t; t = t->next)
		if (t->executable == e && !t->gone)
			return true;
	return false;
}

bool session__traces_others(const struct session *s, const struct executable *e)
{
	for (const struct seen_exe *seen = s->executables; seen; seen = seen->next)
		if (seen->executable != e && (seen->preparing || has_tracees(s, seen->executable)))
			return true;
	return false;
}

void session__free_exe(struct seen_exe *seen)
{
	executable__free(seen->executable);
	free(seen->waiting);
	free(seen);
}

/* Can no process of it come, or is one not to be expected? */
static bool is_over(const struct seen_exe *seen)
{
	return seen->executable && (!resolve__is_there(seen->executable->resolve) ||
				    loop__now_ns() - seen->left_ns > idle_ns);
}

/* They come to the front of the list. */
void session__leave_exes(struct session *s)
{
	struct seen_exe **at = &s->executables, *seen, *left = NULL, **end = &left;

	while ((seen = *at)) {
		if (seen->preparing || seen->left_ns || has_living_tracees(s, seen->executable)) {
			at = &seen->next;
			continue;
		}
		/*
		 * No process keeps the file from being written any more: probes that stayed would hit
		 * whatever a deploy puts in its place, and kill it.
		 */
		if (seen->executable)
			executable__detach_all(seen->executable);
		seen->left_ns = loop__now_ns();
		*at = seen->next;
		*end = seen;
		end = &seen->next;
	}
	*end = s->executables;
	s->executables = left;
}

void session__settle_exes(struct session *s)
{
	size_t idle_cnt = 0, refused_cnt = 0;
	struct seen_exe **at, *seen;
	bool any = false;

	session__leave_exes(s);
	at = &s->executables;
	while ((seen = *at)) {
		bool idle = !seen->preparing && !has_tracees(s, seen->executable);
		bool too_many = idle && (seen->executable ? ++idle_cnt > IDLE_MAX
							  : ++refused_cnt > REFUSED_MAX);

		if (!idle || (!too_many && !is_over(seen))) {
			at = &seen->next;
			continue;
		}
		if (seen->executable)
			log_debug("%s: no process runs it any more: forgotten", seen->executable->path);
		any = true;
		*at = seen->next;
		session__free_exe(seen);
	}
	if (any)
		memory__trim();
}
