/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sites: the search itself, the same for both architectures.
 *
 * A function is decoded once from its first byte to its padding, to learn which of its bytes jumps
 * lead to: a probe that is to fire exactly once per call (entry) or per return of a callee (after)
 * must not sit where another path joins. Jump tables lie outside the function, so where they lead
 * is unknown; a function that has one gets no site behind the return address.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sites_insn.h"
#include "why.h"

/* The longest run of spills seen before a call of morestack is 14 instructions; a bound, no more.
 */
enum { MORESTACK_INSNS_MAX = 64 };

struct search {
	const struct sites_code *code;
	const struct insn_set *set;
	size_t size;	     /* of the code, without padding */
	uint8_t *targets;    /* a bit for each byte: a jump of this function leads there */
	uint8_t *visited;    /* ... a call or a ret begins there, whichever the kind is about */
	bool has_lost_jumps; /* to places that the bytes do not tell */
	uint8_t *spared;     /* a bit for each byte: a ret there needs no probe */
	enum site_kind kind;
	struct site *found;
	size_t cap;
	size_t cnt;
	struct why *why;
};

static int decode_at(const struct search *s, uint64_t addr, struct insn *out)
{
	return insn__decode(s->set, s->code, s->size, addr, out);
}

static void mark(const struct search *s, uint8_t *bits, uint64_t addr)
{
	uint64_t off = addr - s->code->addr;

	if (off < s->size)
		bits[off / 8] |= 1u << off % 8;
}

static bool is_marked(const uint8_t *bits, uint64_t off)
{
	return bits[off / 8] >> off % 8 & 1;
}

/* Any byte of it counts: a jump may pass over a prefix. */
static bool is_target(const struct search *s, const struct insn *insn)
{
	uint64_t off = insn->addr - s->code->addr;

	for (uint64_t i = off; i < off + insn->len; i++)
		if (is_marked(s->targets, i))
			return true;
	return false;
}

static bool is_padding(const struct search *s, size_t off)
{
	for (; off < s->size; off++)
		if (s->code->bytes[off] != s->set->padding)
			return false;
	return true;
}

/* One pass over the function: where it ends, where its jumps lead, and what to look at again. */
static int find_targets(struct search *s)
{
	enum insn_flow visited = s->kind == SITE_RETURN ? FLOW_RETURN : FLOW_CALL;
	struct insn insn;
	size_t off;
	int err;

	for (off = 0; off < s->size; off += insn.len) {
		err = s->set->decode(s->code, off, &insn);
		if ((err || insn.flow == FLOW_TRAP) && is_padding(s, off))
			break;
		if (err)
			return why__set(s->why, err, "bytes at 0x%" PRIx64 " are no instruction",
					s->code->addr + off);
		if (insn.flow == FLOW_JUMP || insn.flow == FLOW_BRANCH)
			mark(s, s->targets, insn.target);
		else if (insn.flow == FLOW_LOST)
			s->has_lost_jumps = true;
		else if (insn.flow == visited)
			mark(s, s->visited, insn.addr);
	}
	s->size = off;
	return 0;
}

static int add_site(struct search *s, const struct insn *insn, uint32_t flags)
{
	struct site *site;

	if (s->cnt == s->cap)
		return why__set(s->why, -E2BIG, "more than %zu places", s->cap);
	site = &s->found[s->cnt++];
	site->kind = s->kind;
	site->cost = insn->cheap ? s->set->cheap_cost : SITE_STEPPED;
	site->flags = flags;
	site->addr = insn->addr;
	site->len = insn->len;
	s->set->print(s->code, insn, site->instruction, sizeof(site->instruction));
	return 0;
}

/* The block that grows the stack: spills of arguments, then the call. */
static bool leads_to_morestack(const struct search *s, const struct insn *branch)
{
	const char prefix[] = "runtime.morestack"; /* _noctxt and others */
	uint64_t addr = branch->target;
	const char *callee;
	struct insn insn;

	for (int i = 0; i < MORESTACK_INSNS_MAX; i++) {
		if (decode_at(s, addr, &insn))
			return false;
		callee = insn__callee(s->code, &insn);
		if (callee)
			return !strncmp(callee, prefix, strlen(prefix));
		if (insn.flow != FLOW_NEXT)
			return false;
		addr = insn__next(&insn);
	}
	return false;
}

static bool find_stack_check(const struct search *s, struct insn *branch)
{
	size_t off;

	return !s->set->stack_check(s->code, &off) && off < s->size &&
	       !s->set->decode(s->code, off, branch) && leads_to_morestack(s, branch);
}

static int find_entry(struct search *s)
{
	struct insn first, branch, push;
	int err;

	if (find_stack_check(s, &branch)) {
		if (!decode_at(s, insn__next(&branch), &push) && push.pushes_frame &&
		    !is_target(s, &push))
			return add_site(s, &push, 0);
		if (!is_target(s, &branch))
			return add_site(s, &branch, s->set->drop_flag);
	}

	err = decode_at(s, s->code->addr, &first);
	if (err)
		return why__set(s->why, -ENOENT, "the function is empty");
	return add_site(s, &first, 0);
}

