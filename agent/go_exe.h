/* SPDX-License-Identifier: Apache-2.0 */
/* go_exe: what discovery must know of an executable before anybody decides to trace it. */
#ifndef GOSPAN_AGENT_GO_EXE_H
#define GOSPAN_AGENT_GO_EXE_H

#include "../offsets/buildinfo.h"

/*
 * Build info of /proc/PID/exe; release it with buildinfo__free(). -ENOEXEC not a Go program,
 * -ESRCH, -EACCES, -ENOMEM.
 */
int go_exe__read(int pid, struct buildinfo *out);

/* Receives or makes telemetry itself: tracing it would feed what we send back to us. */
bool go_exe__is_collector(const struct buildinfo *info);

#endif
