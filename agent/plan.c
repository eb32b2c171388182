// SPDX-License-Identifier: Apache-2.0
/* plan: see plan.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

static const char *name_at(void *ctx, uint64_t addr)
{
	struct function_fact f;
	const char *name = resolve__function_at(ctx, addr, &f);

	return name && f.addr == addr ? name : NULL;
}

/* The sites of one function (its RETs: all but what CALLER>CALLEE spares), or a negative errno with WHY. */
static int find_sites(const struct resolve *r, enum site_kind kind, const char *function,
		      uint32_t results, struct site *sites, size_t cap, struct why *why)
{
	struct function_fact f;
	struct sites_code code = {
		.arch = resolve__info(r)->arch, .function_at = name_at, .ctx = (void *)r};
	char caller[200];
	const char *callee = declared_callee(function, caller, sizeof(caller));
	int err = resolve__function(r, caller, &f);

	if (err) {
		snprintf(why->text, sizeof(why->text), err == -ENOENT ? "%s is not linked" : "%s is ambiguous",
			 caller);
		return err;
	}
	code.bytes = resolve__bytes(r, f.addr, f.size);
	code.addr = f.addr;
	code.size = f.size;
	if (!code.bytes) {
		snprintf(why->text, sizeof(why->text), "the code of %s is not in the file", caller);
		return -EFAULT;
	}
	return sites__find(&code, kind, callee, results, sites, cap, why);
}

static bool calls_directly(const struct resolve *r, const char *calls)
{
	struct site sites[PLAN_SITES_MAX];
	struct why why;
	int cnt = find_sites(r, SITE_CALL, calls, 0, sites, PLAN_SITES_MAX, &why);

	return cnt > 0 || cnt == -E2BIG;
}

static void plan_field(const struct resolve *r, struct planned_value *v)
{
	struct field_fact fact;
	struct why why = {""};
	int err = v->declared->on_stack ?
			  resolve__stack_field(r, v->declared->path, &fact, &why) :
			  resolve__field(r, v->declared->path, &fact, &why);

	if (err) {
		snprintf(v->reason, sizeof(v->reason), "%.150s", why.text);
		return;
	}
	v->kind = fact.kind;
	v->source = fact.source;
	if (!kind_is(fact.kind, v->declared->kind)) {
		snprintf(v->reason, sizeof(v->reason), "%s is no %s any more", v->declared->path,
			 v->declared->kind);
		return;
	}
	v->value = fact.offset;
	v->found = true;
}

static void plan_frame(const struct resolve *r, struct planned_value *v)
{
	struct site sites[PLAN_SITES_MAX];
	struct why why = {""};
	uint32_t size;

	/* the frame is the same at every instruction behind the prologue: the call will do */
	if (find_sites(r, SITE_CALL, v->declared->path, 0, sites, PLAN_SITES_MAX, &why) > 0 &&
	    !resolve__frame_size(r, sites[0].addr, &size)) {
		v->value = size;
		v->found = true;
	} else {
		snprintf(v->reason, sizeof(v->reason), "%.150s", why.text);
	}
}

static void plan_value(const struct declarations *d, const struct resolve *r,
		       struct planned_value *v)
{
	struct function_fact function;
	struct type_fact type;
	uint64_t text[2];

	switch (v->declared->what) {
	case DECLARED_FIELD:
		plan_field(r, v);
		return;
	case DECLARED_FRAME:
		plan_frame(r, v);
		return;
	case DECLARED_TYPE:
		v->found = !resolve__type(r, v->declared->path, &type);
		v->value = v->found ? type.addr : 0;
		break;
	case DECLARED_ITAB:
		v->found = !resolve__itab(r, v->declared->kind, v->declared->path, &v->value);
		break;
	case DECLARED_SIZE:
		v->found = !resolve__type(r, v->declared->path, &type);
		v->value = v->found ? type.size : 0;
		break;
	case DECLARED_END:
		v->value = resolve__end(r);
		v->found = true;
		return;
	case DECLARED_CONSTANTS_END:
		v->value = resolve__constants_end(r);
		v->found = true;
		return;
	case DECLARED_TEXT_START:
	case DECLARED_TEXT_END:
		resolve__text(r, &text[0], &text[1]);
		v->value = text[v->declared->what == DECLARED_TEXT_END];
		v->found = true;
		return;
	case DECLARED_FUNCTION:
		v->found = !resolve__function(r, v->declared->path, &function);
		v->value = v->found ? function.addr : 0;
		break;
	case DECLARED_LIBRARY:
		for (size_t i = 0; i < d->library_cnt; i++)
			if (!strcmp(d->libraries[i].variable, v->declared->variable))
				v->value = i;
		v->found = true;
		return;
	case DECLARED_CHILDREN: /* not known yet: plan_children() */
	case DECLARED_ATTACHED: /* plan__settle() */
	case DECLARED_SDK: /* plan__beside_sdk() */
		return;
	}
	if (!v->found)
		snprintf(v->reason, sizeof(v->reason), "%s is not linked", v->declared->path);
}

