/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_amd64: what the two files about x86-64 instructions share (private to sites).
 */
#ifndef GOSPAN_OFFSETS_SITES_AMD64_H
#define GOSPAN_OFFSETS_SITES_AMD64_H

#include <Zydis/Zydis.h>

#include "sites_insn.h"

/* The instruction at OFF with all of its ZYDIS_MAX_OPERAND_COUNT operands; -EINVAL. */
int amd64__decode(const struct sites_code *code, size_t off, ZydisDecodedInstruction *raw,
		  ZydisDecodedOperand *operands);

/* The 64-bit register that REG is a part of. */
ZydisRegister amd64__whole(ZydisRegister reg);

/* sites_track_amd64.c: struct insn_set's */
void amd64__hold(struct held *held, uint32_t results);
void amd64__track(const struct sites_code *code, const struct insn *insn, struct held *held);

#endif
