/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan: what would be attached to one executable, where, and what not and why. Needs no privileges:
 * `inspect` prints it, attach carries it out.
 */
#ifndef GOSPAN_AGENT_PLAN_H
#define GOSPAN_AGENT_PLAN_H

#include "config.h"
#include "declarations.h"

#define OTEL_SDK_PACKAGE "go.opentelemetry.io/otel/sdk/trace"

enum { PLAN_SITES_MAX = 32 };

/* One function of one declared probe. */
struct planned_probe {
	const struct declared_probe *declared;
	size_t program;	      /* index of the program: declared - declarations->probes */
	const char *function; /* as declared: "FUNC" or "CALLER>CALLEE" */
	bool on;
	bool unlinked;	  /* the executable does not have the (calling) function */
	char reason[160]; /* why it is off; of one that is on, why it costs more than it might */
	struct site sites[PLAN_SITES_MAX];
	uint64_t site_offs[PLAN_SITES_MAX]; /* file offsets */
	size_t site_cnt;
};

struct planned_value {
	const struct declared_value *declared;
	bool found;
	uint64_t value;
	enum go_kind kind;
	enum fact_source source;
	char reason[160];
};

struct planned_library {
	const struct declared_library *declared;
	bool on;
	bool linked; /* the executable has some of its functions */
	const char *instrumented; /* linked instrumentation of it for an OpenTelemetry SDK, or NULL */
	char reason[200];
};

struct plan {
	const struct declarations *declarations;
	struct planned_library *libraries; /* as declarations->libraries */
	struct planned_value *values;	   /* as declarations->values */
	struct planned_probe *probes;
	size_t probe_cnt;
	bool has_sdk; /* an OpenTelemetry SDK is linked */
	uint64_t sdk_libraries; /* bits of those that are left to the SDK once it makes spans */
};

int plan__new(const struct declarations *d, const struct resolve *r, struct plan **out);
void plan__free(struct plan *plan);

/* Does a program that is on write into the target? */
bool plan__writes(const struct plan *plan);
/* Turns such programs off, for REASON. */
void plan__drop_writes(struct plan *plan, const char *reason);
/* The same if the kernel does not allow it: ERR is what features__try_write() said. */
void plan__judge_writes(struct plan *plan, int err);

/* Nothing is turned off any more: fills in what is attached. */
void plan__settle(struct plan *plan);

/*
 * Turns PROGRAM (an index into the declarations' probes) off, for REASON, and its library with it if
 * that needs it. LOST becomes what is missing then, in words.
 */
void plan__refuse(struct plan *plan, size_t program, const char *reason, struct why *lost);

/*
 * Client and server of a package are libraries of one name. True for the first one of a name; OUT is
 * what they are together: on when nothing of it that is linked is off.
 */
bool plan__package(const struct plan *plan, size_t library, struct planned_library *out);

/* Is any library on? */
bool plan__is_useful(const struct plan *plan);

/* Why none is, as one line about the executable at PATH. */
void plan__why_useless(const struct plan *plan, const char *path, struct why *why);

/*
 * What is to be done once an OpenTelemetry SDK inside the program makes spans. A new plan is for
 * WITH_SDK_FILL.
 */
void plan__beside_sdk(struct plan *plan, enum with_sdk how);

/* Names of the libraries that are left to the SDK, and of what instruments them. */
void plan__left_to_sdk(const struct plan *plan, char *buf, size_t buf_sz);

/*
 * name_hash() of the tracers' names (their package paths) of linked instrumentation whose libraries
 * are all on. The number of them.
 */
size_t plan__known_tracers(const struct plan *plan, uint64_t out[static KNOWN_TRACERS_MAX]);

/* Sites of all probes that are on. */
size_t plan__site_cnt(const struct plan *plan);

#endif
