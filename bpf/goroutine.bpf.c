// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * goroutine: whose probe it is, and whether that process is wanted; failures, counted for each
 * process. See span.bpf.h.
 */
#include "span.bpf.h"
#include "pid.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u32); /* pid in the agent's namespace */
	__type(value, struct failure_counts);
} failures SEC(".maps");

/* Processes to trace, when not every process of the executable is. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32); /* pid in the agent's namespace */
	__type(value, __u8);
} targets SEC(".maps");

/* Set by the agent; the defaults have the verifier see every path. */
const volatile __u8 only_targets = 1;
const volatile __u32 agent_pid_level = 1;
const volatile __u64 agent_pid_namespace = 0; /* kernel address */

/* src/runtime/runtime2.go */
GO_FIELD_NEEDED(all, runtime_g_goid, int, "runtime.g.goid");
GO_FIELD(runtime_g_m, pointer, "runtime.g.m");
GO_FIELD(runtime_m_curg, pointer, "runtime.m.curg");

static const struct failure_counts blank_counts;

/* The thread group's pid as the agent sees it, 0 when it cannot see it. */
static __always_inline __u32 pid_for_agent(__u32 tgid)
{
	/* level 0: the agent is in the initial namespace, where everybody has this one */
	return agent_pid_level ? pid_in_namespace(agent_pid_level, agent_pid_namespace) : tgid;
}

__weak int fail(__u32 pid, enum failure why)
{
	struct failure_counts *counts = bpf_map_lookup_elem(&failures, &pid);
	__u32 i = why;

	if (!counts) {
		bpf_map_update_elem(&failures, &pid, &blank_counts, BPF_NOEXIST);
		counts = bpf_map_lookup_elem(&failures, &pid);
		if (!counts) { /* more processes than rows: count against nobody */
			pid = 0;
			counts = bpf_map_lookup_elem(&failures, &pid);
		}
	}
	if (counts && i < FAIL_MAX)
		__sync_fetch_and_add(&counts->at[i], 1);
	return 0;
}

__weak __u64 goid_of(__u64 g)
{
	return g ? go_word(g + runtime_g_goid) : 0;
}

__weak __u64 goroutine_served(__u64 g0)
{
	__u64 machine;

	if (runtime_g_m == GO_ABSENT || runtime_m_curg == GO_ABSENT)
		return 0;
	machine = go_word(g0 + runtime_g_m);
	return machine ? go_word(machine + runtime_m_curg) : 0;
}

__weak int goroutine_at(__u64 g, struct goroutine *out)
{
	__u32 pid; /* on our own stack: to 6.1 a key must be that or a map's */
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (!out)
		return 1;
	out->process = current_process(tgid);
	out->pid = pid = pid_for_agent(tgid);
	if (!pid)
		return 1;
	if (only_targets && !bpf_map_lookup_elem(&targets, &pid))
		return 1;
	out->g = g;
	out->goid = 0;
	if (bpf_probe_read_user(&out->goid, sizeof(out->goid), (void *)g + runtime_g_goid)) {
		fail(pid, FAIL_NO_GOROUTINE);
		return 1;
	}
	return 0;
}

__hidden int goroutine_of_regs(struct pt_regs *ctx, struct goroutine *out)
{
	__builtin_memset(out, 0, sizeof(*out)); /* 6.1: a global function takes no memory unset */
	return goroutine_at(go_g(ctx), out);
}
