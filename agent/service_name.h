/* SPDX-License-Identifier: Apache-2.0 */
/* service_name: service.name by design's *Names* rule. Inside of target; pure. */
#ifndef GOSPAN_AGENT_SERVICE_NAME_H
#define GOSPAN_AGENT_SERVICE_NAME_H

/* Candidates in the order of their right; NULL or "" when there is none. */
struct name_sources {
	const char *flag;	    /* --service-name */
	const char *own_name;	    /* our OTEL_SERVICE_NAME; NULL with several executables */
	const char *own_attribute;  /* service.name in our OTEL_RESOURCE_ATTRIBUTES; likewise */
	const char *their_name;	    /* the target's OTEL_SERVICE_NAME */
	const char *their_attribute;
	const char *exe_path;
	const char *main_path;	    /* package path of main */
};

/* Owned by the caller; NULL: no memory. */
char *service_name__choose(const struct name_sources *sources);

#endif
