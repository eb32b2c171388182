// SPDX-License-Identifier: Apache-2.0
/*
 * session: see session.h. What the kernel side tells it is in session_events.c, its executables in
 * session_executables.c, the waiting and the ending in session_end.c.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "memory.h"
#include "privileges.h"
#include "proc.h"
#include "semconv.h"
#include "session_state.h"

/* A service.instance.id that was given is good for one process. */
static void keep_instance_unique(struct session *s, struct target *target)
{
	for (struct tracee *t = s->tracees; t; t = t->next)
		if (!strcmp(t->target->instance_id, target->instance_id))
			target__derive_instance_id(target);
}

/* One name for several executables would make them one service. */
static void warn_of_own_name(struct session *s)
{
	const char *attributes = s->config->resource_attributes;
	bool named = s->config->own_service_name ||
		     (attributes && strstr(attributes, "service.name="));

	if (!named || s->config->service_name || s->own_name_warned)
		return;
	s->own_name_warned = true;
	log_warn("several executables are traced: OTEL_SERVICE_NAME and service.name of our own "
		 "environment are ignored (--service-name holds for all)");
}

/* Once: most users need not know, but who misses a parent on another machine will ask. */
static void tell_of_writing(struct session *s, const struct executable *e)
{
	if (!e->write_err || s->writing_told)
		return;
	s->writing_told = true;
	log_info("trace context cannot be written into outgoing requests here (%s): client and server spans "
		 "are joined only where this gospan traces both",
		 features__why_no_writing(&s->features));
}

static int trace_process(struct session *s, struct executable *e, struct process *process,
			 struct why *why)
{
	bool several = session__traces_others(s, e);
	struct target *target;
	struct tracee *t;
	int err = target__new(s->config, resolve__info(e->resolve), process, several, &target);

	if (err)
		return err;
	if (several)
		warn_of_own_name(s);
	keep_instance_unique(s, target);
	err = tracee__new(s->kernel, e, target, s->batch, &t, why);
	if (err)
		return err;
	t->next = s->tracees;
	s->tracees = t;
	s->traced_cnt++;
	session__stop_waiting(s);
	events__look_soon(s->events);
	return 0;
}

static void went_untraced(struct session *s, int pid)
{
	log__write(s->config->pid_cnt ? LOG_ERROR : LOG_DEBUG, "pid %d went before it was attached",
		   pid);
	s->went_cnt++;
}

static void attach_process(struct session *s, struct seen_exe *seen, int pid)
{
	struct executable *e = seen->executable;
	struct tracee *before = session__find_tracee(s, pid);
	struct process process = {};
	struct why why = {"out of memory"};

	if (s->settled || (before && !before->gone))
		return;
	seen->left_ns = 0;
	/* it may be gone, or another program, since it was found */
	if (process__read(pid, &process)) {
		went_untraced(s, pid);
	} else if (exe_id__equal(&process.exe, &e->id) && trace_process(s, e, &process, &why)) {
		if (proc__is_gone(pid)) {
			went_untraced(s, pid);
		} else {
			log_error("pid %d cannot be traced: %s", pid, why.text);
			s->failed_cnt++;
		}
	}
	process__clear(&process);
}

struct closing {
	struct losses losses;
	char who[128];
};

static void on_closed(void *ctx, const struct batch_counts *counts)
{
	struct closing *c = ctx;

	log_done(c->who, counts, &c->losses);
	free(c);
}

static void close_books(struct session *s, struct tracee *t)
{
	struct closing *c = calloc(1, sizeof(*c));

	if (!c) {
		tracee__free(t);
		return;
	}
	tracee__forget(t, s->kernel, &c->losses);
	losses__add(&s->losses, &c->losses);
	snprintf(c->who, sizeof(c->who), "pid %d service \"%.80s\": ", t->target->process.pid,
		 t->target->service_name);
	batch__close_resource(s->batch, t->resource, on_closed, c);
	tracee__free(t);
}

/* What those that are gone left in the ring is taken before their books are closed. */
static void reap(struct session *s)
{
	struct tracee **at = &s->tracees, *t;
	bool any = *at;

	events__drain(s->events);
	while ((t = *at)) {
		if (!t->gone) {
			at = &t->next;
			continue;
		}
		*at = t->next;
		close_books(s, t);
	}
	if (any && !s->tracees && !s->run && !s->ended)
		session__tell_waiting(s);
}

