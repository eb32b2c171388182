/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session: one tracing run, from its start to its done lines: what discover finds is attached, what
 * events brings is assembled and handed to console and batch. Behind trace, run and the service.
 */
#ifndef GOSPAN_AGENT_SESSION_H
#define GOSPAN_AGENT_SESSION_H

#include "config.h"
#include "features.h"

/*
 * Traces until the configuration's end (--for, --count, all named processes gone), a signal, or
 * the end of CMD (run). Returns the exit status.
 */
int session__run(const struct config *config);

#endif
