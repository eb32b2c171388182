/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_track_amd64: follows a call's results through the moves behind it, so that the comparison
 * of one of them with zero is known for what it is. Optimised code tests the register itself; -N -l
 * builds copy it from one stack slot to the next and compare the last.
 *
 * A copy that is not seen through only loses sight of the result. So whatever might write to a
 * place where one is held counts as writing there.
 */
#include <string.h>

#include "sites_amd64.h"

/* Places of 64 bits; anything else holds no result. */
static uint32_t register_bit(ZydisRegister reg)
{
	if (reg < ZYDIS_REGISTER_RAX || reg > ZYDIS_REGISTER_R15)
		return 0;
	return 1u << (reg - ZYDIS_REGISTER_RAX);
}

static bool is_slot(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       operand->mem.type == ZYDIS_MEMOP_TYPE_MEM &&
	       operand->mem.base == ZYDIS_REGISTER_RSP &&
	       operand->mem.index == ZYDIS_REGISTER_NONE &&
	       operand->mem.segment == ZYDIS_REGISTER_SS;
}

static bool holds(const struct held *held, const ZydisDecodedOperand *operand)
{
	if (operand->size != 64)
		return false;
	if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
		return held->registers & register_bit(operand->reg.value);
	for (int i = 0; is_slot(operand) && i < held->slot_cnt; i++)
		if (held->slots[i] == operand->mem.disp.value)
			return true;
	return false;
}

static void add(struct held *held, const ZydisDecodedOperand *operand)
{
	if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER)
		held->registers |= register_bit(operand->reg.value);
	else if (is_slot(operand) && held->slot_cnt < HELD_SLOTS_MAX)
		held->slots[held->slot_cnt++] = operand->mem.disp.value;
}

/* Memory that is no slot may be any: a pointer to the stack is a pointer like others. */
static void forget_memory(struct held *held, const ZydisDecodedOperand *operand)
{
	int64_t from = operand->mem.disp.value, to = from + operand->size / 8;
	int kept = 0;

	for (int i = 0; is_slot(operand) && i < held->slot_cnt; i++)
		if (held->slots[i] >= to || held->slots[i] + 8 <= from)
			held->slots[kept++] = held->slots[i];
	held->slot_cnt = kept;
}

static void forget_written(struct held *held, const ZydisDecodedInstruction *raw,
			   const ZydisDecodedOperand *operands)
{
	for (int i = 0; i < raw->operand_count; i++) {
		const ZydisDecodedOperand *operand = &operands[i];

		if (!(operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
			continue;
		if (operand->type == ZYDIS_OPERAND_TYPE_MEMORY) {
			forget_memory(held, operand);
		} else if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER) {
			ZydisRegister whole = amd64__whole(operand->reg.value);

			held->registers &= ~register_bit(whole);
			if (whole == ZYDIS_REGISTER_RSP)
				held->slot_cnt = 0; /* other offsets from now on */
		}
	}
}

static bool writes_zero_flag(const ZydisDecodedInstruction *raw)
{
	const ZydisAccessedFlags *flags = raw->cpu_flags;

	return flags && ((flags->modified | flags->set_0 | flags->set_1 | flags->undefined) &
			 ZYDIS_CPUFLAG_ZF);
}

static bool compares_with_zero(const struct held *held, const ZydisDecodedInstruction *raw,
			       const ZydisDecodedOperand *operands)
{
	const ZydisDecodedOperand *a = &operands[0], *b = &operands[1];

	if (raw->mnemonic == ZYDIS_MNEMONIC_TEST)
		return holds(held, a) && a->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		       b->type == ZYDIS_OPERAND_TYPE_REGISTER && a->reg.value == b->reg.value;
	if (raw->mnemonic == ZYDIS_MNEMONIC_CMP)
		return holds(held, a) && b->type == ZYDIS_OPERAND_TYPE_IMMEDIATE && !b->imm.value.u;
	return false;
}

/*
 * Go has no callee-saved registers. The caller's slots outlive a call unless a pointer to one was
 * handed on; what -race builds insert gets none to write to.
 */
static void forget_at_call(const struct sites_code *code, const struct insn *insn,
			   struct held *held)
{
	const char race[] = "runtime.race"; /* read, write, funcenter, funcexit */
	const char *callee = insn__callee(code, insn);

	held->registers = 0;
	held->in_flags = false;
	if (!callee || strncmp(callee, race, strlen(race)))
		held->slot_cnt = 0;
}

void amd64__hold(struct held *held, uint32_t results)
{
	/* Go src/cmd/compile/abi-internal.md, "amd64" */
	static const ZydisRegister order[] = {
		ZYDIS_REGISTER_RAX, ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_RCX,
		ZYDIS_REGISTER_RDI, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_R8,
		ZYDIS_REGISTER_R9,  ZYDIS_REGISTER_R10, ZYDIS_REGISTER_R11,
	};

	*held = (struct held){};
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (results >> i & 1)
			held->registers |= register_bit(order[i]);
}

void amd64__track(const struct sites_code *code, const struct insn *insn, struct held *held)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction raw;
	bool is_copy;

	if (amd64__decode(code, insn->addr - code->addr, &raw, operands)) {
		*held = (struct held){};
		return;
	}
	if (raw.meta.category == ZYDIS_CATEGORY_CALL ||
	    raw.meta.category == ZYDIS_CATEGORY_SYSCALL) {
		forget_at_call(code, insn, held);
		return;
	}

	if (compares_with_zero(held, &raw, operands))
		held->in_flags = true;
	else if (writes_zero_flag(&raw))
		held->in_flags = false;
	is_copy = raw.mnemonic == ZYDIS_MNEMONIC_MOV && holds(held, &operands[1]);
	forget_written(held, &raw, operands);
	if (is_copy)
		add(held, &operands[0]);
}
