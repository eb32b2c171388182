/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_output: where the console prints. A stream of our own over the real one, as stdio neither
 * tells how much of its buffer was lost nor forgets it: a full disk would be written to again and
 * again. Lines that do not arrive are counted, with the reason of the last.
 */
#ifndef GOSPAN_AGENT_CONSOLE_OUTPUT_H
#define GOSPAN_AGENT_CONSOLE_OUTPUT_H

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>

struct output {
	FILE *stream; /* print here; never fails */
	FILE *target;
	uint64_t lost_lines;
	int err; /* of the last loss, negative errno: -ETIMEDOUT when nobody read; -EPIPE stays; 0: none */
	atomic_bool stalled; /* nobody reads: lines are lost without more waiting until somebody does */
};

/* TARGET stays the caller's and must have nothing buffered. OUTPUT must not move. -ENOMEM. */
int output__open(struct output *output, FILE *target);
void output__flush(struct output *output);
/* Zeroed ones are fine. */
void output__close(struct output *output);

#endif
