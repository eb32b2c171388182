/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_arm64: just as much of the A64 instruction set as sites needs, decoded by hand. Everything
 * is four bytes. Section and class names are the Arm Architecture Reference Manual's, C4.1.
 *
 * Which ones the kernel simulates: aarch64_insn_is_*() tests in
 * arch/arm64/kernel/probes/decode-insn.c, the same from 5.10 to 7.3 for those used here. (nop is
 * simulated since 6.13 only and ldr of a literal until 5.10 only, so they do not count.)
 */
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sites_insn.h"

static uint32_t word_at(const struct sites_code *code, size_t off)
{
	uint32_t word;

	memcpy(&word, code->bytes + off, sizeof(word));
	return le32toh(word);
}

/* Go src/cmd/compile/abi-internal.md, "arm64": R0 to R15 hold arguments and results, R28 g. */
static uint32_t register_bit(uint32_t reg)
{
	if (reg <= REG_8)
		return 1u << reg;
	return reg == 28 ? REG_BIT_G : 0;
}

static uint32_t field(uint32_t word, int low, int width)
{
	return word >> low & ((1u << width) - 1);
}

/* Bits LOW to LOW + WIDTH hold a signed count of instructions. */
static uint64_t branch_target(uint64_t addr, uint32_t word, int low, int width)
{
	int32_t count = (int32_t)(field(word, low, width) << (32 - width)) >> (32 - width);

	return addr + (uint64_t)((int64_t)count * 4);
}

/* "Loads and Stores". What is not told apart counts as writing every register it names. */
static uint32_t load_store_writes(uint32_t word)
{
	uint32_t rt = register_bit(field(word, 0, 5));
	uint32_t rn = register_bit(field(word, 5, 5));
	uint32_t rt2 = register_bit(field(word, 10, 5));
	uint32_t rs = register_bit(field(word, 16, 5));
	bool vector = field(word, 26, 1); /* rt and rt2 are no integer registers then */
	uint32_t class = field(word, 27, 3);

	if (class == 5) { /* pair: ldp, stp; the odd ones of bits 23 and 24 write rn back */
		uint32_t loaded = field(word, 22, 1) && !vector ? rt | rt2 : 0;

		return field(word, 23, 1) ? loaded | rn : loaded;
	}
	if (class == 7) { /* one register: opc 0 is a store */
		uint32_t loaded = field(word, 22, 2) && !vector ? rt : 0;
		bool unsigned_offset = field(word, 24, 1);
		uint32_t mode = field(word, 10, 2);

		if (unsigned_offset || (field(word, 21, 1) && mode == 2)) /* or register offset */
			return loaded;
		if (!field(word, 21, 1)) /* unscaled or unprivileged; post- or pre-indexed */
			return mode & 1 ? loaded | rn : loaded;
	}
	if (class == 3 && !field(word, 24, 1)) /* literal */
		return vector ? 0 : rt;
	return rt | rn | rt2 | rs; /* exclusive, atomic, vector structures, tags */
}

static uint32_t written_registers(uint32_t word)
{
	uint32_t group = field(word, 25, 4);

	if ((group & 5) == 4) /* x1x0 */
		return load_store_writes(word);
	if ((word & 0xfffff01f) == 0xd503201f) /* hints: nop, bti, ... */
		return 0;
	if (group >> 1 == 4 || (group & 7) == 5 || (group & 7) == 7 || word >> 24 == 0xd5)
		return register_bit(field(word, 0, 5)); /* data processing, mrs */
	return REG_BITS_ALL;				/* svc and what Go does not use */
}

static bool is_blr(uint32_t word)
{
	return (word & 0xfffffc1f) == 0xd63f0000;
}

/* adrp too */
static bool is_adr(uint32_t word)
{
	return (word & 0x1f000000) == 0x10000000;
}

/* What is no branch is left as FLOW_NEXT. */
static void decode_branch(uint32_t word, struct insn *insn)
{
	uint64_t addr = insn->addr;

	insn->cheap = true;
	if ((word & 0x7c000000) == 0x14000000) { /* b, bl */
		insn->flow = word >> 31 ? FLOW_CALL : FLOW_JUMP;
		insn->target = branch_target(addr, word, 0, 26);
	} else if ((word & 0xff000000) == 0x54000000 || /* b.cond; bit 4: bc.cond */
		   (word & 0x7e000000) == 0x34000000) { /* cbz, cbnz */
		insn->flow = FLOW_BRANCH;
		insn->cheap = word >> 24 != 0x54 || !(word & 16);
		insn->target = branch_target(addr, word, 5, 19);
	} else if ((word & 0x7e000000) == 0x36000000) { /* tbz, tbnz */
		insn->flow = FLOW_BRANCH;
		insn->target = branch_target(addr, word, 5, 14);
	} else if ((word & 0xfffffc1f) == 0xd65f0000) { /* ret */
		insn->flow = FLOW_RETURN;
	} else if ((word & 0xfffffc1f) == 0xd61f0000) { /* br */
		insn->flow = FLOW_LOST;
	} else if (!is_blr(word)) {
		if ((word & 0xfe000000) == 0xd6000000) /* braa and the like */
			insn->flow = FLOW_LOST;
		insn->cheap = is_adr(word);
	}
}

