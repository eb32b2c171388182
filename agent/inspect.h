/* SPDX-License-Identifier: Apache-2.0 */
/* inspect: `gospan inspect`: what is in an executable and what would be probed; changes nothing. */
#ifndef GOSPAN_AGENT_INSPECT_H
#define GOSPAN_AGENT_INSPECT_H

#include <stdio.h>

#include "config.h"

/*
 * Prints a text, or with --json one object (design, Contracts), to OUT. Returns the exit status: 1
 * when the executable cannot be read, or one of --require would be off.
 */
int inspect__run(const struct config *config, FILE *out);

#endif
