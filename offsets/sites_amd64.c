/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_amd64: x86-64 instructions, decoded by Zydis (4.0 and 4.1 have the same interface for what
 * is used here).
 *
 * Which ones the kernel emulates: branch_setup_xol_ops() and push_setup_xol_ops() in
 * arch/x86/kernel/uprobes.c, the same from 5.10 to 7.3. Longer nops are emulated too, but since
 * 6.16 only, so they do not count.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <Zydis/Zydis.h>

#include "sites_amd64.h"

ZydisRegister amd64__whole(ZydisRegister reg)
{
	ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

	/* Zydis 4.0 has no enclosing register for one that is the largest itself */
	return whole == ZYDIS_REGISTER_NONE ? reg : whole;
}

/* Go's integer registers in ABIInternal order: Go src/cmd/compile/abi-internal.md, "amd64". */
static uint32_t register_bit(ZydisRegister reg)
{
	switch (amd64__whole(reg)) {
	case ZYDIS_REGISTER_RAX:
		return 1u << REG_0;
	case ZYDIS_REGISTER_RBX:
		return 1u << REG_1;
	case ZYDIS_REGISTER_RCX:
		return 1u << REG_2;
	case ZYDIS_REGISTER_RDI:
		return 1u << REG_3;
	case ZYDIS_REGISTER_RSI:
		return 1u << REG_4;
	case ZYDIS_REGISTER_R8:
		return 1u << REG_5;
	case ZYDIS_REGISTER_R9:
		return 1u << REG_6;
	case ZYDIS_REGISTER_R10:
		return 1u << REG_7;
	case ZYDIS_REGISTER_R11:
		return 1u << REG_8;
	case ZYDIS_REGISTER_R14:
		return REG_BIT_G;
	default:
		return 0;
	}
}

/* Registers written in whole or in part, always or under a condition, named or implied. */
static uint32_t written_registers(const ZydisDecodedInstruction *raw,
				  const ZydisDecodedOperand *operands)
{
	uint32_t bits = 0;

	for (int i = 0; i < raw->operand_count; i++)
		if (operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			bits |= register_bit(operands[i].reg.value);
	return bits;
}

static bool is_emulated(const uint8_t *bytes, uint8_t len)
{
	uint8_t first = bytes[0];

	if ((first & 0xf8) == 0x50) /* push rax..rdi */
		return true;
	if ((first & 0xf0) == 0x70 || first == 0xe8 || first == 0xe9 || first == 0xeb)
		return true; /* jcc rel8, call rel32, jmp rel32, jmp rel8 */
	if (first == 0x90)   /* nop */
		return true;
	if (len < 2)
		return false;
	return (first == 0x41 && (bytes[1] & 0xf8) == 0x50) || /* push r8..r15 */
	       (first == 0x0f && (bytes[1] & 0xf0) == 0x80);   /* jcc rel32 */
}

/* An operand that says where a branch goes: relative to the next instruction, or not at all. */
static bool is_direct(const ZydisDecodedInstruction *raw)
{
	return raw->raw.imm[0].is_relative;
}

static enum insn_flow flow_of(const ZydisDecodedInstruction *raw)
{
	switch (raw->meta.category) {
	case ZYDIS_CATEGORY_COND_BR:
		return FLOW_BRANCH;
	case ZYDIS_CATEGORY_UNCOND_BR:
		return is_direct(raw) ? FLOW_JUMP : FLOW_LOST;
	case ZYDIS_CATEGORY_CALL:
		return is_direct(raw) ? FLOW_CALL : FLOW_NEXT;
	case ZYDIS_CATEGORY_RET:
		return FLOW_RETURN;
	default:
		break;
	}
	switch (raw->mnemonic) {
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
		return FLOW_TRAP;
	default:
		return FLOW_NEXT;
	}
}

static bool init_decoder(ZydisDecoder *decoder)
{
	return ZYAN_SUCCESS(
		ZydisDecoderInit(decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64));
}

int amd64__decode(const struct sites_code *code, size_t off, ZydisDecodedInstruction *raw,
		  ZydisDecodedOperand *operands)
{
	ZydisDecoder decoder;

	if (!init_decoder(&decoder) ||
	    ZYAN_FAILED(ZydisDecoderDecodeFull(&decoder, code->bytes + off, code->size - off, raw,
					       operands)))
		return -EINVAL;
	return 0;
}

/* Without the operands, which take as long again. */
static int decode(const struct sites_code *code, size_t off, struct insn *out)
{
	const uint8_t *bytes = code->bytes + off;
	ZydisDecodedInstruction raw;
	struct insn insn = {};
	ZydisDecoder decoder;

	if (!init_decoder(&decoder) ||
	    ZYAN_FAILED(ZydisDecoderDecodeInstruction(&decoder, NULL, bytes, code->size - off, &raw)))
		return -EINVAL;

	insn.addr = code->addr + off;
	insn.len = raw.length;
	insn.flow = flow_of(&raw);
	insn.cheap = is_emulated(bytes, raw.length);
	insn.if_zero = raw.mnemonic == ZYDIS_MNEMONIC_JZ;
	insn.if_not_zero = raw.mnemonic == ZYDIS_MNEMONIC_JNZ;
	insn.pushes_frame = bytes[0] == 0x55;
	if (is_direct(&raw))
		insn.target = insn.addr + insn.len + (uint64_t)raw.raw.imm[0].value.s;
	*out = insn;
	return 0;
}

static uint32_t writes(const struct sites_code *code, const struct insn *insn)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction raw;

	if (amd64__decode(code, insn->addr - code->addr, &raw, operands) ||
	    raw.meta.category == ZYDIS_CATEGORY_CALL || raw.meta.category == ZYDIS_CATEGORY_SYSCALL)
		return REG_BITS_ALL;
	return written_registers(&raw, operands);
}

