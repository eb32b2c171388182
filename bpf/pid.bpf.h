/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * pid: how processes are told apart, and how the agent numbers them. In a nested pid namespace (a sidecar's) that is another
 * number than the kernel's own, so the entry of the agent's namespace is read from struct pid.
 */
#ifndef GOSPAN_BPF_PID_H
#define GOSPAN_BPF_PID_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* A pid is below this: PID_MAX_LIMIT, include/linux/threads.h */
enum { PID_BITS = 22 };

/*
 * TGID, in the initial pid namespace, and above it how often it has exec'ed, as far as there is room:
 * what the program had before, goroutines with these numbers and objects at these addresses, is not
 * the same ones.
 */
static __always_inline __u32 current_process(__u32 tgid)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return tgid | (__u32)task->self_exec_id << PID_BITS;
}

/* TASK as the namespace at LEVEL sees it; NULL when it lies further out. */
static __always_inline struct upid *upid_at(struct task_struct *task, __u32 level)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return NULL;
	return (void *)pid + bpf_core_field_offset(struct pid, numbers) +
	       level * bpf_core_type_size(struct upid);
}

/* Pid of the current thread group in NAMESPACE (its kernel address), 0 when it is not in there. */
static __always_inline __u32 pid_in_namespace(__u32 level, __u64 namespace)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct upid *at = upid_at(BPF_CORE_READ(task, group_leader), level);

	if (!at || (__u64)BPF_CORE_READ(at, ns) != namespace)
		return 0;
	return BPF_CORE_READ(at, nr);
}

#endif
