/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: two pipes, both closed by exec. The child waits for a byte on the first (end of file: we are
 * gone, so it goes too) and says on the second why it could not exec; end of file there means that
 * it did.
 *
 * We are its tracer (ptrace(2)) up to then: the kernel stops it at the end of exec, when the new
 * program is in place and has not run a single instruction. Should we die meanwhile, it goes on: that
 * is why it is PTRACE_SEIZE, whose stop leaves no SIGTRAP behind.
 */
#include "run.h"
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct user {
	const char *name; /* NULL: a number nobody has, without further groups */
	const char *home;
	uid_t uid;
	gid_t gid;
};

struct run {
	char *const *argv;
	int pid;
	int go_fd;     /* write: start */
	int failed_fd; /* read: errno of the child's exec */
	bool seized; /* we are its tracer */
	bool ended;
	bool has_terminal;
	int status;
};

/* By name, else by number. The result's strings are libc's until the next look-up. */
static int find_user(const char *text, struct user *out)
{
	struct passwd *entry = getpwnam(text);
	unsigned long number;
	char *end;

	number = strtoul(text, &end, 10);
	if (!entry && *text >= '0' && *text <= '9' && !*end && number < (uid_t)-1) {
		entry = getpwuid(number);
		if (!entry) {
			*out = (struct user){ .uid = number, .gid = number };
			return 0;
		}
	}
	if (!entry)
		return log_err(-ENOENT, "run: no user '%s'", text);
	*out = (struct user){ .name = entry->pw_name, .home = entry->pw_dir, .uid = entry->pw_uid,
			      .gid = entry->pw_gid };
	return 0;
}

/* -- in the child: async-signal-safe as far as it matters, since gospan has one thread here -- */

static int become(const struct user *user)
{
	int err;

	err = user->name ? initgroups(user->name, user->gid) : setgroups(0, NULL);
	if (err || setresgid(user->gid, user->gid, user->gid) ||
	    setresuid(user->uid, user->uid, user->uid))
		return -errno;
	if (!user->name)
		return 0;
	if (setenv("HOME", user->home, 1) || setenv("USER", user->name, 1) ||
	    setenv("LOGNAME", user->name, 1))
		return -ENOMEM;
	return 0;
}

/*
 * What exec would hand on to a command of an ordinary user are the ambient capabilities and those
 * inheritable ones that its file asks for (capabilities(7)). Root's command is root's, as ever.
 */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int i;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	    syscall(SYS_capget, &header, data))
		return -errno;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		data[i].inheritable = 0;
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static void reset_signals(void)
{
	sigset_t none;

	/* exec resets handlers; what gospan itself ignores or blocks is left */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGTTOU, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void __attribute__((noreturn))
be_child(char *const *argv, const struct user *user, int go_fd, int failed_fd)
{
	char go;
	int err;

	setpgid(0, 0);
	if (read(go_fd, &go, 1) != 1)
		_exit(STATUS_NOT_EXECUTABLE);
	reset_signals();
	err = user ? become(user) : 0;
	if (!err)
		err = drop_capabilities();
	if (!err) {
		execvp(argv[0], argv);
		err = -errno;
	}
	if (write(failed_fd, &err, sizeof(err)) != sizeof(err))
		_exit(STATUS_NOT_FOUND); /* nobody listens any more */
	_exit(err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE);
}

/* -- in the agent -- */

int run__start(const struct config *config, struct run **out)
{
	int go[2] = { -1, -1 }, failed[2] = { -1, -1 }, err = 0;
	struct run *run = calloc(1, sizeof(*run));
	struct user user;

	if (!run)
		return -ENOMEM;
	if (config->run_user)
		err = find_user(config->run_user, &user);
	if (!err && (pipe2(go, O_CLOEXEC) || pipe2(failed, O_CLOEXEC)))
		err = log_err(-errno, "run: failed to make a pipe");
	if (err)
		goto cleanup;
	run->pid = fork();
	if (run->pid < 0) {
		err = log_err(-errno, "run: failed to fork");
		goto cleanup;
	}
	if (!run->pid) {
		close(go[1]);
		be_child(config->run_argv, config->run_user ? &user : NULL, go[0], failed[1]);
	}
	setpgid(run->pid, run->pid); /* here too: whoever comes first */
	/* now: it still has our capabilities, and we have not dropped any */
	run->seized = !ptrace(PTRACE_SEIZE, run->pid, NULL, (void *)PTRACE_O_TRACEEXEC);
	if (!run->seized)
		log_debug("run: the command cannot be held back until it is traced: %s",
			  strerror(errno));
	run->argv = config->run_argv;
	run->go_fd = go[1];
	run->failed_fd = failed[0];
	go[1] = failed[0] = -1;
	*out = run;
	run = NULL;
cleanup:
	if (go[0] >= 0)
		close(go[0]);
	if (go[1] >= 0)
		close(go[1]);
	if (failed[0] >= 0)
		close(failed[0]);
	if (failed[1] >= 0)
		close(failed[1]);
	free(run);
	return err;
}

int run__pid(const struct run *run)
{
	return run->pid;
}

/* Makes PGRP the one that the terminal's keys and input go to. */
static void give_terminal(int pgrp)
{
	sigset_t ttou, old;

	/* a background process may do this only with SIGTTOU blocked (tcsetpgrp(3)) */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &old);
	tcsetpgrp(STDIN_FILENO, pgrp);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

static void end(struct run *run, int status)
{
	run->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	run->ended = true;
}

/* Until the child has exec'ed and is stopped there, if we are its tracer, or has ended. */
static void wait_for_exec_or_end(struct run *run)
{
	int status, sig;

	while (!run->ended) {
		if (waitpid(run->pid, &status, 0) < 0) {
			if (errno == EINTR)
				continue;
			run->ended = true;
		} else if (!WIFSTOPPED(status)) {
			end(run, status);
		} else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
			return;
		} else { /* a signal came before; it is the child's, and a stop is not waited out */
			sig = status >> 16 ? 0 : WSTOPSIG(status);
			ptrace(PTRACE_CONT, run->pid, NULL, (void *)(long)sig);
		}
	}
}

