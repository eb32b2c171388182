/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * context: which span a context.Context belongs to (design D7). A span registers its request's
 * context; a context derived from it leads back through its parents.
 */
#ifndef GOSPAN_BPF_CONTEXT_H
#define GOSPAN_BPF_CONTEXT_H

#include "span.bpf.h"

/* Remembers that SPAN->context is SPAN's. Nothing to do unless something here asks for contexts. */
int context_register(struct in_flight *span);

/* The span under way that CONTEXT (the data word of an interface), or an ancestor of it, is of. */
struct in_flight *context_find(const struct goroutine *on, __u64 context);

#endif
