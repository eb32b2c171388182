/* SPDX-License-Identifier: Apache-2.0 */
/*
 * go_error: an error that a function returned, in the words of its Error method where those follow
 * from its type: errors.New, errors.Join, fmt.Errorf, the ones of net, os, syscall, crypto/tls, crypto/x509 and
 * HTTP/2. Others have a type only.
 */
#ifndef GOSPAN_AGENT_GO_ERROR_H
#define GOSPAN_AGENT_GO_ERROR_H

#include "body.h"
#include "build_span.h"
#include "../offsets/resolve.h"

enum { GO_ERROR_DEPTH = 8, GO_ERROR_TEXTS = 3, GO_ERROR_ADDRESSES = 2 };

/* One error of a chain, as it travelled. */
struct error_link {
	struct panic_value value;
	struct otlp_text texts[GO_ERROR_TEXTS];
	size_t text_cnt;
	struct ip_address addresses[GO_ERROR_ADDRESSES]; /* where from, where to */
	size_t address_cnt;
};

/* Outermost first. */
struct error_chain {
	struct error_link at[GO_ERROR_DEPTH];
	size_t cnt;
};

struct go_error {
	/*
	 * Of the innermost error with a type that tells something, or context.Canceled or
	 * context.DeadlineExceeded; empty: none. Where an error holds several, none of theirs: one
	 * is not what the others are.
	 */
	struct otlp_text type;
	struct otlp_text outer; /* type of the error itself */
	struct otlp_text text;	/* may be empty */
	struct otlp_text code; /* of a database: what it calls the error; empty: nothing */
};

/* Adds a record's row under ATTR_ERROR, ATTR_ERROR_TEXT or ATTR_ERROR_ADDRESS. */
void go_error__read(struct error_chain *chain, const struct body *body, const struct row *row);

/* Texts lie on B's workbench. BIAS is the executable's, R may be NULL. */
void go_error__describe(struct build_span *b, const struct resolve *r,
			const struct error_chain *chain, uint64_t bias, struct go_error *out);

#endif
