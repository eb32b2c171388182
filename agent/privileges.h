/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileges: an agent that is attached needs little of what root can do: it gives the rest away,
 * so that a bug in what reads foreign data is worth less.
 */
#ifndef GOSPAN_AGENT_PRIVILEGES_H
#define GOSPAN_AGENT_PRIVILEGES_H

#include <stddef.h>

/* What else is kept, by what the agent still has to do. */
enum privilege_use {
	ATTACH_BY_PERF = 1 << 0, /* CAP_SYS_ADMIN: processes come later and uprobe_multi is missing */
	SIGNAL_OTHERS = 1 << 1,	 /* CAP_KILL: signals for a CMD that runs, or may make itself run, as another user */
	WRITE_HEADERS = 1 << 2,	 /* CAP_SYS_ADMIN: bpf_probe_write_user is for nobody else */
};

/*
 * Keeps CAP_BPF, CAP_PERFMON (to attach to processes that come later), CAP_SYS_PTRACE,
 * CAP_DAC_READ_SEARCH (to look at them) and what USES (enum privilege_use bits) asks for, as far as
 * they are there, and CAP_SYS_ADMIN if it stands in for one of the first two; drops all other
 * capabilities, from the bounding set too where allowed.
 * Capabilities belong to threads: call it when no other thread runs; later ones inherit.
 * Files of other users cannot be written any more after it. Negative errno.
 */
int privileges__drop(unsigned uses);

/*
 * Why process PID may not be looked at (-EACCES or -EPERM from its /proc entry), in one line:
 * "pid 42 belongs to user 1000: missing CAP_SYS_PTRACE (or root)".
 */
void privileges__explain_process(int pid, char *line, size_t line_sz);

/* The same of several: "this needs CAP_SYS_PTRACE, or ...". */
const char *privileges__explain_denied(void);

#endif