static void on_found(void *ctx, const struct process *p)
{
	struct session *s = ctx;
	struct seen_exe *seen = session__find_exe(s, &p->exe);
	struct tracee *before = session__find_tracee(s, p->pid);

	if (before && before->gone) /* else what is ended of it would be the new one's */
		reap(s);
	if (!seen)
		seen = session__add_exe(s, p);
	if (seen && seen->preparing)
		session__wait_for_exe(seen, p->pid);
	else if (seen && seen->executable)
		attach_process(s, seen, p->pid);
	else
		s->failed_cnt++; /* why was said of the executable's first process */
}

/* Nobody named this program: what a command starts, or a glob matches, need not be traceable. */
static bool is_by_the_way(const struct session *s, int err)
{
	bool by_glob = false;

	for (size_t i = 0; i < s->config->exes.cnt; i++)
		by_glob |= strpbrk(s->config->exes.at[i], "*?[") != NULL;
	return (err == -ENOEXEC || err == -ENOTSUP) &&
	       (s->config->command == COMMAND_RUN || by_glob);
}

/* CMD is held until its program is ready: traced, or found to be none that can be. */
static void resume_command(struct session *s)
{
	if (s->run && prepare__is_idle(s->prepare))
		run__resume(s->run);
}

/* Nobody was left to read it by: all that waited went, or became something else, which is found anew. */
static void leave_unprepared(struct session *s, struct seen_exe *seen)
{
	for (size_t i = 0; i < seen->waiting_cnt; i++)
		if (proc__is_gone(seen->waiting[i]))
			went_untraced(s, seen->waiting[i]);
	session__free_exe(seen);
}

static void on_prepared(void *ctx, const struct exe_id *id, struct executable *e, int err,
			const struct why *why)
{
	struct session *s = ctx;
	struct seen_exe *seen = session__find_exe(s, id);
	int first = seen->waiting_cnt ? seen->waiting[0] : 0;

	seen->preparing = false;
	seen->executable = e;
	if (prepare__is_idle(s->prepare))
		memory__rest();
	else
		memory__trim();
	if (err == -ESRCH && session__prepare_again(s, seen))
		return;
	if (err && (err == -ESRCH || is_by_the_way(s, err)))
		log_debug("pid %d is not traced: %s", first, why->text);
	else if (err)
		log_error("pid %d cannot be traced: %s", first, why->text);
	if (e)
		tell_of_writing(s, e);
	for (size_t i = 0; e && i < seen->waiting_cnt; i++)
		attach_process(s, seen, seen->waiting[i]);
	if (err == -ESRCH) {
		leave_unprepared(s, seen);
	} else {
		s->failed_cnt += e ? 0 : seen->waiting_cnt;
		seen->waiting_cnt = 0;
	}
	resume_command(s);
	session__look_for_end(s);
}

static void on_gone(void *ctx, int pid)
{
	struct session *s = ctx;
	struct tracee *t = session__find_tracee(s, pid);

	if (!t || t->gone)
		return;
	t->gone = true;
	t->execed_to = s->execed;
	loop__start_timer(s->reap, 0, 0);
}

static void on_reap(void *ctx)
{
	struct session *s = ctx;

	session__leave_exes(s); /* before anybody is told that the process has gone */
	reap(s);
	session__settle_exes(s);
	session__look_for_end(s);
}

static void on_sweep(void *ctx)
{
	struct session *s = ctx;

	discover__sweep(s->discover);
	session__settle_exes(s);
	session__look_for_end(s);
}

static void on_watch(void *ctx)
{
	struct session *s = ctx;

	session__warn_of_losses(s);
	session__look_at_output(s);
}

static int open_discovery(struct session *s)
{
	const struct discover_callbacks callbacks = {s, on_found, on_gone};
	int err = discover__new(s->config, &callbacks, &s->discover);

	if (!err)
		err = session__open_events(s);
	if (!err)
		err = loop__add_timer(s->loop, on_watch, s, &s->watch);
	if (!err)
		err = loop__add_timer(s->loop, on_reap, s, &s->reap);
	if (!err)
		err = prepare__new(s->kernel, s->loop, on_prepared, s, &s->prepare);
	if (!err)
		err = loop__add_timer(s->loop, on_sweep, s, &s->sweep);
	return err;
}