/*
 * From the instruction behind a call onwards, past whatever leaves NEEDED alone, to the first that
 * the kernel emulates. A call of deferreturn does not do: a recovered panic goes on there as well.
 */
static int find_after_call(struct search *s, const struct insn *call, const char *callee,
			   uint32_t needed)
{
	uint64_t addr = insn__next(call);
	struct insn returned, insn;

	if (decode_at(s, addr, &returned))
		return why__set(s->why, -ENOENT, "nothing follows the call of %s", callee);
	if (is_target(s, &returned) && s->kind != SITE_JOIN)
		return why__set(s->why, -ENOENT,
				"other paths join right behind the call of %s at 0x%" PRIx64,
				callee, call->addr);

	while (!s->has_lost_jumps && !decode_at(s, addr, &insn) &&
	       (s->kind == SITE_JOIN || !is_target(s, &insn))) {
		if (insn.cheap && !insn__calls(s->code, &insn, "runtime.deferreturn"))
			return add_site(s, &insn, 0);
		if (insn.flow != FLOW_NEXT || (s->set->writes(s->code, &insn) & needed))
			break;
		addr = insn__next(&insn);
	}
	return add_site(s, &returned, 0);
}

static int visit(struct search *s, const struct insn *insn, const char *callee, uint32_t needed)
{
	bool plain;

	if (s->kind == SITE_RETURN) {
		plain = insn->len == 1 || s->code->arch == GO_ARCH_ARM64;
		if (!is_marked(s->spared, insn->addr - s->code->addr))
			return add_site(s, insn, plain ? SITE_IS_RET : 0);
	} else if (insn__calls(s->code, insn, callee)) {
		if (s->kind == SITE_CALL)
			return add_site(s, insn, 0);
		return find_after_call(s, insn, callee, needed);
	}
	return 0;
}

static int visit_all(struct search *s, const char *callee, uint32_t needed)
{
	struct insn insn;
	int err = 0;

	for (size_t off = 0; !err && off < s->size; off++) {
		if (!is_marked(s->visited, off))
			continue;
		err = s->set->decode(s->code, off, &insn);
		if (!err)
			err = visit(s, &insn, callee, needed);
	}
	return err;
}

static int find_inside(struct search *s, const char *callee, uint32_t needed)
{
	int err = visit_all(s, callee, needed);

	if (err)
		return err;
	if (s->cnt)
		return 0;
	if (s->kind == SITE_RETURN)
		return why__set(s->why, -ENOENT, "it has no ret");
	return why__set(s->why, -ENOENT, "no direct call of %s, probably inlined", callee);
}

static bool spares_any(const struct search *s)
{
	for (size_t off = 0; off < s->size; off++)
		if (is_marked(s->visited, off) && is_marked(s->spared, off))
			return true;
	return false;
}

/*
 * In doubt a ret is probed: so too when none would be left, since a function without a site counts
 * as not found. Where ret costs no more than other sites none is worth sparing.
 */
static int find_returns(struct search *s, const char *callee, uint32_t results)
{
	int err;

	if (callee && s->set->hold) {
		err = sites_flow__behind(s->set, s->code, s->size, callee, results, s->spared,
					 s->why);
		if (!err && !spares_any(s))
			why__set(s->why, 0, "every ret: %s's success has none of its own", callee);
		if (!err)
			err = visit_all(s, NULL, 0);
		if (err == -ENOMEM || err == -E2BIG || s->cnt)
			return err;
		if (!err)
			why__set(s->why, 0, "every ret: %s's success leads to all", callee);
		memset(s->spared, 0, s->code->size / 8 + 1);
	}
	return find_inside(s, NULL, 0);
}

int sites__find(const struct sites_code *code, enum site_kind kind, const char *callee,
		uint32_t needed, struct site *out, size_t cap, struct why *why)
{
	struct search s = {.code = code, .kind = kind, .size = code->size, .cap = cap, .why = why};
	int err;

	assert(kind == SITE_RETURN || (kind != SITE_ENTRY) == !!callee);
	s.set = code->arch == GO_ARCH_ARM64 ? &insn_set_arm64 : &insn_set_amd64;
	s.targets = calloc(code->size / 8 + 1, 1);
	s.visited = calloc(code->size / 8 + 1, 1);
	s.spared = calloc(code->size / 8 + 1, 1);
	s.found = calloc(cap ?: 1, sizeof(*s.found));
	if (!s.targets || !s.visited || !s.spared || !s.found) {
		err = why__set(why, -ENOMEM, "out of memory");
		goto cleanup;
	}

	err = find_targets(&s);
	if (!err && kind == SITE_ENTRY)
		err = find_entry(&s);
	else if (!err && kind == SITE_RETURN)
		err = find_returns(&s, callee, needed);
	else if (!err)
		err = find_inside(&s, callee, needed);
	if (err)
		goto cleanup;
	memcpy(out, s.found, s.cnt * sizeof(*out));
	err = (int)s.cnt;

cleanup:
	free(s.targets);
	free(s.visited);
	free(s.spared);
	free(s.found);
	return err;
}
