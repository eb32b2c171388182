// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * context: see context.bpf.h.
 *
 * Every context type of the standard library that has a parent holds it as its first field, an
 * interface at offset 0: valueCtx, cancelCtx, timerCtx (a cancelCtx first), afterFuncCtx, stopCtx,
 * withoutCancelCtx; src/context/context.go, Go 1.19 to 1.27 (in 1.20 timerCtx has a pointer to a
 * cancelCtx). The chain is followed by that alone: a type that has something else there leads
 * nowhere, or to an object that is not registered. Then it is followed once more by the table of the
 * types that keep their parents elsewhere.
 * A registered object may have been freed and its address used again, so its parent pointer, which
 * never changes in its life, is kept as a check.
 */
#include "context.bpf.h"
#include "database_sql.bpf.h"
#include "otel_sdk.bpf.h"

enum { CONTEXT_DEPTH_MAX = 32 };

struct context_key {
	__u32 process;
	__u32 pad;
	__u64 context;
};

struct context_owner {
	__u64 context; /* as in the key: an LRU gives a value to another key without waiting for readers */
	__u64 parent;  /* data word of the parent interface when registered */
	struct trace_context span;
};

/* An LRU: entries outlive their span, for calls that are made after the handler returned. */
struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 8192);
	__type(key, struct context_key);
	__type(value, struct context_owner);
} contexts SEC(".maps");

/* Span that was open where a goroutine was started. Ids of goroutines are not used again. */
struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 8192);
	__type(key, struct goroutine_key);
	__type(value, __u64);
} births SEC(".maps");

/* Types whose parent is elsewhere (Go 1.20's timerCtx, gin.Context, the program's own), by type. */
const volatile __u32 context_type_cnt = CONTEXT_TYPES_MAX;
const volatile struct context_type context_types[CONTEXT_TYPES_MAX];


/* net_http_server.bpf.c: type Request struct; otel_pairs.bpf.c */
extern const volatile __u16 request_ctx;
extern const volatile __u64 executable_end;

/* Who hands a request to another goroutine; and whether anything makes spans below a request. */
GO_FUNCTION(timeout_handler, "net/http.(*timeoutHandler).ServeHTTP");
const volatile __u8 makes_children GO_CHILDREN = 1;

/* What `go cr.backgroundRead()` of net/http starts for each request: to Go 1.21, from 1.22. */
GO_FUNCTION(background_read_func2, "net/http.(*connReader).startBackgroundRead.func2");
GO_FUNCTION(background_read_gowrap2, "net/http.(*connReader).startBackgroundRead.gowrap2");

/* src/runtime/runtime2.go */
GO_FIELD(runtime_g_m, pointer, "runtime.g.m");
GO_FIELD(runtime_m_curg, pointer, "runtime.m.curg");
GO_FIELD(runtime_g_startpc, int, "runtime.g.startpc");

/*
 * Background and TODO, where most ways end: part of the executable, and what lies behind them is
 * something else, which as a pointer leads to reads that fail and so cost ten times as much.
 */
static __always_inline bool is_static(__u64 object, __u64 bias)
{
	return object - bias < executable_end;
}

static __always_inline bool is_followed(void)
{
	return makes_children || timeout_handler;
}

__weak int context_register(struct in_flight *span, __u64 context)
{
	struct context_owner owner = {.context = context}, *before;
	struct context_key key;

	if (!span)
		return 0;
	key = (struct context_key){.process = span->owner.process, .context = context};
	if (!is_followed() || !context)
		return 0;
	owner.parent = go_word(context + 8);
	span_context(span, &owner.span);
	/*
	 * Memory is used again soon, and then there is an entry: overwriting it costs a tenth of another,
	 * for which an LRU throws the oldest out. Nobody else has a context that begins now.
	 */
	before = bpf_map_lookup_elem(&contexts, &key);
	if (before) {
		*before = owner;
		return 0;
	}
	return bpf_map_update_elem(&contexts, &key, &owner, BPF_ANY);
}

static __always_inline bool is_registered(struct context_key *key, struct trace_context *out)
{
	struct context_owner *owner = bpf_map_lookup_elem(&contexts, key);

	if (!owner || owner->context != key->context || owner->parent != go_word(key->context + 8))
		return false;
	*out = owner->span;
	return true;
}

/* What the way up has led past, and what it leads to. */
struct context_search {
	struct context_key key;
	struct trace_context remote; /* a parent that came from elsewhere */
	bool with_sdk;
};

/*
 * Is the object under S->key a span's? The SDK's span is the program's own idea of where it is. What
 * it only extracted from a message counts unless a span of ours further out is of the same trace:
 * that is the server's, for which the message was.
 */
static __always_inline bool is_found(struct context_search *s, __u64 bias, struct trace_context *out)
{
	struct trace_context found = {};

	if (is_registered(&s->key, out)) {
		if (s->remote.from && !is_same_trace(s->remote.trace_id, out->trace_id))
			*out = s->remote;
		return true;
	}
	if (!otel_key_type || !s->with_sdk || !sdk_span_in(s->key.context, bias, &found))
		return false;
	if (found.from == PARENT_REMOTE && !s->remote.from)
		s->remote = found;
	if (found.from == PARENT_REMOTE)
		return false;
	*out = s->remote.from ? s->remote : found;
	return true;
}

