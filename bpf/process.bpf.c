// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * process: tells the agent of every exec and exit on the machine, so that a new target is found
 * within milliseconds; and tells where the agent itself stands among the pid namespaces.
 * Its programs are loaded once, into the instance that owns the shared maps.
 */
#include "pid.bpf.h"
#include "span.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 10);
} process_events SEC(".maps");

/* Where the agent is: agent_position, run by it for itself, finds out before the others are attached. */
__u32 found_pid_level = 0;
__u64 found_pid_namespace = 0;

__hidden int process_tell(enum record_type type, __u32 pid)
{
	struct process_record record = {.type = type, .pid = pid, .time_ns = bpf_ktime_get_boot_ns()};

	record.process = current_process(bpf_get_current_pid_tgid() >> 32);
	if (!pid)
		return 0;
	/* nobody is woken: that would cost every exec and exit on the machine 20 times as much */
	bpf_ringbuf_output(&process_events, &record, sizeof(record), BPF_RB_NO_WAKEUP);
	return 0;
}

static __always_inline int tell(enum record_type type)
{
	return process_tell(type, pid_in_namespace(found_pid_level, found_pid_namespace));
}

/* TP_PROTO(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm) */
SEC("raw_tp/sched_process_exec")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	return tell(RECORD_EXEC);
}

/*
 * TP_PROTO(struct task_struct *p, ...): the current task, a thread. The last one is the process's
 * end; its first one is not: exec from another thread ends that.
 */
SEC("raw_tp/sched_process_exit")
int process_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, signal, live.counter) ? 0 : tell(RECORD_EXIT);
}

/* Run once by BPF_PROG_TEST_RUN (5.10), in the agent's own context. */
SEC("raw_tp")
int agent_position(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	struct upid *at;

	found_pid_level = BPF_CORE_READ(pid, level);
	at = upid_at(task, found_pid_level);
	if (at)
		found_pid_namespace = (__u64)BPF_CORE_READ(at, ns);
	return 0;
}
