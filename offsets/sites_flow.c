/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites_flow: which RETs a function comes to only after a callee returned successfully.
 *
 * From behind the call every path is followed with an eye on the results, up to the branch that
 * compares one of them with zero. Its zero side (err == nil) is followed, and where the same result
 * is compared again that side only; once it is out of sight, everything that can be reached is.
 * Then the other way round: what can be reached from the function's entry without ever taking one
 * of those sides is failure's, and a RET that is among it is not spared.
 * Where that loses its way nothing is concluded: a RET that is probed in vain does no
 * harm, one that is missing loses a span.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sites_insn.h"
#include "why.h"

/*
 * Behind a call. Up to the test of its result -N -l builds need some 20 instructions and no forks;
 * behind that, x/net/http2 compares an error with another one before it asks for nil again.
 */
enum { PATH_INSNS_MAX = 4096, PATH_FORKS_MAX = 8 };

struct flow {
	const struct insn_set *set;
	const struct sites_code *code;
	size_t size;
	const char *callee;
	uint32_t results;
	uint8_t *reached; /* a bit for each byte: an instruction begins there */
	uint8_t *decided; /* ... a branch of which success takes one side */
	uint32_t *todo;	  /* offsets to go on at; a function is smaller than 4 GiB */
	size_t todo_cnt;
	int insns_left;
	bool is_failing; /* goes where there was no success */
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

/* Behind another call of the callee its own success decides, not this one's; failure goes on. */
static bool ends_path(const struct flow *f, const struct insn *insn)
{
	const char *callee = insn__callee(f->code, insn);

	if (insn->flow == FLOW_TRAP || (callee && is_noreturn(callee)))
		return true;
	return callee && !f->is_failing && !strcmp(callee, f->callee);
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
static bool mark(const struct flow *f, uint8_t *bits, uint64_t addr)
{
	uint64_t off = addr - f->code->addr;
	uint8_t bit = 1u << off % 8, before = bits[off / 8];

	bits[off / 8] |= bit;
	return !(before & bit);
}

static bool is_marked(const struct flow *f, const uint8_t *bits, uint64_t addr)
{
	uint64_t off = addr - f->code->addr;

	return bits[off / 8] >> off % 8 & 1;
}

/* Where a branch on a comparison with zero leads. */
static uint64_t side(const struct insn *insn, bool zero)
{
	return insn->if_zero == zero ? insn->target : insn__next(insn);
}

/* Each instruction once; every branch adds one to TODO, which has room for as many as bytes. */
static int reach_on(struct flow *f, uint64_t addr)
{
	struct insn insn;
	int err;

	while ((err = step(f, addr, &insn)) > 0 && mark(f, f->reached, insn.addr)) {
		if (insn.flow == FLOW_RETURN || ends_path(f, &insn))
			return 0;
		if (f->is_failing && is_marked(f, f->decided, insn.addr)) {
			addr = side(&insn, false);
			continue;
		}
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

/* What is held on a path, and whether it is known to be zero there. */
struct path {
	struct held held;
	bool succeeded;
	int forks_left;
};

static int lose_sight(struct flow *f, uint64_t addr, const struct path *path)
{
	if (path->succeeded)
		return reach(f, addr);
	if (!f->insns_left)
		return why__set(f->why, -ENOENT, "every ret: no end of paths behind %s", f->callee);
	return why__set(f->why, -ENOENT, "every ret: no test of %s's result before 0x%" PRIx64,
			f->callee, addr);
}

static int follow(struct flow *f, uint64_t addr, struct path path);

static int follow_both(struct flow *f, const struct insn *insn, struct path path)
{
	int err;

	if ((!path.held.registers && !path.held.slot_cnt) || !path.forks_left--)
		return lose_sight(f, insn->addr, &path);
	err = follow(f, insn->target, path);
	return err ? err : follow(f, insn__next(insn), path);
}

/* One path from behind the call to where the result is out of sight or the function left. */
static int follow(struct flow *f, uint64_t addr, struct path path)
{
	bool one_result = !(f->results & (f->results - 1));
	struct insn insn;
	int err;

	while ((err = step(f, addr, &insn)) > 0) {
		if (!f->insns_left)
			return lose_sight(f, addr, &path);
		f->insns_left--;
		if (ends_path(f, &insn))
			return 0;
		if (insn.flow == FLOW_RETURN) {
			mark(f, f->reached, insn.addr);
			return 0;
		}
		if (insn.flow != FLOW_BRANCH) {
			f->set->track(f->code, &insn, &path.held);
			addr = insn.flow == FLOW_JUMP ? insn.target : insn__next(&insn);
			continue;
		}
		if (!path.held.in_flags || (!insn.if_zero && !insn.if_not_zero))
			return follow_both(f, &insn, path);
		mark(f, f->decided, insn.addr);
		path.succeeded = true;
		addr = side(&insn, true);
		if (!one_result) /* another one may be zero at the next comparison */
			return reach(f, addr);
	}
	return err;
}

static int follow_calls(struct flow *f)
{
	bool called = false;
	struct insn insn;
	int err = 0;

	for (size_t off = 0; off < f->size && !err; off += insn.len) {
		struct path path = {.forks_left = PATH_FORKS_MAX};

		if (f->set->decode(f->code, off, &insn))
			return why__set(f->why, -ENOENT, "every ret: the code does not decode");
		if (!insn__calls(f->code, &insn, f->callee))
			continue;
		called = true;
		f->insns_left = PATH_INSNS_MAX;
		f->set->hold(&path.held, f->results);
		err = f->results ? follow(f, insn__next(&insn), path) : reach(f, insn__next(&insn));
	}
	if (!err && !called)
		return why__set(f->why, -ENOENT, "every ret: no direct call of %s", f->callee);
	return err;
}

/*
 * Failures, and paths that never call the callee. What is zero at a comparison that success decided
 * is the same variable of the program, so such a path counts as successful from there on.
 */
static int take_out_failures(struct flow *f, uint8_t *succeeded)
{
	int err;

	f->is_failing = true;
	err = reach(f, f->code->addr);
	for (size_t i = 0; !err && i < f->size / 8 + 1; i++)
		succeeded[i] &= ~f->reached[i];
	return err;
}

int sites_flow__behind(const struct insn_set *set, const struct sites_code *code, size_t size,
		       const char *callee, uint32_t results, uint8_t *reached, struct why *why)
{
	struct flow f = {.set = set,
			 .code = code,
			 .size = size,
			 .callee = callee,
			 .results = results,
			 .reached = reached,
			 .why = why};
	uint8_t *failed = calloc(size / 8 + 1, 1);
	int err = -ENOMEM;

	f.decided = calloc(size / 8 + 1, 1);
	f.todo = calloc(size + 1, sizeof(*f.todo));
	if (!failed || !f.decided || !f.todo) {
		why__set(why, err, "out of memory");
		goto cleanup;
	}
	err = follow_calls(&f);
	f.reached = failed;
	if (!err && results)
		err = take_out_failures(&f, reached);

cleanup:
	free(failed);
	free(f.decided);
	free(f.todo);
	return err;
}
