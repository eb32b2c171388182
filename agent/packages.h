/* SPDX-License-Identifier: Apache-2.0 */
/*
 * packages: what is traced of an executable by Go package, as a person asks for it: the libraries, and
 * the packages that add to the spans of one (routers: http.route of net/http's).
 */
#ifndef GOSPAN_AGENT_PACKAGES_H
#define GOSPAN_AGENT_PACKAGES_H

#include "plan.h"

struct package {
	char name[128]; /* import path */
	bool linked;	/* the executable has some of the functions that are probed */
	bool on;
	char reason[200]; /* why it is off */
};

/* Of the executable that R has open; libraries first. A new array of *CNT to free; NULL without memory. */
struct package *packages__of(const struct plan *plan, const struct resolve *r, size_t *cnt);

/*
 * The one that WANTED names: its import path, or the end of that from a slash on, the major version
 * left out or not ("grpc", "chi", "chi/v5"). NULL when there is none.
 */
const struct package *packages__find(const struct package *all, size_t cnt, const char *wanted);

/* The one that a probed FUNCTION ("FUNC" or "CALLER>CALLEE") belongs to, or NULL. */
const struct package *packages__of_function(const struct package *all, size_t cnt,
					    const char *function);

#endif
