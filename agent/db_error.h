/* SPDX-License-Identifier: Apache-2.0 */
/* db_error: what the error types of database drivers say beside their message. */
#ifndef GOSPAN_AGENT_DB_ERROR_H
#define GOSPAN_AGENT_DB_ERROR_H

#include "go_error.h"

/* Is TYPE one whose first text is its message? */
bool db_error__is(const char *type);

/*
 * The code by which the database names the error: SQLSTATE, or the number that it has instead.
 * Empty when TYPE is no driver's or has none. BIAS is the executable's.
 */
struct otlp_text db_error__code(struct build_span *b, const struct resolve *r,
				const struct error_link *link, const char *type, uint64_t bias);

#endif