/* At the end of the way. */
static __always_inline int only_remote(const struct context_search *s, struct trace_context *out)
{
	if (!s->remote.from)
		return 0;
	*out = s->remote;
	return 1;
}

/* Has the executable types with their parents elsewhere, and is that of CONTEXT known? */
static __always_inline bool may_ask_types(const struct go_interface *context)
{
	return context_type_cnt && context->tab;
}

/* An object on the way up, by its type: link-time address, 0 where only the itab tells. */
struct context_step {
	struct go_interface at;
	__u64 type;
};

/* Index of TYPE in the table, or CONTEXT_TYPES_MAX. A global function: the verifier looks at it once. */
__weak int context_type_index(__u64 type)
{
	for (__u32 i = 0; i < CONTEXT_TYPES_MAX && i < context_type_cnt; i++)
		if (context_types[i].type == type)
			return i;
	return CONTEXT_TYPES_MAX;
}

/* From one object to its parent. */
static __always_inline void step_by_type(struct context_step *step, __u64 bias)
{
	__u64 type = step->type ? step->type : go_word(step->at.tab + 8) - bias;
	__u64 object = step->at.data;
	__u32 i = context_type_index(type);

	step->type = 0;
	barrier_var(i); /* 6.1 follows the bound only in the register that indexes */
	if (i < CONTEXT_TYPES_MAX) {
		object += context_types[i].offset;
		if (context_types[i].via == CONTEXT_VIA_POINTER) {
			step->type = context_types[i].next;
			step->at.data = go_word(object);
			return;
		}
		if (context_types[i].via == CONTEXT_VIA_REQUEST)
			object = go_word(object) + request_ctx;
	} else if (is_static(object, bias)) {
		step->at.data = 0;
		return;
	}
	if (bpf_probe_read_user(&step->at, sizeof(step->at), (void *)object))
		step->at.data = 0;
}

__weak int context_find_up(const struct goroutine *on, const struct go_interface *context, __u64 bias,
			   struct trace_context *out)
{
	struct context_search s = {};

	if (!on || !context || !out || !is_followed())
		return 0;
	s.key.process = on->process;
	s.key.context = context->data;
	s.with_sdk = context->tab;
	for (int i = 0; i < CONTEXT_DEPTH_MAX && s.key.context; i++) {
		if (is_static(s.key.context, bias))
			break;
		if (is_found(&s, bias, out))
			return 1;
		s.key.context = go_word(s.key.context + 8);
	}
	return may_ask_types(context) ? 0 : only_remote(&s, out);
}

__weak int context_find_by_type(const struct goroutine *on, const struct go_interface *context,
				__u64 bias, struct trace_context *out)
{
	struct context_search s = {.with_sdk = true};
	struct context_step step = {};

	if (!on || !context || !out || !is_followed() || !may_ask_types(context))
		return 0;
	s.key.process = on->process;
	step.at = *context;
	for (int i = 0; i < CONTEXT_DEPTH_MAX && step.at.data; i++) {
		s.key.context = step.at.data;
		if (is_found(&s, bias, out))
			return 1;
		step_by_type(&step, bias);
	}
	return only_remote(&s, out);
}

__weak __u64 context_of_birth(const struct goroutine *on)
{
	struct goroutine_key key = {};
	__u64 *id;

	if (!on || !makes_children)
		return 0;
	key.process = on->process;
	key.goid = on->goid;
	id = bpf_map_lookup_elem(&births, &key);
	return id ? *id : 0;
}

/* START is a link-time address; it makes no spans. */
static __always_inline bool is_background_read(__u64 start)
{
	return (background_read_gowrap2 && start == background_read_gowrap2) ||
	       (background_read_func2 && start == background_read_func2);
}

/*
 * func newproc(fn *funcval): its closure, on the system stack, puts the new goroutine in a queue:
 * func runqput(pp *p, gp *g, next bool), src/runtime/proc.go, Go 1.19 to 1.27.
 */
SEC("go_call/runtime.newproc.func1>runtime.runqput")
GO_CHILDREN
int goroutine_start(struct pt_regs *ctx)
{
	struct goroutine creator = {};
	struct goroutine_key child = {};
	__u64 machine, g, id, new_g = go_arg(ctx, 1), start = 0;

	stay_on_own_stack(ctx);
	if (runtime_g_m == GO_ABSENT || runtime_m_curg == GO_ABSENT)
		return 0;
	if (runtime_g_startpc != GO_ABSENT)
		start = go_word(new_g + runtime_g_startpc) - go_bias(ctx);
	if (is_background_read(start))
		return 0;
	machine = go_word(go_g(ctx) + runtime_g_m);
	g = go_word(machine + runtime_m_curg);
	/* none: a timer starts one (time.AfterFunc) */
	if (!g || goroutine_at(g, &creator))
		return 0;
	id = span_id_of(&creator);
	if (!id || sql_watches_rows(&creator, start))
		return 0; /* in no span, or it makes none */
	child.process = creator.process;
	child.goid = goid_of(new_g);
	if (child.goid)
		bpf_map_update_elem(&births, &child, &id, BPF_ANY);
	return 0;
}
