/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor: `gospan doctor`: what this kernel and these capabilities allow, feature by feature, found
 * by trying (agent/features, agent/hit_cost) and by a look around (agent/doctor_host), and what is
 * lost without each. Changes nothing; takes about a second.
 */
#ifndef GOSPAN_AGENT_DOCTOR_H
#define GOSPAN_AGENT_DOCTOR_H

#include <stdbool.h>
#include <stdio.h>

struct check {
	const char *name;	/* stable: scripts rely on it */
	bool ok;		/* false: what it is needed for is lost or limited here */
	char value[160];	/* what was found */
	const char *needed_for;
	const char *advice;	/* how to get it; printed only when not ok */
};

/*
 * Prints the checks to OUT: a table, or with JSON one object {works, reason, checks[]: {name, ok,
 * value, needed_for, advice}}. Returns the exit status: 0 if tracing works here, else 1.
 */
int doctor__run(bool json, FILE *out);

#endif
