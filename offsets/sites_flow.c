/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_flow: which RETs a function comes to after a callee returned successfully.
 *
 * From behind the call every path is followed with an eye on the results, up to the branch that
 * compares one of them with zero. Its zero side (err == nil) is followed, past further comparisons
 * of the same result, to the first other branch; from there on everything that can be reached is.
 * Where that loses its way nothing is concluded: a RET that is probed in vain does no
 * harm, one that is missing loses a span.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sites_insn.h"
#include "why.h"

/* Between a call and the test of its result; -N -l builds need some 20 instructions, no forks. */
enum { PATH_INSNS_MAX = 4096, PATH_FORKS_MAX = 8 };

struct flow {
	const struct insn_set *set;
	const struct sites_code *code;
	size_t size;
	const char *callee;
	uint8_t *reached; /* a bit for each byte: an instruction begins there */
	uint32_t *todo;	  /* offsets to go on at; a function is smaller than 4 GiB */
	size_t todo_cnt;
	int insns_left;
	bool one_result; /* all that is held is the same result, not one of several */
	struct why *why;
};

int insn__decode(const struct insn_set *set, const struct sites_code *code, size_t size,
		 uint64_t addr, struct insn *out)
{
	uint64_t off = addr - code->addr;

	return off < size ? set->decode(code, off, out) : -ENOENT;
}

const char *insn__callee(const struct sites_code *code, const struct insn *insn)
{
	return insn->flow == FLOW_CALL ? code->function_at(code->ctx, insn->target) : NULL;
}

bool insn__calls(const struct sites_code *code, const struct insn *insn, const char *name)
{
	const char *callee = insn__callee(code, insn);

	return callee && !strcmp(callee, name);
}

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/*
 * What never returns; the bytes behind it belong to something else. The compiler's own list is in
 * Go src/cmd/compile/internal/ssagen/ssa.go (1.19 to 1.27), the calls that end a block. To
 * morestack no path from inside a function leads, except through a call that does not return.
 */
static bool is_noreturn(const char *callee)
{
	return begins_with(callee, "runtime.gopanic") || begins_with(callee, "runtime.panic") ||
	       begins_with(callee, "runtime.goPanic") || begins_with(callee, "runtime.morestack") ||
	       !strcmp(callee, "runtime.block") || !strcmp(callee, "runtime.throw");
}

/* Behind another call of the callee its own success decides, not this one's. */
static bool ends_path(const struct flow *f, const struct insn *insn)
{
	const char *callee = insn__callee(f->code, insn);

	return insn->flow == FLOW_TRAP ||
	       (callee && (is_noreturn(callee) || !strcmp(callee, f->callee)));
}

/* 1: INSN is there; 0: the path leaves the function, whose RETs do not see it return. */
static int step(const struct flow *f, uint64_t addr, struct insn *insn)
{
	int err = insn__decode(f->set, f->code, f->size, addr, insn);

	if (err == -ENOENT)
		return 0;
	if (err)
		return why__set(f->why, -ENOENT, "every ret: no instruction at 0x%" PRIx64, addr);
	if (insn->flow == FLOW_LOST)
		return why__set(f->why, -ENOENT, "every ret: a jump table at 0x%" PRIx64, addr);
	return 1;
}

/* False when it was set already. */
static bool mark(struct flow *f, uint64_t addr)
{
	uint64_t off = addr - f->code->addr;
	uint8_t bit = 1u << off % 8, before = f->reached[off / 8];

	f->reached[off / 8] |= bit;
	return !(before & bit);
}

/* Each instruction once; every branch adds one to TODO, which has room for as many as bytes. */
static int reach_on(struct flow *f, uint64_t addr)
{
	struct insn insn;
	int err;

	while ((err = step(f, addr, &insn)) > 0 && mark(f, insn.addr)) {
		if (insn.flow == FLOW_RETURN || ends_path(f, &insn))
			return 0;
		if (insn.flow == FLOW_BRANCH && insn.target - f->code->addr < f->size)
			f->todo[f->todo_cnt++] = insn.target - f->code->addr;
		addr = insn.flow == FLOW_JUMP ? insn.target : insn__next(&insn);
	}
	return err < 0 ? err : 0;
}