static bool is_linked(const struct resolve *r, const char *function)
{
	struct function_fact f;
	char caller[200];

	declared_callee(function, caller, sizeof(caller));
	return resolve__function(r, caller, &f) != -ENOENT;
}

/*
 * A go_join program counts on the other paths to come along. At a return address (stepped), where
 * nothing better was found, they do not: then their RETs must not be spared.
 */
static bool is_joined(const struct declarations *d, const struct resolve *r, const char *calls)
{
	struct site sites[PLAN_SITES_MAX];
	struct why why;

	for (size_t i = 0; i < d->probe_cnt; i++)
		for (const char *const *f = d->probes[i].function; *f; f++) {
			int cnt = 0;

			if (d->probes[i].kind == SITE_JOIN && !strcmp(*f, calls))
				cnt = find_sites(r, SITE_JOIN, calls, d->probes[i].results, sites,
						 PLAN_SITES_MAX, &why);
			while (cnt-- > 0)
				if (sites[cnt].cost == SITE_STEPPED)
					return false;
		}
	return true;
}

/* What to search: the probe's function, or that with a callee whose success spares RETs. */
static const char *searched(const struct declarations *d, const struct resolve *r,
			    const struct planned_probe *p)
{
	const char *found = p->function;

	for (const char *const *except = p->declared->except; *except; except++)
		if (declared_call_is_in(*except, p->function) && is_joined(d, r, *except)) {
			found = *except;
			if (calls_directly(r, found))
				break;
		}
	return found;
}

static void plan_probe(const struct declarations *d, const struct resolve *r,
		       struct planned_probe *p)
{
	struct why why = {""};
	int cnt;

	if (p->declared->when && !calls_directly(r, p->declared->when)) {
		snprintf(p->reason, sizeof(p->reason), "no direct call %s", p->declared->when);
		return;
	}
	if (p->declared->unless && calls_directly(r, p->declared->unless)) {
		snprintf(p->reason, sizeof(p->reason), "not needed: %s", p->declared->unless);
		return;
	}
	p->unlinked = !is_linked(r, p->function);
	cnt = find_sites(r, p->declared->kind, searched(d, r, p), p->declared->results, p->sites,
			 PLAN_SITES_MAX, &why);
	snprintf(p->reason, sizeof(p->reason), "%.150s", why.text);
	if (cnt <= 0)
		return;
	for (int i = 0; i < cnt; i++)
		if (resolve__file_off(r, p->sites[i].addr, &p->site_offs[i])) {
			snprintf(p->reason, sizeof(p->reason), "0x%llx is not in the file",
				 (unsigned long long)p->sites[i].addr);
			return;
		}
	p->site_cnt = cnt;
	p->on = true;
}

static void turn_off(struct planned_library *l, const char *reason)
{
	if (!l->on)
		return;
	l->on = false;
	snprintf(l->reason, sizeof(l->reason), "%s", reason);
}

/* Bytes of FUNCTION's caller without the closures in it: "(*DB).Query" of "(*DB).Query.func1>X". */
static size_t base_len(const char *function)
{
	const char *closure = strstr(function, ".func"), *callee = strchr(function, '>');

	if (closure && closure[5] >= '0' && closure[5] <= '9' && (!callee || closure < callee))
		return closure - function;
	return callee ? (size_t)(callee - function) : strlen(function);
}

/* Do both name the same callee of the same function or a closure in it? */
static bool are_alternatives(const char *a, const char *b)
{
	const char *callee_a = strchr(a, '>'), *callee_b = strchr(b, '>');
	size_t len = base_len(a);

	return callee_a && callee_b && !strcmp(callee_a, callee_b) && base_len(b) == len &&
	       !memcmp(a, b, len);
}

