// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * context: see context.bpf.h.
 *
 * Every context type of the standard library that has a parent holds it as its first field, an
 * interface at offset 0: valueCtx, cancelCtx, timerCtx (a cancelCtx first), afterFuncCtx, stopCtx,
 * withoutCancelCtx; src/context/context.go, Go 1.19 to 1.27. The chain is followed by that alone:
 * a type that has something else there leads nowhere, or to an object that is not registered.
 * A registered object may have been freed and its address used again, so its parent pointer, which
 * never changes in its life, is kept as a check.
 */
#include "context.bpf.h"

enum { CONTEXT_DEPTH_MAX = 24 };

struct context_key {
	__u32 tgid;
	__u32 pad;
	__u64 context;
};

struct context_owner {
	__u64 parent; /* data word of the parent interface when registered */
	__u64 span;
};

/* An LRU: entries outlive their span, for calls that are made after the handler returned. */
struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 8192);
	__type(key, struct context_key);
	__type(value, struct context_owner);
} contexts SEC(".maps");

/* Types whose parent is elsewhere (Go 1.20's timerCtx, gin.Context, the program's own), by type. */
const volatile __u32 context_type_cnt = CONTEXT_TYPES_MAX;
const volatile struct context_type context_types[CONTEXT_TYPES_MAX];

/* Who hands a request to another goroutine: without any, contexts need not be followed. */
GO_FUNCTION(timeout_handler, "net/http.(*timeoutHandler).ServeHTTP");

__hidden int context_register(struct in_flight *span)
{
	struct context_key key = {.tgid = span->owner.tgid, .context = span->context};
	struct context_owner owner = {};

	if (!timeout_handler || !span->context)
		return 0;
	owner.parent = go_word(span->context + 8);
	__builtin_memcpy(&owner.span, span->record.span_id, sizeof(owner.span));
	return bpf_map_update_elem(&contexts, &key, &owner, BPF_ANY);
}

__hidden struct in_flight *context_find(const struct goroutine *on, __u64 context)
{
	struct context_key key = {.tgid = on->tgid, .context = context};

	if (!timeout_handler)
		return NULL;
	for (int i = 0; i < CONTEXT_DEPTH_MAX && key.context; i++) {
		struct context_owner *owner = bpf_map_lookup_elem(&contexts, &key);
		__u64 parent = go_word(key.context + 8);

		if (owner && owner->parent == parent)
			return span_by_id(owner->span);
		key.context = parent;
	}
	return NULL;
}