static int reach(struct flow *f, uint64_t addr)
{
	int err = reach_on(f, addr);

	while (!err && f->todo_cnt)
		err = reach_on(f, f->code->addr + f->todo[--f->todo_cnt]);
	return err;
}

/* The result is zero on this path: when it is tested again, only one side can be taken. */
static int follow_success(struct flow *f, uint64_t addr, struct held held)
{
	struct insn insn;
	int err;

	while (f->one_result && (err = step(f, addr, &insn)) > 0) {
		if (!f->insns_left-- || insn.flow == FLOW_RETURN || ends_path(f, &insn))
			break;
		if (insn.flow != FLOW_BRANCH) {
			f->set->track(f->code, &insn, &held);
			addr = insn.flow == FLOW_JUMP ? insn.target : insn__next(&insn);
		} else if (held.in_flags && (insn.if_zero || insn.if_not_zero)) {
			addr = insn.if_zero ? insn.target : insn__next(&insn);
		} else {
			break;
		}
	}
	return reach(f, addr);
}

static int follow(struct flow *f, uint64_t addr, struct held held, int forks_left);

static int follow_branch(struct flow *f, const struct insn *insn, const struct held *held,
			 int forks_left)
{
	int err;

	if (held->in_flags && (insn->if_zero || insn->if_not_zero))
		return follow_success(f, insn->if_zero ? insn->target : insn__next(insn), *held);
	if ((!held->registers && !held->slot_cnt) || !forks_left)
		return why__set(f->why, -ENOENT,
				"every ret: no test of %s's result before 0x%" PRIx64, f->callee,
				insn->addr);
	err = follow(f, insn->target, *held, forks_left - 1);
	return err ? err : follow(f, insn__next(insn), *held, forks_left - 1);
}

/* One path from behind the call to where the result is tested or the function left. */
static int follow(struct flow *f, uint64_t addr, struct held held, int forks_left)
{
	struct insn insn;
	int err;

	while ((err = step(f, addr, &insn)) > 0) {
		if (!f->insns_left--)
			return why__set(f->why, -ENOENT, "every ret: no end of paths behind %s",
					f->callee);
		if (ends_path(f, &insn))
			return 0;
		if (insn.flow == FLOW_RETURN) {
			mark(f, insn.addr);
			return 0;
		}
		if (insn.flow == FLOW_BRANCH)
			return follow_branch(f, &insn, &held, forks_left);
		f->set->track(f->code, &insn, &held);
		addr = insn.flow == FLOW_JUMP ? insn.target : insn__next(&insn);
	}
	return err;
}

static int follow_calls(struct flow *f, uint32_t results)
{
	bool called = false;
	struct insn insn;
	struct held held;
	int err = 0;

	for (size_t off = 0; off < f->size && !err; off += insn.len) {
		if (f->set->decode(f->code, off, &insn))
			return why__set(f->why, -ENOENT, "every ret: the code does not decode");
		if (!insn__calls(f->code, &insn, f->callee))
			continue;
		called = true;
		f->insns_left = PATH_INSNS_MAX;
		f->one_result = results && !(results & (results - 1));
		f->set->hold(&held, results);
		err = results ? follow(f, insn__next(&insn), held, PATH_FORKS_MAX)
			      : reach(f, insn__next(&insn));
	}
	if (!err && !called)
		return why__set(f->why, -ENOENT, "every ret: no direct call of %s", f->callee);
	return err;
}

int sites_flow__behind(const struct insn_set *set, const struct sites_code *code, size_t size,
		       const char *callee, uint32_t results, uint8_t *reached, struct why *why)
{
	struct flow f = {.set = set,
			 .code = code,
			 .size = size,
			 .callee = callee,
			 .reached = reached,
			 .why = why};
	int err;

	f.todo = calloc(size + 1, sizeof(*f.todo));
	if (!f.todo)
		return why__set(why, -ENOMEM, "out of memory");
	err = follow_calls(&f, results);
	free(f.todo);
	return err;
}
