/* SPDX-License-Identifier: Apache-2.0 */
/* ps: the Go processes that can be seen, as a table. */
#ifndef GOSPAN_AGENT_PS_H
#define GOSPAN_AGENT_PS_H

#include "config.h"

#include <stdio.h>

/*
 * Prints to OUT pid, user, service, lowest listening port, Go version, which of PACKAGES (Go import
 * paths of what gospan can trace; NULL-terminated) are linked, whether an OpenTelemetry SDK is, and
 * the executable. Processes that may not be looked at are counted on stderr. 0 or -ENOMEM.
 */
int ps__print(const struct config *config, const char *const *packages, FILE *out);

/*
 * Pids and names of Go processes for a message, "4242 shop, 77 dockerd and 3 more"; returns how
 * many there are.
 */
size_t ps__summary(char *buf, size_t buf_sz);

#endif
