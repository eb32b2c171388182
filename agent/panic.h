/* SPDX-License-Identifier: Apache-2.0 */
/*
 * panic: what a panic's value was, told from its Go type in the executable: its type's name, and
 * the text that Go itself would print for strings, basic kinds, the runtime's errors and errors
 * made by errors.New and fmt.Errorf. Never a guess: other types have no text.
 */
#ifndef GOSPAN_AGENT_PANIC_H
#define GOSPAN_AGENT_PANIC_H

#include "build_span.h"
#include "../offsets/resolve.h"

struct panic {
	struct otlp_text type; /* "*errors.errorString", as %T with the full package path */
	struct otlp_text text; /* may be empty */
	/* http.ErrAbortHandler, or how a package of the standard library leaves a recursion of its own */
	bool is_no_exception;
};

/* VALUE as it travelled, TEXT the string at its start if there was one, STACK a struct panic_stack. */
struct panic_record {
	struct panic_value value;
	struct otlp_text text;
	struct raw stack;
};

/* BIAS is the executable's. Texts lie on B's workbench. */
void panic__describe(struct build_span *b, const struct resolve *r, const struct panic_record *record,
		     uint64_t bias, struct panic *out);

#endif
