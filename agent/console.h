/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console: spans in the terminal: a line a span, indented as a tree under its parent, shown at
 * most 250 ms after its end; a table over all requests at the end and on SIGUSR1.
 * Foreign text is escaped: nothing of a request reaches the terminal raw.
 */
#ifndef GOSPAN_AGENT_CONSOLE_H
#define GOSPAN_AGENT_CONSOLE_H

#include <stdio.h>

#include "config.h"
#include "loop.h"
#include "../otlp/span.h"

struct console;

/* Prints to OUT, past its buffer (stdout for trace, stderr for run). -ENOMEM. */
int console__new(const struct config *config, struct loop *loop, FILE *out, struct console **out_console);

/* A span ended. SPAN is lent; SERVICE is the target's service.name. */
void console__span(struct console *c, const char *service, const struct otlp_span *span);

/* A span that was not sampled, lent, for the table only: its name, kind, parent, times and status. */
void console__count(struct console *c, const struct otlp_span *span);

/* The table of routes over everything seen so far. */
void console__table(struct console *c);

/* Lines that OUT did not take, and why the first (negative errno; -EPIPE: `| head` went away). */
uint64_t console__lost(const struct console *c, int *err);

/* Prints what is held back. */
void console__flush(struct console *c);
void console__free(struct console *c);

#endif
