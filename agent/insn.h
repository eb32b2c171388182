/* SPDX-License-Identifier: Apache-2.0 */
/*
 * insn: BPF instructions for the few programs of some lines that are written by hand, to try what
 * the kernel accepts. Everything else is compiled from bpf/.
 * Encoding: https://docs.kernel.org/bpf/standardization/instruction-set.html
 */
#ifndef GOSPAN_AGENT_INSN_H
#define GOSPAN_AGENT_INSN_H

#include <linux/bpf.h>

#define INSN(op, dst, src, offset, value)                                                          \
	((struct bpf_insn){ .code = (op), .dst_reg = (dst), .src_reg = (src), .off = (offset),     \
			    .imm = (value) })

#define INSN_MOVE(dst, src) INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define INSN_SET(dst, value) INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define INSN_ADD(dst, value) INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define INSN_LOAD(dst, src, offset) INSN(BPF_LDX | BPF_MEM | BPF_DW, dst, src, offset, 0)
#define INSN_STORE(dst, offset, src) INSN(BPF_STX | BPF_MEM | BPF_DW, dst, src, offset, 0)
#define INSN_STORE_32(dst, offset, src) INSN(BPF_STX | BPF_MEM | BPF_W, dst, src, offset, 0)
#define INSN_ATOMIC_ADD(dst, offset, src)                                                          \
	INSN(BPF_STX | BPF_ATOMIC | BPF_DW, dst, src, offset, BPF_ADD)
#define INSN_SKIP_IF_ZERO(src, cnt) INSN(BPF_JMP | BPF_JEQ | BPF_K, src, 0, cnt, 0)
#define INSN_CALL(helper) INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define INSN_EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Two instructions: the address of a map. */
#define INSN_MAP(dst, map_fd)                                                                      \
	INSN(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, map_fd), INSN(0, 0, 0, 0, 0)

#endif
