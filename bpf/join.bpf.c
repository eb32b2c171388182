// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* join: see join.bpf.h. */
#include "join.bpf.h"

enum { JOIN_TEXT_MAX = 64 }; /* bytes of each text that are compared; its length always is */

struct join_offer {
	__u64 hash;
	struct trace_context client;
};

/* An LRU: an offer whose end was missed does no harm, its connection is gone. */
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

/* 127.0.0.0/8 or ::1: means something in one network namespace only. */
static __always_inline bool is_loopback(const __u8 *ip)
{
	__u64 high = *(const __u64 *)ip, low = *(const __u64 *)(ip + 8);

	return !high && ((low & 0xffffffffff) == 0x7fffff0000 || low == 1ULL << 56);
}

static __always_inline void set_key(struct join_key *key, const struct net_end *client,
				    const struct net_end *server, __u32 stream)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	__builtin_memcpy(key->client, client->ip, sizeof(key->client));
	key->client_port = client->port;
	key->server_port = server->port;
	key->stream = stream;
	key->net_ns = is_loopback(client->ip) ? BPF_CORE_READ(task, nsproxy, net_ns, ns.inum) : 0;
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

/* Go's client leaves out a method that is GET and a path that is "/". */
static __always_inline __u64 hash_of(struct in_flight *span, const struct join_request *request)
{
	__u64 hash = hash_text(span, 1, &request->method, 'G' | 'E' << 8 | 'T' << 16);

	hash = hash_text(span, hash, &request->path, '/');
	return hash_text(span, hash, &request->host, 0);
}

__weak int join_is_active(void)
{
	__u8 *used = state();

	return join_calls && used && *used;
}

__weak int join_offer(struct in_flight *span, const struct go_interface *conn,
			const struct join_request *request)
{
	struct join_offer offer = {};
	struct join_key key; /* to 6.1 a map's key must lie on the stack or in a map */
	struct net_ends ends = {};
	__u8 *used = state();

	if (!span || !conn || !request)
		return 0;
	if (!join_calls || !used || net_ends_of(conn, span->record.bias, &ends))
		return 0;
	set_key(&span->join, &ends.local, &ends.remote, request->stream);
	offer.hash = hash_of(span, request);
	span_context(span, &offer.client);
	*used = 1;
	key = span->join;
	span->joins = !bpf_map_update_elem(&joins, &key, &offer, BPF_ANY);
	return 0;
}

__weak int join_accept(struct in_flight *span, const struct go_interface *conn,
			 const struct join_request *request, struct trace_context *parent)
{
	struct join_offer *offer;
	struct net_ends ends = {};
	struct join_key key;

	if (!span || !conn || !request || !parent)
		return 0;
	if (net_ends_of(conn, span->record.bias, &ends))
		return 0;
	set_key(&span->join, &ends.remote, &ends.local, request->stream);
	key = span->join;
	offer = bpf_map_lookup_elem(&joins, &key);
	if (!offer || offer->hash != hash_of(span, request))
		return 0;
	if (parent->from && !is_same_trace(parent->trace_id, offer->client.trace_id))
		return 0;
	*parent = offer->client;
	if (parent->from == PARENT_LOCAL)
		parent->from = PARENT_REMOTE;
	return 0;
}

__weak int join_withdraw(struct in_flight *span)
{
	struct join_key key;

	if (!span || !span->joins)
		return 0;
	key = span->join;
	return bpf_map_delete_elem(&joins, &key);
}