/* Steps over LEN given bytes and SKIP arbitrary ones behind them, if they are what comes next. */
static bool eat(const struct sites_code *code, size_t *at, const char *bytes, size_t len,
		size_t skip)
{
	if (code->size - *at < len + skip || memcmp(code->bytes + *at, bytes, len))
		return false;
	*at += len + skip;
	return true;
}

/* ABI0 functions first load g from thread-local storage, at -8 or where a GOT entry says */
static void eat_load_g(const struct sites_code *code, size_t *at)
{
	if (eat(code, at, "\x64\x4c\x8b\x34\x25\xf8\xff\xff\xff", 9, 0)) /* mov %fs:-8,%r14 */
		return;
	if (eat(code, at, "\x49\xc7\xc6\xf8\xff\xff\xff", 7, 0) || /* mov $-8,%r14 */
	    eat(code, at, "\x4c\x8b\x35", 3, 4))		   /* mov N(%rip),%r14 */
		eat(code, at, "\x64\x4d\x8b\x36", 4, 0);	   /* mov %fs:(%r14),%r14 */
}

/*
 * Go src/cmd/internal/obj/x86/obj6.go, stacksplit(): SP, or SP less a larger frame in r12, is
 * compared with g.stackguard0; then jbe. The other jump, jb, is for frames so huge that the
 * subtraction wraps around.
 */
static int stack_check(const struct sites_code *code, size_t *branch_off)
{
	bool in_r12 = false;
	size_t at = 0;

	eat_load_g(code, &at);
	if (eat(code, &at, "\x4c\x8d\x64\x24", 4, 1) || /* lea -N(%rsp),%r12 */
	    eat(code, &at, "\x4c\x8d\xa4\x24", 4, 4)) {
		in_r12 = true;
	} else if (eat(code, &at, "\x49\x89\xe4", 3, 0)) { /* mov %rsp,%r12; sub $N,%r12; jb */
		in_r12 = true;
		if (!eat(code, &at, "\x49\x81\xec", 3, 4))
			return -ENOENT;
		if (!eat(code, &at, "\x72", 1, 1) && !eat(code, &at, "\x0f\x82", 2, 4))
			return -ENOENT;
	}

	/* cmp 0x10(%r14),%r12 or %rsp */
	if (!eat(code, &at, in_r12 ? "\x4d\x3b\x66\x10" : "\x49\x3b\x66\x10", 4, 0))
		return -ENOENT;
	*branch_off = at;
	if (eat(code, &at, "\x76", 1, 1) || eat(code, &at, "\x0f\x86", 2, 4)) /* jbe */
		return 0;
	return -ENOENT;
}

static void print(const struct sites_code *code, const struct insn *insn, char *buf, size_t buf_sz)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction raw;
	ZydisFormatter formatter;

	if (amd64__decode(code, insn->addr - code->addr, &raw, operands) ||
	    ZYAN_FAILED(ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_ATT)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(&formatter, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE,
						  ZYAN_FALSE)) ||
	    ZYAN_FAILED(ZydisFormatterSetProperty(&formatter,
						  ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
						  (ZyanUPointer)ZYDIS_PADDING_DISABLED)) ||
	    ZYAN_FAILED(ZydisFormatterFormatInstruction(&formatter, &raw, operands,
							raw.operand_count_visible, buf, buf_sz,
							insn->addr, NULL)))
		snprintf(buf, buf_sz, "(%u bytes)", insn->len);
}

const struct insn_set insn_set_amd64 = {
	.cheap_cost = SITE_EMULATED,
	.drop_flag = SITE_DROP_CF_ZF,
	.padding = 0xcc, /* int3 */
	.decode = decode,
	.writes = writes,
	.stack_check = stack_check,
	.hold = amd64__hold,
	.track = amd64__track,
	.print = print,
};
