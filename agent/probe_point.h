/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_point: two functions of our own to try probes on, so that no other process is disturbed.
 * They are assembly because the first instruction is what is tried: the kernel emulates the one of
 * probe_point_emulated() inside the breakpoint's trap; the one of probe_point_stepped() it must run
 * out of line and trap again, which costs several times as much.
 * https://github.com/torvalds/linux/blob/v6.12/arch/x86/kernel/uprobes.c#L1034 (which are emulated)
 */
#ifndef GOSPAN_AGENT_PROBE_POINT_H
#define GOSPAN_AGENT_PROBE_POINT_H

#include <stdint.h>

uint64_t probe_point_emulated(uint64_t x); /* returns x */
uint64_t probe_point_stepped(uint64_t x);  /* returns x + 1, done by the first instruction */

enum { PROBE_POINT_STEPPED_SIZE = 4 }; /* bytes of that first instruction */

/* Where FUNCTION lies in the file /proc/self/exe. -ENOENT: not mapped from it. */
int probe_point__offset(uint64_t (*function)(uint64_t), uint64_t *offset);

#endif
