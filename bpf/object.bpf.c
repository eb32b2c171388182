// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* object: spans that are found by an object of the target, such as a stream; see span.bpf.h. */
#include "span.bpf.h"

/* Id of the span. As many as there can be spans under way; set by the agent. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, struct object_key);
	__type(value, __u64);
} objects SEC(".maps");

static __always_inline struct object_key key_of(__u32 process, __u64 object)
{
	struct object_key key = {.process = process, .object = object};

	return key;
}

/* The memory of its object is used again, so the program has forgotten it. */
static __always_inline void abandon(struct in_flight *span)
{
	struct goroutine on = {};

	/* a server's may still be on its goroutine, which has left it without an end that is seen */
	if (!span->detached && span->record.kind != SPAN_SERVER)
		return;
	on.process = span->owner.process;
	on.pid = span->owner.pid;
	on.goid = span->owner.goid;
	if (!span->owner.silent)
		fail(span->record.pid, FAIL_ABANDONED);
	span->owner.silent = 1; /* what span_drop() does, whose call would be one too many on the stack */
	span_end(&on, span);
}

/* Under a key that is no object's: what is listed twice takes two places as long as it lasts. */
static __always_inline void list_as_nothing(struct in_flight *span, __u64 id, __u64 object)
{
	struct object_key key = key_of(span->owner.process, id);

	if (!bpf_map_update_elem(&objects, &key, &id, BPF_ANY))
		span->owner.listed[span->owner.listed[0] == object ? 0 : 1] = id;
}

static __always_inline int object_is_new(__u32 process, __u64 object)
{
	struct object_key key = key_of(process, object);
	__u64 id, *listed = bpf_map_lookup_elem(&objects, &key);
	struct in_flight *span;

	id = listed ? *listed : 0;
	span = id ? span_by_id(id) : NULL;
	if (!span)
		return 0;
	if (span->object == object)
		abandon(span);
	else
		list_as_nothing(span, id, object);
	return 0;
}

static __always_inline bool take_off(const struct in_flight *span, __u64 object)
{
	struct object_key key = key_of(span->owner.process, object);
	__u64 id, *listed = bpf_map_lookup_elem(&objects, &key);

	__builtin_memcpy(&id, span->record.span_id, sizeof(id));
	return listed && *listed == id && !bpf_map_delete_elem(&objects, &key);
}

__weak int span_object_is_new(__u32 process, __u64 object)
{
	return object_is_new(process, object);
}

__weak int span_list_as(struct in_flight *span, __u64 object)
{
	struct object_key key;
	__u64 id;

	if (!span)
		return 0;
	key = key_of(span->owner.process, object);
	__builtin_memcpy(&id, span->record.span_id, sizeof(id));
	if (!span_is_listed(span, object))
		object_is_new(key.process, object);
	if (bpf_map_update_elem(&objects, &key, &id, BPF_ANY))
		return 0;
	span->owner.listed[span->owner.listed[0] ? 1 : 0] = object;
	return 0;
}

__weak int span_list(struct in_flight *span)
{
	if (!span)
		return 0;
	span_list_as(span, span->object);
	if (!span_is_listed(span, span->object))
		fail(span->record.pid, FAIL_IN_FLIGHT_FULL);
	return 0;
}

__weak int span_relist(struct in_flight *span, __u64 object)
{
	if (!span || span->owner.listed[0] == object)
		return 0;
	if (span->owner.listed[0])
		take_off(span, span->owner.listed[0]);
	span->owner.listed[0] = 0;
	span->lent = 1;
	return span_list_as(span, object);
}

__hidden struct in_flight *span_by_object(const struct goroutine *on, __u64 object)
{
	struct object_key key = key_of(on->process, object);
	__u64 *id = bpf_map_lookup_elem(&objects, &key);

	return id ? span_by_id(*id) : NULL;
}

__weak int span_unlist_as(const struct in_flight *span, __u64 object)
{
	return span && take_off(span, object);
}

__hidden bool span_unlist(const struct in_flight *span)
{
	bool was_listed = take_off(span, span->owner.listed[0]);

	if (span->owner.listed[1])
		take_off(span, span->owner.listed[1]);
	return was_listed || span->lent;
}
