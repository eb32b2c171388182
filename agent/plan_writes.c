// SPDX-License-Identifier: Apache-2.0
/* plan_writes: the programs of a plan that write into the target; see plan.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"

/* PROGRAM "": any that writes. */
static bool is_attached(const struct plan *plan, const char *program)
{
	for (size_t i = 0; i < plan->probe_cnt; i++) {
		const struct declared_probe *d = plan->probes[i].declared;

		if (plan->probes[i].on && (*program ? !strcmp(d->program, program) : d->writes))
			return true;
	}
	return false;
}

void plan__settle(struct plan *plan)
{
	for (size_t i = 0; i < plan->declarations->value_cnt; i++) {
		struct planned_value *v = &plan->values[i];

		if (v->declared->what != DECLARED_ATTACHED)
			continue;
		v->found = true;
		v->value = is_attached(plan, v->declared->path);
	}
}

bool plan__writes(const struct plan *plan)
{
	return is_attached(plan, "");
}

static void remark_writes(struct plan *plan, bool on, const char *remark)
{
	for (size_t i = 0; i < plan->probe_cnt; i++) {
		struct planned_probe *p = &plan->probes[i];

		if (!p->on || !p->declared->writes)
			continue;
		p->on = on;
		snprintf(p->reason, sizeof(p->reason), "%s", remark);
	}
}

void plan__drop_writes(struct plan *plan, const char *reason)
{
	remark_writes(plan, false, reason);
}

void plan__judge_writes(struct plan *plan, int err)
{
	if (err == -EPERM || err == -EACCES)
		remark_writes(plan, true,
			      "only if the kernel lets BPF programs write: that takes privileges to try");
	else if (err)
		plan__drop_writes(plan, "the kernel lets no BPF program write into a process");
}
