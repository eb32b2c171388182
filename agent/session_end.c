// SPDX-License-Identifier: Apache-2.0
/* session_end: how a session waits for processes, ends, and what it does when it cannot begin. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "notify.h"
#include "ps.h"
#include "session_state.h"
#include "uprobe.h"

enum {
	FLUSH_MS = 5000,
	SAME_SIGNAL_NS = 100000000,
};

enum { WAITING_MAX = 300 }; /* bytes of the text that says who is waited for */

static const uint64_t second_ns = 1000000000;

static void on_interrupt(struct session *s, int sig)
{
	if (s->ended && loop__now_ns() - s->ended_ns < SAME_SIGNAL_NS)
		return; /* sent to us and to our process group, as timeout(1) does */
	if (s->ended) { /* a second one: at once */
		log_warn("ended by a second signal; what was not sent is lost");
		_exit(s->run ? 128 + sig : 1);
	}
	if (s->run) {
		run__signal(s->run, sig); /* its end is ours */
		return;
	}
	session__end(s, 0);
}

static void on_signal(void *ctx, int fd, uint32_t events)
{
	struct session *s = ctx;
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGUSR1) {
			if (s->console)
				console__table(s->console);
		} else if (info.ssi_signo == SIGCHLD) {
			if (s->run && run__reap(s->run))
				session__end(s, run__status(s->run));
		} else {
			on_interrupt(s, info.ssi_signo);
		}
	}
}

static int block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int session__open_signals(struct session *s)
{
	s->signal_fd = block_signals();
	if (s->signal_fd < 0)
		return -errno;
	return loop__watch(s->loop, s->signal_fd, EPOLLIN, on_signal, s);
}

static bool is_attaching(const struct session *s)
{
	return !s->traced_cnt && !prepare__is_idle(s->prepare);
}

static void start_deadline(struct session *s)
{
	if (s->deadline && s->config->for_ns)
		loop__start_timer(s->deadline, s->config->for_ns, 0);
}

void session__enough(struct session *s)
{
	if (s->run)
		run__signal(s->run, SIGTERM);
	else
		session__end(s, 0);
}

static void on_deadline(void *ctx)
{
	struct session *s = ctx;

	if (!s->run && is_attaching(s))
		loop__start_timer(s->deadline, second_ns / 10, 0); /* its time begins when it is ready */
	else
		session__enough(s);
}

static void describe_waiting(const struct session *s, char *buf, size_t buf_sz)
{
	static const char waiting_for[] = "waiting for ";

	snprintf(buf, buf_sz, "%s", waiting_for);
	discover__describe(s->discover, buf + strlen(waiting_for), buf_sz - strlen(waiting_for));
}

void session__tell_waiting(struct session *s)
{
	char status[WAITING_MAX];

	describe_waiting(s, status, sizeof(status));
	notify__ready(status);
}

/* Who is waited for, and who could be seen instead. */
static void on_waiting(void *ctx)
{
	struct session *s = ctx;
	char waiting[WAITING_MAX], visible[256];
	size_t cnt;

	if (is_attaching(s)) {
		loop__start_timer(s->waiting, second_ns, 0);
		return;
	}
	cnt = ps__summary(visible, sizeof(visible));
	describe_waiting(s, waiting, sizeof(waiting));
	if (cnt)
		log_info("%s; Go processes visible: %s", waiting, visible);
	else
		log_info("%s; no Go process is visible (in a pod: shareProcessNamespace: true; "
			 "in Docker: --pid=host)", waiting);
	notify__ready(waiting);
	loop__start_timer(s->waiting, 60 * second_ns, 0);
	if (!s->waiting_told)
		start_deadline(s);
	s->waiting_told = true;
}

void session__start_timers(struct session *s)
{
	/* who gave us little time is told at once that there is nothing to trace in it; and what a
	 * service manager starts after us waits for that line */
	bool hurry = (s->config->for_ns || notify__is_wanted()) && !is_attaching(s);

	if (!loop__add_timer(s->loop, on_waiting, s, &s->waiting) && !s->traced_cnt && !s->run)
		loop__start_timer(s->waiting, hurry ? 0 : 5 * second_ns, 0);
	if (!loop__add_timer(s->loop, on_deadline, s, &s->deadline) && s->run)
		start_deadline(s);
}

void session__stop_waiting(struct session *s)
{
	if (s->waiting)
		loop__stop_timer(s->waiting);
	if (s->traced_cnt == 1 && !s->run)
		start_deadline(s);
}

