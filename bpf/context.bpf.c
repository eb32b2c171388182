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
 *
 * A registered object may have been freed and its address used again, most easily by another context:
 * one after the other comes from the same few places in memory. So what does not change in its life is
 * kept as a check: its type, its parent, a value's key and value. That leaves net/http's own, which are
 * cancelCtx like most of a program's. A server cancels them at the end of the request; one of a request
 * that is over and is not canceled is something else, and one that is has no other span above it.
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

enum context_kind { CONTEXT_OTHER, CONTEXT_VALUE, CONTEXT_CANCEL };

struct context_owner {
	__u64 context; /* as in the key: an LRU gives a value to another key without waiting for readers */
	__u64 tab;     /* of the interface that it was registered by; 0: unknown */
	__u64 parent;  /* data word of the parent interface */
	__u64 key;     /* of a valueCtx: type of the key, */
	__u64 val;     /* data word of the value */
	__u64 ended_ns; /* when its span did, if it is canceled only after that */
	__u32 kind;    /* enum context_kind */
	__u32 pad;
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

/* type valueCtx struct, type cancelCtx struct: err is an error, or from 1.25 or so a sync/atomic.Value */
GO_HELD(value_ctx, "context.Context", "*context.valueCtx");
GO_HELD(cancel_ctx, "context.Context", "*context.cancelCtx");
extern const volatile __u16 value_ctx_key; /* otel_sdk.bpf.c */
extern const volatile __u16 value_ctx_val; /* otel_api.bpf.c */
GO_FIELD(cancel_ctx_err, interface, "context.cancelCtx.err");
GO_FIELD(cancel_ctx_err_value, interface, "context.cancelCtx.err.v");

/* cause since Go 1.20, in which timerCtx has a pointer to its cancelCtx */
GO_FIELD(cancel_ctx_cause, interface, "context.cancelCtx.cause");
GO_HELD(timer_ctx, "context.Context", "*context.timerCtx");
GO_FIELD(timer_ctx_cancel, struct, "context.timerCtx.cancelCtx");
GO_TYPE(deadline_exceeded, "context.deadlineExceededError");

/* How long HTTP/2's server may take to cancel the context of a request whose handler has returned. */
enum { CANCEL_LATE_NS = 100000000 };

/* Who hands a request to another goroutine; and whether anything makes spans below a request. */
GO_FUNCTION(timeout_handler, "net/http.(*timeoutHandler).ServeHTTP");
const volatile __u8 makes_children GO_CHILDREN = 1;

/* What `go cr.backgroundRead()` of net/http starts for each request: to Go 1.21, from 1.22. */
GO_FUNCTION(background_read_func2, "net/http.(*connReader).startBackgroundRead.func2");
GO_FUNCTION(background_read_gowrap2, "net/http.(*connReader).startBackgroundRead.gowrap2");

/* src/runtime/runtime2.go */
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

static __always_inline __u16 err_in_cancel_ctx(void)
{
	return cancel_ctx_err != GO_ABSENT ? cancel_ctx_err : cancel_ctx_err_value;
}

static __always_inline enum context_kind kind_of(__u64 tab, __u64 bias)
{
	if (tab && go_holds(tab, value_ctx, bias) && value_ctx_key != GO_ABSENT &&
	    value_ctx_val != GO_ABSENT)
		return CONTEXT_VALUE;
	if (tab && go_holds(tab, cancel_ctx, bias) && err_in_cancel_ctx() != GO_ABSENT)
		return CONTEXT_CANCEL;
	return CONTEXT_OTHER;
}

__weak int context_register(struct in_flight *span, const struct go_interface *context)
{
	struct context_owner owner = {}, *before;
	struct context_key key;

	if (!span || !context || !is_followed() || !context->data)
		return 0;
	key = (struct context_key){.process = span->owner.process, .context = context->data};
	owner.context = context->data;
	owner.tab = context->tab;
	owner.parent = go_word(context->data + 8);
	owner.kind = kind_of(context->tab, span->record.bias);
	if (owner.kind == CONTEXT_VALUE) {
		owner.key = go_word(context->data + value_ctx_key);
		owner.val = go_word(context->data + value_ctx_val + 8);
	}
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

__weak int context_outlives(const struct in_flight *span, bool for_long)
{
	struct context_owner *owner;
	struct context_key key;

	if (!span || !is_followed())
		return 0;
	key = (struct context_key){.process = span->owner.process, .context = span->context};
	owner = bpf_map_lookup_elem(&contexts, &key);
	if (!owner || owner->context != key.context)
		return 0;
	if (for_long)
		owner->kind = CONTEXT_OTHER;
	else
		owner->ended_ns = bpf_ktime_get_boot_ns();
	return 0;
}

/* Two interfaces with methods that hold the same type; they may be of different interface types. */
static __always_inline bool is_same_type(__u64 tab, __u64 other)
{
	return tab == other || !tab || !other || go_word(tab + 8) == go_word(other + 8);
}

/* Is the object at OWNER->context, held by an interface with this TAB (0: unknown), still the same one? */
static __always_inline bool is_unchanged(const struct context_owner *owner, __u64 tab)
{
	if (owner->parent != go_word(owner->context + 8) || !is_same_type(tab, owner->tab))
		return false;
	return owner->kind != CONTEXT_VALUE ||
	       (owner->key == go_word(owner->context + value_ctx_key) &&
		owner->val == go_word(owner->context + value_ctx_val + 8));
}

enum context_found { NOT_FOUND, FOUND_PERHAPS, FOUND };

/* A cancelCtx has nothing of its own by which it could be told from another one in its place. */
static __always_inline enum context_found how_sure(const struct context_owner *owner)
{
	__u64 id;

	if (owner->kind != CONTEXT_CANCEL)
		return FOUND;
	__builtin_memcpy(&id, owner->span.span_id, sizeof(id));
	if (span_by_id(id))
		return FOUND; /* the server holds it */
	if (go_word(owner->context + err_in_cancel_ctx()) ||
	    (owner->ended_ns && bpf_ktime_get_boot_ns() - owner->ended_ns < CANCEL_LATE_NS))
		return FOUND_PERHAPS;
	return NOT_FOUND;
}

/* An enum context_found. */
__weak int context_find_registered(const struct context_key *at, __u64 tab, struct trace_context *out)
{
	struct context_owner *owner;
	struct context_key key;
	enum context_found found;

	if (!at || !out)
		return NOT_FOUND;
	key = *at; /* to 6.1 a key must be on our own stack */
	owner = bpf_map_lookup_elem(&contexts, &key);
	if (!owner || owner->context != key.context || !is_unchanged(owner, tab))
		return NOT_FOUND;
	found = how_sure(owner);
	if (found != NOT_FOUND)
		*out = owner->span;
	return found;
}

/* What the way up has led past, and what it leads to. */
struct context_search {
	struct context_key key;
	struct trace_context perhaps; /* of a cancelCtx whose request is over */
	struct trace_context remote; /* a parent that came from elsewhere */
	bool with_sdk;
};

/*
 * Is the object under S->key, held by an interface with this TAB, a span's? The SDK's span is the
 * program's own idea of where it is. What it only extracted from a message counts unless a span of ours
 * further out is of the same trace: that is the server's, for which the message was. A global function:
 * the verifier looks at it once, not for each step of each way.
 */
__weak int context_is_found(struct context_search *s, __u64 tab, __u64 bias, struct trace_context *out)
{
	struct trace_context found = {};

	if (!s || !out)
		return false;
	switch (context_find_registered(&s->key, tab, &found)) {
	case FOUND:
		*out = found;
		if (s->remote.from && !is_same_trace(s->remote.trace_id, out->trace_id))
			*out = s->remote;
		return true;
	case FOUND_PERHAPS:
		if (!s->perhaps.from)
			s->perhaps = found;
		return false;
	case NOT_FOUND:
		break;
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
static __always_inline int what_is_left(const struct context_search *s, struct trace_context *out)
{
	if (!s->remote.from && !s->perhaps.from)
		return 0;
	*out = s->perhaps;
	if (s->remote.from && !is_same_trace(s->remote.trace_id, out->trace_id))
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

/* From one object to its parent. A global function for the verifier as well. */
__weak int context_step_by_type(struct context_step *step, __u64 bias)
{
	__u64 type, object;
	__u32 i;

	if (!step)
		return 0;
	type = step->type ? step->type : go_word(step->at.tab + 8) - bias;
	object = step->at.data;
	i = context_type_index(type);
	step->type = 0;
	barrier_var(i); /* 6.1 follows the bound only in the register that indexes */
	if (i < CONTEXT_TYPES_MAX) {
		object += context_types[i].offset;
		if (context_types[i].via == CONTEXT_VIA_POINTER) {
			step->type = context_types[i].next;
			step->at.tab = 0; /* no interface holds it */
			step->at.data = go_word(object);
			return 0;
		}
		if (context_types[i].via == CONTEXT_VIA_REQUEST)
			object = go_word(object) + request_ctx;
	} else if (is_static(object, bias)) {
		step->at.data = 0;
		return 0;
	}
	if (bpf_probe_read_user(&step->at, sizeof(step->at), (void *)object))
		step->at.data = 0;
	return 0;
}

__weak int context_find_up(const struct goroutine *on, const struct go_interface *context, __u64 bias,
			   struct trace_context *out)
{
	struct context_search s = {};
	struct go_interface at;

	if (!on || !context || !out || !is_followed())
		return 0;
	s.key.process = on->process;
	s.with_sdk = context->tab;
	at = *context;
	for (int i = 0; i < CONTEXT_DEPTH_MAX && at.data && !is_static(at.data, bias); i++) {
		s.key.context = at.data;
		if (context_is_found(&s, at.tab, bias, out))
			return 1;
		/* not a break: to 6.1 what follows a call must not be where a loop begins */
		if (bpf_probe_read_user(&at, sizeof(at), (void *)at.data))
			at.data = 0;
	}
	return may_ask_types(context) ? 0 : what_is_left(&s, out);
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
		if (context_is_found(&s, step.at.tab, bias, out))
			return 1;
		context_step_by_type(&step, bias);
	}
	return what_is_left(&s, out);
}

/* The cancelCtx that a context is or begins with, 0: none. */
static __always_inline __u64 cancel_ctx_in(const struct go_interface *context, __u64 bias)
{
	if (go_holds(context->tab, cancel_ctx, bias))
		return context->data;
	if (timer_ctx_cancel != GO_ABSENT && go_holds(context->tab, timer_ctx, bias))
		return context->data + timer_ctx_cancel;
	return 0;
}

/* Only with a cause of the program's own is that a question: without one the error tells. */
static __always_inline bool is_past_deadline(__u64 cancel_ctx, __u64 bias)
{
	__u64 type = go_word(cancel_ctx + err_in_cancel_ctx());

	if (type && cancel_ctx_err != GO_ABSENT)
		type = go_word(type + 8); /* an itab */
	return type == deadline_exceeded + bias;
}

__weak int context_canceled_by(const struct go_interface *context, const struct go_interface *error,
			       __u64 bias)
{
	struct go_interface at, cause;

	if (!context || !error || cancel_ctx_cause == GO_ABSENT || err_in_cancel_ctx() == GO_ABSENT)
		return 0;
	at = *context;
	for (int i = 0; i < CONTEXT_DEPTH_MAX && at.tab && at.data; i++) {
		__u64 cancel_ctx = cancel_ctx_in(&at, bias);

		if (cancel_ctx) {
			if (bpf_probe_read_user(&cause, sizeof(cause),
						(void *)cancel_ctx + cancel_ctx_cause))
				return 0;
			return cause.tab == error->tab && cause.data == error->data &&
			       !is_past_deadline(cancel_ctx, bias);
		}
		if (bpf_probe_read_user(&at, sizeof(at), (void *)at.data))
			at.data = 0;
	}
	return 0;
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
	__u64 g, id, new_g = go_arg(ctx, 1), start = 0;

	stay_on_own_stack(ctx);
	if (runtime_g_startpc != GO_ABSENT)
		start = go_word(new_g + runtime_g_startpc) - go_bias(ctx);
	if (is_background_read(start))
		return 0;
	g = goroutine_served(go_g(ctx));
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