static bool is_base_linked(const struct resolve *r, const char *function)
{
	char base[200];

	snprintf(base, sizeof(base), "%.*s", (int)base_len(function), function);
	return is_linked(r, base);
}

/*
 * Of a program that its library needs: is this function's part missing? Not where another name of
 * the same part is found, nor where the caller is not linked: it calls nothing then. Of functions
 * that are entered, one must be there.
 */
static bool is_missed(const struct plan *plan, const struct resolve *r,
		      const struct planned_probe *p)
{
	bool is_call = strchr(p->function, '>');

	if (p->on || (!p->unlinked && !is_call))
		return !p->on;
	if (is_call && !is_base_linked(r, p->function))
		return false;
	for (size_t i = 0; i < plan->probe_cnt; i++)
		if (plan->probes[i].program == p->program && plan->probes[i].on &&
		    (!is_call || are_alternatives(plan->probes[i].function, p->function)))
			return false;
	return true;
}

/* Is a library on whose spans are below others? Turns off what is for such alone. */
static void plan_children(struct plan *plan)
{
	bool any = false;

	for (size_t i = 0; i < plan->declarations->library_cnt; i++)
		any |= plan->libraries[i].on && plan->libraries[i].declared->kind != SPAN_SERVER;
	for (size_t i = 0; i < plan->declarations->value_cnt; i++)
		if (plan->values[i].declared->what == DECLARED_CHILDREN) {
			plan->values[i].found = true;
			plan->values[i].value = any;
		}
	for (size_t i = 0; i < plan->probe_cnt && !any; i++)
		if (plan->probes[i].on && plan->probes[i].declared->children) {
			plan->probes[i].on = false;
			snprintf(plan->probes[i].reason, sizeof(plan->probes[i].reason),
				 "not needed: nothing makes spans below a request");
		}
}

/* Those that are off. */
static void drop_probes_of_libraries(struct plan *plan)
{
	for (size_t i = 0; i < plan->probe_cnt; i++) {
		struct planned_probe *p = &plan->probes[i];
		int library = p->declared->library;

		if (p->on && library >= 0 && !plan->libraries[library].on) {
			p->on = false;
			snprintf(p->reason, sizeof(p->reason), "%s is off",
				 plan->declarations->libraries[library].name);
		}
	}
}

/* A library is on when one of its probes is and nothing that it needs is missing. */
static void plan_libraries(struct plan *plan, const struct resolve *r)
{
	const struct declarations *d = plan->declarations;

	for (size_t i = 0; i < plan->probe_cnt; i++) {
		struct planned_probe *p = &plan->probes[i];

		if (p->on && p->declared->library >= 0)
			plan->libraries[p->declared->library].linked =
				plan->libraries[p->declared->library].on = true;
	}
	for (size_t i = 0; i < d->library_cnt; i++)
		if (!plan->libraries[i].linked)
			snprintf(plan->libraries[i].reason, sizeof(plan->libraries[i].reason),
				 "not linked into the executable");
	for (size_t i = 0; i < plan->probe_cnt; i++) {
		struct planned_probe *p = &plan->probes[i];

		if (p->declared->needed && p->declared->library >= 0 && is_missed(plan, r, p))
			turn_off(&plan->libraries[p->declared->library], p->reason);
	}
	for (size_t i = 0; i < d->value_cnt; i++)
		for (size_t l = 0; l < d->library_cnt; l++)
			if (!plan->values[i].found && d->values[i].needed &&
			    (d->values[i].library < 0 || d->values[i].library == (int)l))
				turn_off(&plan->libraries[l], plan->values[i].reason);
	drop_probes_of_libraries(plan);
}

/* A function, or any of a package. */
static void find_instrumentation(struct plan *plan, const struct resolve *r)
{
	plan->has_sdk = resolve__has_package(r, OTEL_SDK_PACKAGE);
	for (size_t i = 0; i < plan->declarations->library_cnt; i++)
		for (const char *const *what = plan->libraries[i].declared->instrumented;
		     *what && !plan->libraries[i].instrumented; what++)
			if (is_linked(r, *what) || resolve__has_package(r, *what))
				plan->libraries[i].instrumented = *what;
}