/* Only named processes are wanted, and each is gone or cannot be traced. */
static bool nothing_can_come(const struct session *s)
{
	const struct config *c = s->config;

	if (discover__exhausted(s->discover))
		return true;
	return !c->exes.cnt && !c->port_cnt && c->pid_cnt &&
	       s->failed_cnt + s->went_cnt >= c->pid_cnt;
}

static const char idle_text[] = "idle, nothing is traced: the log says why";

/* The end of one who idles, else STATUS: to a service manager what it asked for is no failure. */
static int idle_status(int status)
{
	return notify__is_wanted() ? 0 : status;
}

void session__look_for_end(struct session *s)
{
	if (s->ended || s->tracees || s->run || !prepare__is_idle(s->prepare) ||
	    !nothing_can_come(s))
		return;
	if (s->traced_cnt || s->config->command != COMMAND_SERVICE) {
		session__end(s, s->traced_cnt ? 0 : 1);
		return;
	}
	if (s->idle)
		return;
	/* A sidecar that ended would be restarted, in vain, and take its pod down. */
	log_info("idle: nothing that could be traced is left");
	s->idle = true;
	s->status = idle_status(1);
	notify__ready(idle_text);
	if (s->waiting)
		loop__stop_timer(s->waiting);
}

/* trace --otlp-file - */
static bool writes_file_to_stdout(const struct session *s)
{
	const char *file = s->config->otlp_file;

	return s->config->command == COMMAND_TRACE && file && !strcmp(file, "-");
}

/* Has the reader of the pipe that stdout is gone away? */
static bool stdout_is_closed(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) > 0 && (out.revents & POLLERR);
}

void session__look_at_output(struct session *s)
{
	bool exports = s->config->otlp_wanted || s->config->otlp_file;
	int err = 0;

	if (s->console)
		console__lost(s->console, &err);
	else if (writes_file_to_stdout(s) && stdout_is_closed())
		err = -EPIPE;
	/* what run has started goes on: our part of its stderr is not its business; who stopped may go on */
	if (err && !s->run && (err == -EPIPE || (err != -ETIMEDOUT && !exports)))
		session__end(s, 0);
}

/* What was not shown; a failure, unless the reader had enough. */
static void tell_console_losses(struct session *s)
{
	int err;
	unsigned long long lines = console__lost(s->console, &err);

	if (!err)
		return;
	log__write(err == -EPIPE ? LOG_INFO : LOG_ERROR, "console: %llu line%s could not be written: %s",
		   lines, lines == 1 ? "" : "s", err == -ETIMEDOUT ? "nobody read them" : strerror(-err));
	if (err != -EPIPE && !s->run && !s->status)
		s->status = 1;
}

static void close_links(struct session *s)
{
	size_t cnt = 0, n = 0;
	int *fds;

	for (struct seen_exe *e = s->executables; e; e = e->next)
		cnt += e->executable ? e->executable->links.cnt : 0;
	fds = calloc(cnt + 1, sizeof(*fds));
	if (!fds)
		return; /* they are closed one after the other then */
	for (struct seen_exe *e = s->executables; e; e = e->next)
		if (e->executable)
			n += links__take(&e->executable->links, fds + n, cnt - n);
	uprobe__close_all(fds, n);
	free(fds);
}

/* What is known now about everything that was lost; the batch knows the rest. */
static void count_losses(struct session *s)
{
	struct losses lost;

	for (struct tracee *t = s->tracees; t; t = t->next) {
		tracee__forget(t, s->kernel, &lost);
		losses__add(&s->losses, &lost);
	}
	memset(&lost, 0, sizeof(lost));
	kernel__failures(s->kernel, 0, &lost.failures);
	lost.unfinished = kernel__forget_all(s->kernel);
	losses__add(&s->losses, &lost);
}

static void tell_of_none(const struct session *s)
{
	if (s->run && run__status(s->run) >= STATUS_NOT_EXECUTABLE)
		return; /* why was said */
	if (s->run)
		log_info("done: nothing was traced: no Go program was started, or none that lived long enough");
	else if (!s->went_cnt)
		log_info("done: nothing was traced: no process came that was asked for");
	else
		log_info("done: nothing was traced: what was asked for came (%llu process%s), and ended before "
			 "the probes were in it (gospan run -- CMD holds CMD back until they are)",
			 (unsigned long long)s->went_cnt, s->went_cnt == 1 ? "" : "es");
}

