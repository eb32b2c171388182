/* SPDX-License-Identifier: Apache-2.0 */
/* go_error_words: what one error of a chain says itself, by its type; for go_error.c. */
#ifndef GOSPAN_AGENT_GO_ERROR_WORDS_H
#define GOSPAN_AGENT_GO_ERROR_WORDS_H

#include "go_error.h"

struct error_words {
	struct otlp_text text; /* on the workbench; may be empty */
	const char *before_wrapped; /* stands between this and what the wrapped error says */
	bool complete; /* the wrapped error's words are in it */
	uint64_t more; /* errors that it wraps beside the one that follows in the chain */
};

/* TYPE is the error's, R may be NULL. */
struct error_words go_error__words(struct build_span *b, const struct resolve *r,
				   const struct error_link *link, const char *type, uint64_t bias);

#endif
