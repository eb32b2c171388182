/* SPDX-License-Identifier: Apache-2.0 */
/* privileges: by libcap-ng, whose state is this thread's capabilities. */
#include <cap-ng.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "privileges.h"

/* True if it is there to be kept. */
static bool keep(bool *kept, int capability)
{
	if (!capng_have_capability(CAPNG_PERMITTED, capability))
		return false;
	kept[capability] = true;
	return true;
}

/* Replaces libcap-ng's idea of all sets by KEPT. */
static void select_kept(const bool kept[static CAP_LAST_CAP + 1])
{
	int i;

	capng_clear(CAPNG_SELECT_BOTH);
	for (i = 0; i <= CAP_LAST_CAP; i++)
		if (kept[i])
			capng_update(CAPNG_ADD,
				     CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET, i);
}

int privileges__drop(unsigned uses)
{
	bool kept[CAP_LAST_CAP + 1] = { false };
	bool has_bpf, has_perfmon, may_bound;

	if (capng_get_caps_process())
		return -EIO;
	has_bpf = keep(kept, CAP_BPF);
	has_perfmon = keep(kept, CAP_PERFMON);
	keep(kept, CAP_SYS_PTRACE);
	keep(kept, CAP_DAC_READ_SEARCH);
	/* Container engines that do not know the two newer ones are given it in their place. */
	if (uses & (ATTACH_BY_PERF | WRITE_HEADERS) || !has_bpf || !has_perfmon)
		keep(kept, CAP_SYS_ADMIN);
	if (uses & SIGNAL_OTHERS)
		keep(kept, CAP_KILL);
	may_bound = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

	/* The bounding set first: the right to change it is among what goes. */
	select_kept(kept);
	if (may_bound && capng_apply(CAPNG_SELECT_BOUNDS))
		return -EPERM;
	select_kept(kept);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

static bool may_trace(void)
{
	return !capng_get_caps_process() &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_PTRACE);
}

const char *privileges__explain_denied(void)
{
	if (may_trace())
		return "in spite of CAP_SYS_PTRACE: another user namespace or a security module "
		       "forbids it";
	if (!geteuid())
		return "this needs CAP_SYS_PTRACE, which root lacks here, or no more capabilities in "
		       "them than we have";
	return "this needs CAP_SYS_PTRACE, or to run as root, or as their user with all "
	       "capabilities that they have";
}

void privileges__explain_process(int pid, char *line, size_t line_sz)
{
	const char *missing = geteuid() ? "missing CAP_SYS_PTRACE (or root)" :
					  "missing CAP_SYS_PTRACE, which root lacks here";
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st))
		snprintf(line, line_sz, "pid %d is gone, or hidden from us", pid);
	else if (may_trace())
		snprintf(line, line_sz,
			 "pid %d may not be looked at in spite of CAP_SYS_PTRACE: it is in another "
			 "user namespace, or a security module forbids it", pid);
	else if (st.st_uid != geteuid())
		snprintf(line, line_sz, "pid %d belongs to user %u: %s", pid, st.st_uid, missing);
	else
		snprintf(line, line_sz, "pid %d has capabilities that we lack, or hides its memory: %s",
			 pid, missing);
}
