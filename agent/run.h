/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run: the command of `gospan run`. It is forked first and held back, so that tracing is ready
 * before it is exec'ed, and again behind exec, where it is a process that probes can be put into. It
 * leads a process group of its own, which gets the terminal if we have
 * it: ^C then reaches it alone, and once. What it inherits of ours is the three standard streams:
 * no capability, no blocked signal, no open file.
 */
#ifndef GOSPAN_AGENT_RUN_H
#define GOSPAN_AGENT_RUN_H

#include <stdbool.h>

#include "config.h"

struct run;

/* What a shell says of a command that it cannot start: run__status(). */
enum { STATUS_NOT_EXECUTABLE = 126, STATUS_NOT_FOUND = 127 };

/*
 * Forks for config->run_argv, as config->run_user if that is set. The child does nothing before
 * run__release(). Logs why and returns -ENOENT no such user, -EPERM, -ENOMEM or another errno of
 * fork. The caller blocks SIGCHLD (signalfd) before.
 */
int run__start(const struct config *config, struct run **out);

/* The child, and its process group. */
int run__pid(const struct run *run);

/*
 * Lets it exec, and waits until it has (some 100 us). It is stopped then, before its first
 * instruction, until run__resume(); where ptrace(2) is refused it runs on. 0; negative errno when the
 * command cannot be executed: it is logged, and run__status() is 127 (not found) or 126.
 */
int run__release(struct run *run);

/* Lets it run. Called again it does nothing. */
void run__resume(struct run *run);

/* On SIGCHLD: true once it has ended. A ^Z of the terminal stops us with it. */
bool run__reap(struct run *run);

/* Once run__reap() was true: its exit status, 128 + N for signal N. */
int run__status(const struct run *run);

/* Sends SIG to its process group. */
void run__signal(struct run *run, int sig);

/* Takes the terminal back. A child that was not released ends unseen. NULL is fine. */
void run__free(struct run *run);

#endif