static int open_outputs(struct session *s)
{
	FILE *out = s->config->command == COMMAND_RUN ? stderr : stdout;
	int err = batch__new(s->config, s->loop, &s->batch);

	if (!err && s->config->console)
		err = console__new(s->config, s->loop, out, &s->console);
	return err;
}

/* After this, files of other users cannot be written: outputs are open by then. */
static void drop_privileges(const struct session *s)
{
	unsigned uses = 0;
	int err;

	if (!features__has(&s->features, FEATURE_UPROBE_MULTI))
		uses |= ATTACH_BY_PERF;
	if (s->run)
		uses |= SIGNAL_OTHERS;
	if (s->config->propagate_trace_context && !features__try_write())
		uses |= WRITE_HEADERS;
	err = privileges__drop(uses);
	if (err)
		log_debug("privileges: kept as they are: %s", strerror(-err));
}

static int check_features(struct session *s)
{
	char line[256];

	features__probe(&s->features);
	if (!features__explain(&s->features, line, sizeof(line))) {
		log_error("cannot trace here: %s", line);
		return -ENOTSUP;
	}
	return 0;
}

/* Each process takes a file, on old kernels each probe. What run started keeps the limit it came with. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_debug("the limit of open files stays as it is: %s", strerror(errno));
}

static int open_session(struct session *s)
{
	int err = loop__new(&s->loop);

	if (!err)
		err = session__open_signals(s);
	if (!err && s->config->command == COMMAND_RUN)
		err = run__start(s->config, &s->run);
	raise_file_limit();
	/* a thread that prepares an executable soon ends; room of its own would stay, unused */
	mallopt(M_ARENA_MAX, 1);
	if (!err)
		err = check_features(s);
	if (!err)
		err = kernel__new(s->config, &s->features, &s->kernel);
	if (!err)
		err = open_outputs(s);
	if (!err)
		err = open_discovery(s);
	return err;
}

/* Looks for the first time, lets CMD go, and waits. */
static int start(struct session *s)
{
	const uint64_t second_ns = 1000000000;
	/* that somebody listens on a port is told by nobody */
	bool told = kernel__tells_processes(s->kernel) && !s->config->port_cnt;
	uint64_t period_ns = told ? 5 * second_ns : second_ns;
	int err = 0;

	drop_privileges(s);
	if (s->run)
		err = discover__add_root(s->discover, run__pid(s->run));
	discover__sweep(s->discover);
	if (!err && s->run) {
		if (run__release(s->run)) {
			session__end(s, run__status(s->run));
			return 0;
		}
		discover__exec(s->discover, run__pid(s->run));
		resume_command(s);
	}
	loop__start_timer(s->sweep, period_ns, period_ns);
	loop__start_timer(s->watch, second_ns, second_ns);
	session__start_timers(s);
	session__look_for_end(s);
	return err;
}

static int do_without_tracing(struct session *s)
{
	if (s->config->command == COMMAND_SERVICE)
		return session__idle(s, 0);
	return s->config->command == COMMAND_RUN ? session__run_untraced(s) : 0;
}

int session__run(const struct config *config)
{
	struct session *s = calloc(1, sizeof(*s));
	int status;

	if (!s)
		return 1;
	s->config = config;
	if (config->sdk_disabled) {
		log_warn("OTEL_SDK_DISABLED is true: nothing is traced");
		status = do_without_tracing(s);
	} else if (config->command == COMMAND_SERVICE && !config->has_target) {
		log_error("nothing to trace is named: set OTEL_GO_AUTO_TARGET_EXE (a path, a name or a "
			  "glob) or OTEL_GO_AUTO_TARGET_PID");
		status = session__idle(s, 1);
	} else if (open_session(s) || start(s)) {
		status = session__cannot(s);
	} else {
		status = loop__run(s->loop);
	}
	session__free(s);
	return status < 0 ? 1 : status;
}
