/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites: where to put a probe so that it is cheap and fires exactly once.
 *
 * The kernel emulates push, jcc, jmp, call rel32 and one-byte nop; anything else is stepped out of
 * line at 15 times the price (x86-64). On arm64 b, b.cond, bl, cbz, tbz, adr and ret are simulated.
 * So every kind of site looks for such an instruction first, by decoding, never by assuming.
 *
 *   entry   Go >= 1.21: the push right after the stack check's jbe; older: the jbe itself, whose
 *           hits with CF or ZF set are morestack's and must be dropped (SITE_DROP_CF_ZF; arm64
 *           b.ls: taken when C clear or Z set, SITE_DROP_LS); no stack check: a push at +0;
 *           else the first byte, stepped.
 *   call    the direct call instruction(s) of a callee.
 *   after   the first emulated instruction that every path from the callee's return reaches with
 *           the NEEDED registers unwritten and that is reached from there only; else the return
 *           address itself, stepped.
 *   join    the same where other paths may join: the program must tell by the registers whether it
 *           is meant.
 *   return  every ret of the function, stepped on x86-64; there all but those that are reached
 *           after a CALLEE returned successfully, when one is named, and, where results tell success
 *           from failure, not otherwise.
 *
 * Pure: works on bytes, knows no ELF. Instruction lengths and operands by Zydis (amd64).
 */
#ifndef GOSPAN_OFFSETS_SITES_H
#define GOSPAN_OFFSETS_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "resolve.h"

enum site_kind { SITE_ENTRY, SITE_CALL, SITE_AFTER, SITE_RETURN, SITE_JOIN };

enum site_cost { SITE_EMULATED, SITE_STEPPED, SITE_SIMULATED };

enum site_flags {
	SITE_DROP_CF_ZF = 1 << 0, /* x86-64: ignore hits with CF or ZF set in flags */
	SITE_DROP_LS = 1 << 1,	  /* arm64: ignore hits with C clear or Z set in pstate */
	SITE_IS_RET = 1 << 2,	  /* the instruction is a plain ret: the program may emulate it */
};

/* Go's integer argument and result registers in ABIInternal order; bits of a NEEDED mask. */
enum site_reg { REG_0, REG_1, REG_2, REG_3, REG_4, REG_5, REG_6, REG_7, REG_8 };
/* amd64: AX BX CX DI SI R8 R9 R10 R11; arm64: R0 .. R8. Bit 31 of a mask means g (R14 / R28). */

struct site {
	enum site_kind kind;
	enum site_cost cost;
	uint32_t flags;
	uint64_t addr;
	uint8_t len;	      /* of the instruction */
	char instruction[48]; /* disassembled, for inspect */
};

struct sites_code {
	enum go_arch arch;
	const uint8_t *bytes;
	uint64_t addr; /* of bytes[0] = of the function */
	size_t size;
	/* name of the function that starts at ADDR, or NULL: recognises morestack and callees */
	const char *(*function_at)(void *ctx, uint64_t addr);
	void *ctx;
};

/*
 * Finds the sites of KIND in CODE: up to CAP of them into OUT, number found as the result.
 * CALLEE is the called function's name for SITE_CALL, SITE_AFTER and SITE_JOIN (every direct call counts),
 * for SITE_RETURN the one whose success is seen elsewhere or NULL, for SITE_ENTRY NULL. NEEDED is
 * the mask of registers that must still hold the results (SITE_AFTER) or of which one is zero after
 * a success (SITE_RETURN; 0: any return is one). In doubt every ret is found, and WHY says why.
 * -ENOENT nothing fits (WHY tells: "no direct call of X, probably inlined"), -E2BIG more than
 * CAP, -EINVAL bytes that do not decode.
 */
int sites__find(const struct sites_code *code, enum site_kind kind, const char *callee,
		uint32_t needed, struct site *out, size_t cap, struct why *why);

#endif