int run__release(struct run *run)
{
	int err = 0;
	ssize_t n;

	run->has_terminal = tcgetpgrp(STDIN_FILENO) == getpgrp();
	if (run->has_terminal)
		give_terminal(run->pid);
	if (write(run->go_fd, "", 1) != 1)
		err = -errno; /* somebody killed it: run__reap() tells */
	close(run->go_fd);
	run->go_fd = -1;
	if (err)
		return log_err(err, "run: failed to start '%s'", run->argv[0]);
	if (run->seized)
		wait_for_exec_or_end(run);
	do
		n = read(run->failed_fd, &err, sizeof(err));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(err))
		return 0;
	wait_for_exec_or_end(run);
	run->status = err == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
	if (err == -ENOENT)
		log_error("run: '%s': command not found", run->argv[0]);
	else
		log_err(err, "run: failed to start '%s'", run->argv[0]);
	return err;
}

void run__resume(struct run *run)
{
	if (run->seized && !run->ended)
		ptrace(PTRACE_DETACH, run->pid, NULL, NULL);
	run->seized = false;
}

/* The terminal's ^Z reached the command alone: let the shell see its whole job stopped. */
static void stop_together(struct run *run)
{
	if (!run->has_terminal)
		return;
	give_terminal(getpgrp());
	kill(getpid(), SIGSTOP);
	/* here the shell has continued us */
	give_terminal(run->pid);
	run__signal(run, SIGCONT);
}

bool run__reap(struct run *run)
{
	int status, pid;

	while (!run->ended && (pid = waitpid(run->pid, &status, WNOHANG | WUNTRACED)) != 0) {
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			break;
		if (WIFSTOPPED(status)) {
			stop_together(run);
			continue;
		}
		end(run, status);
	}
	return run->ended;
}

int run__status(const struct run *run)
{
	return run->status;
}

void run__signal(struct run *run, int sig)
{
	if (!run->ended && kill(-run->pid, sig) && errno == EPERM)
		log_warn("run: pid %d does not take our signals: it runs as another user", run->pid);
}

void run__free(struct run *run)
{
	if (!run)
		return;
	if (run->go_fd >= 0) {
		close(run->go_fd);
		wait_for_exec_or_end(run);
	}
	run__resume(run);
	close(run->failed_fd);
	if (run->has_terminal)
		give_terminal(getpgrp());
	free(run);
}
