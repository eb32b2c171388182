// SPDX-License-Identifier: Apache-2.0
/*
 * layout: what other tools attach besides the server's own function, for comparison with gospan's
 * way: a probe for each header line that is read, to find traceparent, and one for each goroutine
 * that is made, to know its parent. The work at a hit is as little as serves that purpose.
 */
#include "../../bpf/go.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct line_key {
	__u32 tgid;
	__u32 pad;
	__u64 goid;
};

struct line {
	__u8 text[72];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct line_key);
	__type(value, struct line);
} trace_parents SEC(".maps");

struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 4096);
	__type(key, struct line_key);
	__type(value, __u64);
} creators SEC(".maps");

const volatile __u16 goid_offset = 0; /* runtime.g.goid */

static __always_inline struct line_key goroutine_key(__u64 g)
{
	struct line_key key = {.tgid = bpf_get_current_pid_tgid() >> 32};

	key.goid = go_word(g + goid_offset);
	return key;
}

/* func (r *Reader) readContinuedLineSlice(...) ([]byte, error): a header line begins */
SEC("uprobe")
int line_entry(struct pt_regs *ctx)
{
	struct line_key key = goroutine_key(go_g(ctx));

	return bpf_map_lookup_elem(&trace_parents, &key) && 0;
}

/* ... and was read: AX, BX */
SEC("uprobe")
int line_return(struct pt_regs *ctx)
{
	const __u64 name = 0x7261706563617274; /* "tracepar" */
	struct line_key key;
	struct line line = {};
	__u64 len = go_arg(ctx, 1);

	if (len < sizeof(line.text) - 4 ||
	    bpf_probe_read_user(line.text, sizeof(line.text) - 8, (void *)go_arg(ctx, 0)))
		return 0;
	if ((*(__u64 *)line.text | 0x2020202020202020) != name)
		return 0;
	key = goroutine_key(go_g(ctx));
	bpf_map_update_elem(&trace_parents, &key, &line, BPF_ANY);
	return 0;
}

/* func newproc1(fn *funcval, callergp *g, ...) *g, on the system stack */
SEC("uprobe")
int goroutine_entry(struct pt_regs *ctx)
{
	struct line_key key = goroutine_key(go_arg(ctx, 1));
	__u64 none = 0;

	bpf_map_update_elem(&creators, &key, &none, BPF_ANY);
	return 0;
}

SEC("uprobe")
int goroutine_return(struct pt_regs *ctx)
{
	struct line_key key = goroutine_key(go_arg(ctx, 0));
	__u64 creator = go_g(ctx);

	bpf_map_update_elem(&creators, &key, &creator, BPF_ANY);
	return 0;
}
