/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stack: the stack of a panic in the form in which Go prints it, but for the values of arguments. What
 * Go leaves out (its runtime's own functions, wrappers), what it puts in (functions that were inlined)
 * and where it cuts is the same.
 */
#ifndef GOSPAN_AGENT_STACK_H
#define GOSPAN_AGENT_STACK_H

#include "build_span.h"
#include "../offsets/resolve.h"

/* The SZ bytes at RAW are a struct panic_stack as it travelled; empty when they make no sense. */
struct otlp_text stack__print(struct build_span *b, const struct resolve *r, const uint8_t *raw,
			      size_t sz);

/* The function that called panic, valid as long as R; NULL when that is not known. */
const char *stack__raiser(const struct resolve *r, const uint8_t *raw, size_t sz);

#endif
