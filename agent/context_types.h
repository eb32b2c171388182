/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context_types: which types of an executable are a context.Context and hold the one they come from
 * anywhere else than in an interface at offset 0, as most of the standard library's do
 * (src/context/context.go, Go 1.19 to 1.27, but timerCtx of 1.20, which embeds a *cancelCtx).
 *
 * A type's parent is, by its type data, the first there is of: a context that it embeds, whose
 * methods are then its own; another field that is a context; a *net/http.Request. Structs that it
 * embeds, by value or by pointer, are looked into. Structs that are a single pointer (struct{ *T })
 * and are held in an interface by value have no address, and are left out.
 */
#ifndef GOSPAN_AGENT_CONTEXT_TYPES_H
#define GOSPAN_AGENT_CONTEXT_TYPES_H

#include "../bpf/span.h"
#include "../offsets/resolve.h"

/* Fills OUT by ascending type, and gives their number. */
size_t context_types__find(const struct resolve *r,
			   struct context_type out[static CONTEXT_TYPES_MAX]);

#endif
