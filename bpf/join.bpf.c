// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* join: see join.bpf.h. */
#include "join.bpf.h"

enum { JOIN_TEXT_MAX = 64 }; /* bytes of each text that are compared; its length always is */

struct join_offer {
	__u64 asked; /* hash of what is; 0: nobody can tell whose */
	struct trace_context client;
};

/* An LRU: an offer that nobody took does no harm, no other connection is like its own. */
struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 8192);
	__type(key, struct join_key);
	__type(value, struct join_offer);
} joins SEC(".maps");

/* Has anybody ever made an offer? Servers need not look at their connections before. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u8);
} join_state SEC(".maps");

const volatile __u8 join_calls = 1; /* trace context is propagated at all */

static __always_inline __u8 *state(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&join_state, &key);
}

static __always_inline __u64 mix(__u64 hash, __u64 word)
{
	hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
	return hash ^ hash >> 29;
}

/* OTHERWISE: what stands for an empty text, up to eight characters. */
static __noinline __u64 hash_text(struct in_flight *span, __u64 hash, const struct go_string *s,
				  __u64 otherwise)
{
	__u32 len = s->len < JOIN_TEXT_MAX ? s->len : JOIN_TEXT_MAX;
	__u64 *text = (void *)span_scratch(span);

	__builtin_memset(text, 0, JOIN_TEXT_MAX);
	if (len)
		bpf_probe_read_user(text, len, (void *)s->ptr);
	else
		text[0] = otherwise;
	for (int i = 0; i < JOIN_TEXT_MAX / 8; i++)
		hash = mix(hash, text[i]);
	return s->len > JOIN_TEXT_MAX ? mix(hash, s->len) : hash;
}

/* Never 0. Go's client leaves out a method that is GET and a path that is "/". */
static __always_inline __u64 hash_of(struct in_flight *span, const struct join_request *request)
{
	__u64 hash = hash_text(span, 1, &request->method, request->no_method);

	hash = hash_text(span, hash, &request->path, '/');
	return hash_text(span, hash, &request->host, 0) | 1;
}

__weak int join_is_active(void)
{
	__u8 *used = state();

	return join_calls && used && *used;
}

__weak int join_ask(struct in_flight *span, const struct join_request *request)
{
	if (!span || !request || !join_calls)
		return 0;
	span->asked = hash_of(span, request);
	return 0;
}

/*
 * Another call waits for its answer on the same connection: it is none of HTTP/1.1 or a stream alone,
 * but one that a type of the program's own shares among several. From now on none there is joined.
 */
static __always_inline bool is_shared(const struct join_offer *before, const struct in_flight *span)
{
	__u64 ours, theirs;

	__builtin_memcpy(&ours, span->record.span_id, sizeof(ours));
	__builtin_memcpy(&theirs, before->client.span_id, sizeof(theirs));
	return !before->asked || (ours != theirs && span_by_id(theirs));
}

__weak int join_offer(struct in_flight *span, __u64 object, const struct go_interface *conn,
		      __u32 stream)
{
	struct join_offer offer = {}, *before;
	struct join_key key = {}; /* to 6.1 a map's key must lie on the stack or in a map */
	struct net_identity ends = {};
	__u8 *used = state();

	if (!span || !conn)
		return 0;
	offer.asked = span->asked;
	if (!offer.asked || !used || net_identity(conn, span->record.bias, true, &ends))
		return 0;
	span_context(span, &offer.client);
	if (object && span->owner.listed[0] != object)
		return 0;
	join_withdraw(span); /* an earlier attempt's */
	key.client = ends.sent;
	key.server = ends.received;
	key.stream = stream;
	before = bpf_map_lookup_elem(&joins, &key);
	if (before && is_shared(before, span)) {
		before->asked = 0;
		__builtin_memset(&before->client, 0, sizeof(before->client)); /* nobody's to withdraw */
		return 0;
	}
	span->join = key;
	*used = 1;
	span->joins = !bpf_map_update_elem(&joins, &key, &offer, BPF_ANY);
	return 0;
}

__weak int join_accept(struct in_flight *span, const struct go_interface *conn,
		       const struct join_request *request, struct trace_context *parent)
{
	struct join_offer *offer;
	struct net_identity ends = {};
	struct join_key key = {};

	if (!span || !conn || !request || !parent)
		return 0;
	if (net_identity(conn, span->record.bias, false, &ends))
		return 0;
	key.client = ends.received;
	key.server = ends.sent;
	key.stream = request->stream;
	offer = bpf_map_lookup_elem(&joins, &key);
	if (!offer || offer->asked != hash_of(span, request))
		return 0;
	if (parent->from && !is_same_trace(parent->trace_id, offer->client.trace_id))
		return 0;
	*parent = offer->client;
	if (parent->from == PARENT_LOCAL)
		parent->from = PARENT_REMOTE;
	/*
	 * Now, as long as the connection is busy with this request: when its client ends, the next one's
	 * offer may have taken the place, even between a look at it and its removal.
	 */
	return bpf_map_delete_elem(&joins, &key);
}

/*
 * A stream of HTTP/2 is one request's alone: its offer stays for a server that comes to it when the
 * client has given up. Over HTTP/1.1 the next request may have taken the offer's place by now.
 */
__weak int join_withdraw(struct in_flight *span)
{
	struct join_offer *offer;
	struct join_key key;
	__u64 ours, theirs;

	if (!span || !span->joins || span->join.stream)
		return 0;
	key = span->join;
	span->joins = 0;
	offer = bpf_map_lookup_elem(&joins, &key);
	if (!offer)
		return 0;
	__builtin_memcpy(&ours, span->record.span_id, sizeof(ours));
	__builtin_memcpy(&theirs, offer->client.span_id, sizeof(theirs));
	return ours == theirs ? bpf_map_delete_elem(&joins, &key) : 0;
}
