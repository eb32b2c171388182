/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hit_cost: what one probe hit costs on this machine, measured on two functions of our own with an
 * empty BPF program. The difference between the two is why probes are put on instructions that the
 * kernel emulates (offsets/sites.h).
 */
#ifndef GOSPAN_AGENT_HIT_COST_H
#define GOSPAN_AGENT_HIT_COST_H

#include <stdbool.h>

struct hit_cost {
	double emulated_ns; /* a hit on an instruction that the kernel emulates */
	double stepped_ns;  /* a hit on one that it runs out of line */
	double detach_ms;   /* closing the link or links, all at once */
};

/* MULTI: attach by uprobe_multi, else by perf events. CNT calls each. Negative errno. */
int hit_cost__measure(bool multi, unsigned cnt, struct hit_cost *out);

#endif
