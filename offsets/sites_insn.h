/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_insn: what sites needs to know of one instruction, for each architecture (private to
 * sites).
 */
#ifndef GOSPAN_OFFSETS_SITES_INSN_H
#define GOSPAN_OFFSETS_SITES_INSN_H

#include "sites.h"

#define REG_BIT_G (1u << 31)
#define REG_BITS_ALL (~0u)

/* Where execution goes on. A call by pointer is FLOW_NEXT that may change every register. */
enum insn_flow {
	FLOW_NEXT,
	FLOW_BRANCH, /* to target or behind */
	FLOW_JUMP,   /* to target */
	FLOW_CALL,   /* direct */
	FLOW_RETURN,
	FLOW_LOST, /* a jump through a register or a table: the bytes do not tell where to */
	FLOW_TRAP, /* never goes on; also padding */
};

struct insn {
	uint64_t addr;
	uint64_t target; /* of a direct branch, jump or call, else 0 */
	uint32_t writes; /* registers that it may change, bits as in a NEEDED mask */
	uint8_t len;
	enum insn_flow flow;
	bool cheap;	   /* the kernel carries it out itself instead of stepping it */
	bool pushes_frame; /* amd64 push %rbp */
};

struct insn_set {
	enum site_cost cheap_cost;
	uint32_t drop_flag; /* for a probe on the stack check's branch: hits that are morestack's */
	uint8_t padding;    /* byte between functions */

	/* The instruction at OFF, which is less than CODE's size; -EINVAL when it does not decode.
	 */
	int (*decode)(const struct sites_code *code, size_t off, struct insn *out);

	/*
	 * Where in a function's first bytes the branch to morestack is, when they are one of the
	 * stack checks that Go's assembler makes, bit by bit; -ENOENT otherwise.
	 */
	int (*stack_check)(const struct sites_code *code, size_t *branch_off);

	/* Disassembles for a person, always terminated. */
	void (*print)(const struct sites_code *code, const struct insn *insn, char *buf,
		      size_t buf_sz);
};

extern const struct insn_set insn_set_amd64;
extern const struct insn_set insn_set_arm64;

#endif
