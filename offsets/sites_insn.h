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
	uint8_t len;
	enum insn_flow flow;
	bool if_zero;	   /* a branch taken when the last comparison was equal (amd64 je) */
	bool if_not_zero;  /* ... was not (jne) */
	bool cheap;	   /* the kernel carries it out itself instead of stepping it */
	bool pushes_frame; /* amd64 push %rbp */
};

enum { HELD_SLOTS_MAX = 16 };

/* Where a call's results, one like the other, are still to be found on the path behind it. */
struct held {
	uint32_t registers;	       /* the architecture's own numbering */
	int64_t slots[HELD_SLOTS_MAX]; /* words on the stack: offsets from SP */
	int slot_cnt;
	bool in_flags; /* one of them was compared with zero last */
};

struct insn_set {
	enum site_cost cheap_cost;
	uint32_t drop_flag; /* for a probe on the stack check's branch: hits that are morestack's */
	uint8_t padding;    /* byte between functions */

	/* The instruction at OFF, which is less than CODE's size; -EINVAL when it does not decode.
	 */
	int (*decode)(const struct sites_code *code, size_t off, struct insn *out);

	/* Registers that the instruction may change, bits as in a NEEDED mask. */
	uint32_t (*writes)(const struct sites_code *code, const struct insn *insn);

	/*
	 * Where in a function's first bytes the branch to morestack is, when they are one of the
	 * stack checks that Go's assembler makes, bit by bit; -ENOENT otherwise.
	 */
	int (*stack_check)(const struct sites_code *code, size_t *branch_off);

	/*
	 * The call's return, with its results in the registers of the mask RESULTS; then, for each
	 * instruction of a path, what it does to them. NULL where nobody asks: see sites_flow.c.
	 */
	void (*hold)(struct held *held, uint32_t results);
	void (*track)(const struct sites_code *code, const struct insn *insn, struct held *held);

	/* Disassembles for a person, always terminated. */
	void (*print)(const struct sites_code *code, const struct insn *insn, char *buf,
		      size_t buf_sz);
};

extern const struct insn_set insn_set_amd64;
extern const struct insn_set insn_set_arm64;

/* The instruction at ADDR, -ENOENT when that is not among the first SIZE bytes of CODE. */
int insn__decode(const struct insn_set *set, const struct sites_code *code, size_t size,
		 uint64_t addr, struct insn *out);

/* Name of the function that INSN calls directly, or NULL; is it NAME? */
const char *insn__callee(const struct sites_code *code, const struct insn *insn);
bool insn__calls(const struct sites_code *code, const struct insn *insn, const char *name);

static inline uint64_t insn__next(const struct insn *insn)
{
	return insn->addr + insn->len;
}

/*
 * The RETs among the first SIZE bytes of CODE that are reached after a direct call of CALLEE
 * returned with zero in one of RESULTS (in any way, when that is 0), and not otherwise: sets their
 * bits in REACHED, a bit for each byte, in which other instructions may be set too. -ENOENT when
 * there is no such call or the bytes do not tell where paths lead (WHY), -ENOMEM.
 */
int sites_flow__behind(const struct insn_set *set, const struct sites_code *code, size_t size,
		       const char *callee, uint32_t results, uint8_t *reached, struct why *why);

#endif