static size_t count_functions(const struct declarations *d)
{
	size_t cnt = 0;

	for (size_t i = 0; i < d->probe_cnt; i++)
		for (const char *const *f = d->probes[i].function; *f; f++)
			cnt++;
	return cnt;
}

int plan__new(const struct declarations *d, const struct resolve *r, struct plan **out)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return -ENOMEM;
	plan->declarations = d;
	plan->libraries = calloc(d->library_cnt, sizeof(*plan->libraries));
	plan->values = calloc(d->value_cnt, sizeof(*plan->values));
	plan->probes = calloc(count_functions(d), sizeof(*plan->probes));
	if (!plan->libraries || !plan->values || !plan->probes) {
		plan__free(plan);
		return -ENOMEM;
	}
	for (size_t i = 0; i < d->library_cnt; i++)
		plan->libraries[i].declared = &d->libraries[i];
	for (size_t i = 0; i < d->value_cnt; i++) {
		plan->values[i].declared = &d->values[i];
		plan_value(d, r, &plan->values[i]);
	}
	for (size_t i = 0; i < d->probe_cnt; i++)
		for (const char *const *f = d->probes[i].function; *f; f++) {
			struct planned_probe *p = &plan->probes[plan->probe_cnt++];

			p->declared = &d->probes[i];
			p->program = i;
			p->function = *f;
			plan_probe(d, r, p);
		}
	plan_libraries(plan, r);
	plan_children(plan);
	find_instrumentation(plan, r);
	plan__beside_sdk(plan, WITH_SDK_FILL);
	*out = plan;
	return 0;
}

void plan__free(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->libraries);
	free(plan->values);
	free(plan->probes);
	free(plan);
}

void plan__refuse(struct plan *plan, size_t program, const char *reason, struct why *lost)
{
	const struct declared_probe *declared = &plan->declarations->probes[program];
	struct planned_library *l =
		declared->library < 0 ? NULL : &plan->libraries[declared->library];

	for (size_t i = 0; i < plan->probe_cnt; i++) {
		struct planned_probe *p = &plan->probes[i];

		if (p->program != program || !p->on)
			continue;
		p->on = false;
		snprintf(p->reason, sizeof(p->reason), "%s", reason);
	}
	if (l && declared->needed) {
		turn_off(l, reason);
		drop_probes_of_libraries(plan);
		plan_children(plan);
	}
	snprintf(lost->text, sizeof(lost->text), l && !l->on ? "%s is off" : "part of %s spans is missing",
		 l ? l->declared->name : "all");
}

bool plan__package(const struct plan *plan, size_t library, struct planned_library *out)
{
	const struct planned_library *all = plan->libraries;

	for (size_t i = 0; i < library; i++)
		if (!strcmp(all[i].declared->name, all[library].declared->name))
			return false;
	*out = all[library];
	for (size_t i = library + 1; i < plan->declarations->library_cnt; i++) {
		if (strcmp(all[i].declared->name, out->declared->name) || !all[i].linked)
			continue;
		if (!out->linked || !all[i].on)
			*out = all[i];
	}
	return true;
}

bool plan__is_useful(const struct plan *plan)
{
	for (size_t i = 0; i < plan->declarations->library_cnt; i++)
		if (plan->libraries[i].on)
			return true;
	return false;
}

void plan__why_useless(const struct plan *plan, const char *path, struct why *why)
{
	const struct planned_library *first = NULL;
	int len = snprintf(why->text, sizeof(why->text), "%.80s: nothing to trace in it: ", path);

	for (size_t i = 0; i < plan->declarations->library_cnt && !first; i++)
		if (plan->libraries[i].linked)
			first = &plan->libraries[i];
	if (first)
		snprintf(why->text + len, sizeof(why->text) - len, "%s %.120s", first->declared->name,
			 first->reason);
	else
		snprintf(why->text + len, sizeof(why->text) - len,
			 "no library that gospan knows (net/http ...) is linked into the executable");
}

size_t plan__site_cnt(const struct plan *plan)
{
	size_t cnt = 0;

	for (size_t i = 0; i < plan->probe_cnt; i++)
		cnt += plan->probes[i].on ? plan->probes[i].site_cnt : 0;
	return cnt;
}