static void on_flushed(void *ctx)
{
	struct session *s = ctx;
	struct batch_counts counts = batch__counts(s->batch);

	if (writes_file_to_stdout(s) && counts.dropped[BATCH_FAILED] && !s->config->otlp_wanted &&
	    !stdout_is_closed() && !s->status)
		s->status = 1;
	if (s->traced_cnt || counts.produced)
		log_done("", &counts, &s->losses);
	else if (!s->failed_cnt)
		tell_of_none(s);
	loop__stop(s->loop, s->status);
}

static void on_settled(void *ctx)
{
	struct session *s = ctx;

	close_links(s);
	if (s->events)
		events__drain_last(s->events); /* what is in the ring was produced */
	s->settled = true;
	session__warn_of_losses(s);
	count_losses(s);
	if (s->console) {
		console__flush(s->console);
		console__table(s->console);
		tell_console_losses(s);
	}
	batch__flush(s->batch, FLUSH_MS, on_flushed, s);
}

/* May be called from any callback: the work is done in one of its own. */
void session__end(struct session *s, int status)
{
	if (s->ended)
		return;
	s->ended = true;
	s->ended_ns = loop__now_ns();
	if (!s->status)
		s->status = status;
	notify__stopping();
	if (loop__add_timer(s->loop, on_settled, s, &s->settle))
		loop__stop(s->loop, 1);
	else
		loop__start_timer(s->settle, 0, 0);
}

void session__warn_of_losses(struct session *s)
{
	struct failure_counts now = {}, one;

	if (s->warned_ns && loop__now_ns() - s->warned_ns < 60 * second_ns)
		return;
	for (struct tracee *t = s->tracees; t; t = t->next) {
		kernel__failures(s->kernel, t->target->process.pid, &one);
		for (int i = 0; i < FAIL_MAX; i++)
			now.at[i] += one.at[i];
	}
	for (int i = 0; i < FAIL_MAX; i++)
		now.at[i] += s->losses.failures.at[i];
	if (warn_of_losses(&now, &s->warned))
		s->warned_ns = loop__now_ns();
}

/* Waits for a signal; 0 if it was none that asks for our end. At END_NS, unless 0, that is asked. */
static int wait_for_signal(int fd, uint64_t end_ns)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	struct signalfd_siginfo info;
	uint64_t now_ns = loop__now_ns(), left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
	struct timespec left = {.tv_sec = left_ns / second_ns, .tv_nsec = left_ns % second_ns};

	if (!ppoll(&poll_fd, 1, end_ns ? &left : NULL, NULL))
		return SIGTERM;
	if (read(fd, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGCHLD ||
	    info.ssi_signo == SIGUSR1)
		return 0;
	return info.ssi_signo;
}

static bool has_signals(struct session *s)
{
	if (s->signal_fd <= 0)
		s->signal_fd = block_signals();
	return s->signal_fd > 0;
}

int session__idle(struct session *s, int status)
{
	if (!has_signals(s))
		return 1;
	log_info("idle: a restart would not help; waiting to be ended");
	notify__ready(idle_text);
	while (!wait_for_signal(s->signal_fd, 0))
		;
	notify__stopping();
	return idle_status(status);
}

int session__run_untraced(struct session *s)
{
	uint64_t end_ns = 0;
	int err = 0, sig;

	if (!has_signals(s) || (!s->run && run__start(s->config, &s->run)))
		return 1;
	log_warn("running the command without tracing it");
	err = run__release(s->run);
	run__resume(s->run);
	if (s->config->for_ns)
		end_ns = loop__now_ns() + s->config->for_ns;
	while (!err && !run__reap(s->run)) {
		sig = wait_for_signal(s->signal_fd, end_ns);
		if (sig)
			run__signal(s->run, sig);
		if (end_ns && loop__now_ns() >= end_ns)
			end_ns = 0; /* it has been told */
	}
	return run__status(s->run);
}

int session__cannot(struct session *s)
{
	if (s->config->command == COMMAND_SERVICE)
		return session__idle(s, 1);
	if (s->run && s->config->best_effort)
		return session__run_untraced(s);
	return 1;
}

void session__free(struct session *s)
{
	struct tracee *t;
	struct seen_exe *e;

	run__free(s->run);
	console__free(s->console);
	prepare__free(s->prepare);
	batch__free(s->batch);
	events__free(s->events);
	discover__free(s->discover);
	while ((t = s->tracees)) {
		s->tracees = t->next;
		tracee__free(t);
	}
	while ((e = s->executables)) {
		s->executables = e->next;
		session__free_exe(e);
	}
	kernel__free(s->kernel);
	if (s->signal_fd > 0)
		close(s->signal_fd);
	loop__free(s->loop);
	free(s);
}
