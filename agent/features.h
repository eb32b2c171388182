/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: what this kernel allows with these capabilities, found by trying: tiny BPF programs are
 * loaded, attached to functions of our own executable, and hit. Version numbers are not asked:
 * distributions backport, and containers and security modules forbid.
 */
#ifndef GOSPAN_AGENT_FEATURES_H
#define GOSPAN_AGENT_FEATURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum feature {
	FEATURE_BTF,		      /* /sys/kernel/btf/vmlinux is there to read */
	FEATURE_RING_BUFFER,	      /* 5.8 */
	FEATURE_ATTACH_COOKIE,	      /* a program that asks for its cookie loads, 5.15 */
	FEATURE_UPROBE_MULTI,	      /* many probes by one link, 6.6 */
	FEATURE_UPROBE_MULTI_PID,     /* its pid means the process: 6.6 to 6.9 took the thread */
	FEATURE_UPROBE_PERF,	      /* one probe by a perf event, and it fires */
	FEATURE_WRITE_REGS,	      /* a uprobe program may change registers, so emulate RET; 7.0 */
	FEATURE_WRITE_USER,	      /* bpf_probe_write_user loads: not under lockdown */
	FEATURE_EXEC_TRACEPOINTS,     /* raw tracepoints sched_process_exec and _exit */
	FEATURE_CNT,
};

struct features {
	int err[FEATURE_CNT];	/* 0: works; -ENODATA: not tried; else the kernel's answer */
	char release[65];	/* uname -r */
	char lockdown[16];	/* "none", "integrity", "confidentiality", "unknown": only to tell */
	uint64_t capabilities;	/* effective, bit = CAP_ number */
	bool is_root;		/* by user id: in a container that says little */
};

/*
 * Tries what tracing depends on: FEATURE_UPROBE_PERF only if uprobe_multi does not work, as
 * detaching it takes 110 ms, and not FEATURE_WRITE_USER, as old kernels log a warning at each load.
 */
void features__probe(struct features *out);

/* 0, or why FEATURE_WRITE_USER does not work: tried now, for programs that would write. */
int features__try_write(void);

/* Tries everything, for doctor. */
void features__probe_all(struct features *out);

static inline bool features__has(const struct features *f, enum feature feature)
{
	return !f->err[feature];
}

static inline bool features__has_capability(const struct features *f, int capability)
{
	return f->capabilities >> capability & 1;
}

/* Programs load, events arrive and probes can be attached one way or the other. */
bool features__can_trace(const struct features *f);

/* Where the kernel did not let us try FEATURE: what to do about it. NULL: it did. */
const char *features__advise_refused(const struct features *f, enum feature feature);

/* Why a program that writes into processes does not load. The kernel itself does not tell. */
const char *features__why_no_writing(const struct features *f);

/*
 * Why tracing cannot work, in one line without newline: the kernel or the capability that is
 * missing. Returns 0, or 1 and an empty LINE when tracing works.
 */
int features__explain(const struct features *f, char *line, size_t line_sz);

#endif
