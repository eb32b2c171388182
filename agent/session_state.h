/* SPDX-License-Identifier: Apache-2.0 */
/* session_state: what session.c and the other session_*.c share; for nobody else. */
#ifndef GOSPAN_AGENT_SESSION_STATE_H
#define GOSPAN_AGENT_SESSION_STATE_H

#include <signal.h>

#include "assemble.h"
#include "console.h"
#include "discover.h"
#include "events.h"
#include "log.h"
#include "prepare.h"
#include "run.h"
#include "session.h"
#include "tracee.h"

/* Every executable that was looked at, and its processes that wait until it is prepared. */
struct seen_exe {
	struct exe_id id;
	bool preparing;
	uint64_t left_ns; /* since when it has no process that is traced; 0: it has, or it was not looked */
	struct executable *executable; /* NULL: being prepared, or it cannot be traced */
	int *waiting;
	size_t waiting_cnt;
	struct seen_exe *next;
};

struct session {
	const struct config *config;
	struct features features;
	struct loop *loop;
	struct kernel *kernel;
	struct events *events;
	struct discover *discover;
	struct prepare *prepare;
	struct batch *batch;
	struct console *console;
	struct run *run;
	struct seen_exe *executables;
	struct tracee *tracees;
	uint32_t execed; /* what the process that is looked at has exec'ed to */
	struct build_span workbench;
	struct wall_clock clock;

	struct loop_timer *sweep, *waiting, *deadline, *settle, *reap, *watch;
	int signal_fd;
	bool ended;    /* the end is under way */
	bool settled;  /* the books are closed: nothing is taken any more */
	bool own_name_warned, writing_told, waiting_told;
	bool idle;     /* a service that found nothing to trace, which it has said */
	int status;
	uint64_t span_cnt, traced_cnt;
	uint64_t failed_cnt; /* wanted processes that could not be traced */
	uint64_t went_cnt;   /* those that ended before they were attached */
	uint64_t warned_ns, ended_ns;
	struct losses losses; /* of processes that are gone */
	struct failure_counts warned;
};

struct tracee *session__find_tracee(const struct session *s, int pid);

/* Spans and processes are taken from now on, whenever the loop runs. */
int session__open_events(struct session *s);

struct seen_exe *session__find_exe(const struct session *s, const struct exe_id *id);

/* The executable of P, seen for the first time: it is prepared; its processes wait. NULL: no memory. */
struct seen_exe *session__add_exe(struct session *s, const struct process *p);
void session__wait_for_exe(struct seen_exe *seen, int pid);

/*
 * The process by which SEEN was to be prepared had gone, or ran something else: by another one that waits
 * for it. False where there is none: then SEEN is off the list, for who comes next, and the caller's.
 */
bool session__prepare_again(struct session *s, struct seen_exe *seen);

/* Is another executable traced, or about to be? */
bool session__traces_others(const struct session *s, const struct executable *e);

/* Takes the probes out of executables whose last process has gone. */
void session__leave_exes(struct session *s);

/* The same, and frees those that no process is likely to run again. */
void session__settle_exes(struct session *s);
void session__free_exe(struct seen_exe *seen);

int session__open_signals(struct session *s);
void session__start_timers(struct session *s);

/* A process is traced: the waiting line is not due any more; with the first one --for begins. */
void session__stop_waiting(struct session *s);

/* Ends when everything that was named is gone. */
void session__look_for_end(struct session *s);

/* Detaches, tells, flushes; then the loop ends with STATUS. */
void session__end(struct session *s, int status);

/* --for or --count is over: ends with success. With run, CMD is ended, and its end is ours. */
void session__enough(struct session *s);

/* Ends when nobody reads stdout any more, or when it takes nothing and there is no other output. */
void session__look_at_output(struct session *s);

/* Losses of the kernel side, at most once a minute. */
void session__warn_of_losses(struct session *s);

/* Tracing is impossible (the reason was said): what the command does then; its exit status. */
int session__cannot(struct session *s);

/* run: starts CMD and waits for its end; its exit status. Signals that would end us are for it. */
int session__run_untraced(struct session *s);

/* Tells the service manager, if any, who is waited for. */
void session__tell_waiting(struct session *s);

/* Does nothing until a signal ends it. Returns STATUS, to a service manager 0: that asked for it. */
int session__idle(struct session *s, int status);

void session__free(struct session *s);

#endif