static int decode(const struct sites_code *code, size_t off, struct insn *out)
{
	struct insn insn = {.addr = code->addr + off, .len = 4};
	uint32_t word;

	if (off % 4 || code->size - off < 4)
		return -EINVAL;
	word = word_at(code, off);

	decode_branch(word, &insn);
	if (word >> 16 == 0 || (word & 0xffe0001f) == 0xd4200000) /* udf, brk */
		insn.flow = FLOW_TRAP;
	*out = insn;
	return 0;
}

static uint32_t writes(const struct sites_code *code, const struct insn *insn)
{
	uint32_t word = word_at(code, insn->addr - code->addr);

	if (insn->flow == FLOW_CALL || is_blr(word))
		return REG_BITS_ALL;
	if (is_adr(word))
		return register_bit(field(word, 0, 5));
	return insn->cheap ? 0 : written_registers(word); /* branches write none */
}

/* Steps over the next instruction if its bits under MASK are VALUE. */
static bool eat(const struct sites_code *code, size_t *at, uint32_t mask, uint32_t value)
{
	if (code->size - *at < 4 || (word_at(code, *at) & mask) != value)
		return false;
	*at += 4;
	return true;
}

/* x27 = N, as the assembler makes constants that fit no immediate */
static bool eat_constant(const struct sites_code *code, size_t *at)
{
	if (!eat(code, at, 0xff80001f, 0xd280001b) && /* movz */
	    !eat(code, at, 0xff80001f, 0x9280001b) && /* movn */
	    !eat(code, at, 0xff8003ff, 0xb20003fb))   /* orr x27,xzr,#N */
		return false;
	while (eat(code, at, 0xff80001f, 0xf280001b)) /* movk */
		;
	return true;
}

/*
 * Go src/cmd/internal/obj/arm64/obj7.go, stacksplit(): sp, or sp less a larger frame in x17, is
 * compared with g.stackguard0 in x16; then b.ls. Huge frames have a b.lo before it, for when the
 * subtraction wraps around.
 */
static int stack_check(const struct sites_code *code, size_t *branch_off)
{
	const uint32_t all = 0xffffffff;
	size_t at = 0;

	if (!eat(code, &at, all, 0xf9400b90)) /* ldr x16,[x28,#16] */
		return -ENOENT;
	if (eat(code, &at, 0xff8003ff, 0xd10003f1)) {	/* sub x17,sp,#N, in one or two parts */
		eat(code, &at, 0xff8003ff, 0xd1000231); /* sub x17,x17,#N */
	} else if (eat(code, &at, 0xff8003ff, 0xf10003f1) || /* subs x17,sp,#N; b.lo */
		   (eat_constant(code, &at) && eat(code, &at, all, 0xeb3b63f1))) {
		if (!eat(code, &at, 0xff00001f, 0x54000003))
			return -ENOENT;
	}

	if (!eat(code, &at, all, at == 4 ? 0xeb3063ff : 0xeb10023f)) /* cmp sp|x17,x16 */
		return -ENOENT;
	*branch_off = at;
	return eat(code, &at, 0xff00001f, 0x54000009) ? 0 : -ENOENT; /* b.ls */
}

static void print(const struct sites_code *code, const struct insn *insn, char *buf, size_t buf_sz)
{
	static const char *const condition[] = {"eq", "ne", "hs", "lo", "mi", "pl", "vs", "vc",
						"hi", "ls", "ge", "lt", "gt", "le", "al", "nv"};
	uint32_t word = word_at(code, insn->addr - code->addr);

	if (insn->flow == FLOW_CALL)
		snprintf(buf, buf_sz, "bl 0x%" PRIx64, insn->target);
	else if (insn->flow == FLOW_JUMP)
		snprintf(buf, buf_sz, "b 0x%" PRIx64, insn->target);
	else if (insn->flow == FLOW_BRANCH && word >> 24 == 0x54)
		snprintf(buf, buf_sz, "b.%s 0x%" PRIx64, condition[word & 15], insn->target);
	else if (insn->flow == FLOW_BRANCH)
		snprintf(buf, buf_sz, "%s%s %s%u, 0x%" PRIx64, word >> 25 & 1 ? "tb" : "cb",
			 word >> 24 & 1 ? "nz" : "z", word >> 31 ? "x" : "w", word & 31,
			 insn->target);
	else if (insn->flow == FLOW_RETURN)
		snprintf(buf, buf_sz, "ret");
	else if (is_adr(word))
		snprintf(buf, buf_sz, "%s x%u", word >> 31 ? "adrp" : "adr", word & 31);
	else
		snprintf(buf, buf_sz, ".inst 0x%08x", word);
}

const struct insn_set insn_set_arm64 = {
	.cheap_cost = SITE_SIMULATED,
	.drop_flag = SITE_DROP_LS,
	.padding = 0,
	.decode = decode,
	.writes = writes,
	.stack_check = stack_check,
	.print = print,
};
