/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * span: begin, put, end. What a library's file uses to make spans; it owns no map itself.
 *
 * A span under way is one value of the map `in_flight`, keyed by its span id; its record is built
 * there in place, as it will travel (design D6). The goroutine that runs it has a small stack of
 * the spans it is in (map `goroutines`), each with its frame's depth below the stack's top, which
 * a stack copy does not change. A span whose frame is gone although its end was not seen is ended where
 * the panic is recovered, or else by the next span that begins or ends on the goroutine.
 */
#ifndef GOSPAN_BPF_SPAN_BPF_H
#define GOSPAN_BPF_SPAN_BPF_H

#include "go.bpf.h"

enum {
	MAX_NESTING = 8, /* spans one goroutine is in at a time; deeper ones are counted as lost */
	SCRATCH_MAX = TEXT_MAX + 16,
};

/* Whose probe this is: filled by goroutine_of(). */
struct goroutine {
	__u32 process; /* current_process(): half of every key */
	__u32 pid;     /* in the agent's namespace */
	__u64 goid;
	__u64 g;
};

static __always_inline __u64 random64(void)
{
	__u64 high = bpf_get_prandom_u32();

	return high << 32 | bpf_get_prandom_u32();
}

/* Where a parent came from. */
enum parent_from {
	PARENT_NONE,   /* there is none: a root */
	PARENT_REMOTE, /* a header */
	PARENT_LOCAL,  /* a span of ours in the same process */
	PARENT_SILENT, /* the same, but nothing is sent of it nor of what is below it */
};

/* Trace context, as it travels in a header, and of a span of ours. */
struct trace_context {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 flags;
	__u8 from; /* enum parent_from */
	__u8 sdk;  /* of an OpenTelemetry SDK inside the program, or below such a one */
	__u8 kind; /* enum span_kind of an SDK's span; 0: another, or unknown */
	__u8 pad[4];
} __attribute__((aligned(8))); /* else it is copied byte by byte */

static __always_inline bool is_same_trace(const __u8 *a, const __u8 *b)
{
	const __u64 *x = (const void *)a, *y = (const void *)b;

	return x[0] == y[0] && x[1] == y[1];
}

/* Which call over which connection; see join.bpf.h. */
struct join_key {
	__u32 client; /* first sequence number of the client's bytes, */
	__u32 server; /* of the server's */
	__u32 stream; /* HTTP/2 stream id, 0: HTTP/1.1 */
	__u32 pad;
};

struct in_flight {
	struct in_flight_owner owner;
	/* the library's own notes, never sent; all heap pointers, no stack address */
	__u64 object;  /* e.g. *http.response; span_list() makes the span known by it */
	__u64 url;     /* *url.URL of its request */
	__u64 context; /* data word of its context */
	__u64 mark;    /* a time or a number */
	__u64 conn_at; /* address of the net.Conn that its request goes over */
	__u32 sent;    /* messages of a stream, which several goroutines may use at once */
	__u32 received;
	struct go_interface error; /* of an attempt that may be made again */
	struct go_string late; /* a text for later */
	__u16 used;    /* bytes of body */
	__u8 upgrade;  /* enum upgrade of the HTTP server */
	__u8 detached; /* no goroutine is in it */
	__u8 lent; /* span_relist(): listed for who sends it; its end is its own goroutine's alone */
	__u8 joins;    /* offered to servers under `join` */
	__u8 has_header; /* the request carries a traceparent: the program's own or ours */
	__u8 state;    /* the library's own */
	__u8 status;   /* enum span_status of a span by hand */
	__u32 busy;    /* somebody writes to the record who must be alone */
	__u32 pad2;
	struct join_key join;
	__u64 asked; /* join_ask() */
	struct trace_context parent;
	struct span_record record;
	/* behind the body: room that bounds checks need, otherwise free for use as scratch */
	__u8 body[GOSPAN_BODY_MAX + SCRATCH_MAX];
};

#define span_scratch(span) (&(span)->body[GOSPAN_BODY_MAX])

/* goroutine_of() for a function that is not inlined into its programs. */
int goroutine_of_regs(struct pt_regs *ctx, struct goroutine *out);

/* 0, or non-zero when this process is not wanted or the goroutine cannot be told: return then. */
static __always_inline int goroutine_of(struct pt_regs *ctx, struct goroutine *out)
{
	stay_on_own_stack(ctx);
	return goroutine_of_regs(ctx, out);
}

/* The same for the goroutine with this g, e.g. the one that the system stack works for. */
int goroutine_at(__u64 g, struct goroutine *out);

/* g of the goroutine that the system stack with this g0 works for, 0: none, or unknown. */
__u64 goroutine_served(__u64 g0);

/* goid of a g, 0 when it cannot be read. */
__u64 goid_of(__u64 g);

/* Counts WHY against the process; returns 0, so that a probe can `return fail(...)`. */
int fail(__u32 pid, enum failure why);

/*
 * Opens a span of LIBRARY on the goroutine. NULL when there is no room (counted). Its ids, parent
 * and sampling are set by span_parent(), which must follow once the remote parent is known.
 */
struct in_flight *span_begin(struct pt_regs *ctx, const struct goroutine *on, __u16 library,
			     enum span_kind kind);

/* PARENT->from == PARENT_NONE: a root. Decides sampling. */
int span_parent(struct in_flight *span, const struct trace_context *parent);

/*
 * The same for a span below another of this process, right after span_begin(): its parent is found
 * by CONTEXT, the context.Context that the function was given ({}: none), by what the goroutine is
 * in, or by who started the goroutine.
 */
int span_child(struct in_flight *span, const struct goroutine *on,
	       const struct go_interface *context);

/* SPAN as a parent. */
int span_context(const struct in_flight *span, struct trace_context *out);

/* The innermost span of the goroutine, or NULL. */
struct in_flight *span_current(const struct goroutine *on);

/* The innermost span of LIBRARY on the goroutine, or NULL. */
struct in_flight *span_find(const struct goroutine *on, __u16 library);

/* The same of the goroutine that this runs on, which ON becomes; NULL as well when it is not wanted. */
static __always_inline struct in_flight *span_here(struct pt_regs *ctx, struct goroutine *on,
						   __u16 library)
{
	return goroutine_of(ctx, on) ? NULL : span_find(on, library);
}

/*
 * At the entry of a function: the innermost span that it is inside of, or NULL. Ends those whose frames
 * are gone.
 */
struct in_flight *span_around(struct pt_regs *ctx, const struct goroutine *on);

/*
 * The span of LIBRARY that began at the entry of the function whose SP was this there, or NULL: not
 * that of another call of it, further out. In a caller after a call, SP there is SP + GO_FRAME; at a
 * RET it is go_return_sp().
 */
struct in_flight *span_of_frame(const struct goroutine *on, __u16 library, __u64 sp);

/* The span under way with this id, or NULL. */
struct in_flight *span_by_id(__u64 id);

/* A panic was raised on the goroutine: spans that it unwinds end there. */
int span_panicked(const struct goroutine *on, __u64 time_ns);

/* It was recovered, and the goroutine goes on in the frame with this SP: what was further in ends. */
int span_recovered(const struct goroutine *on, __u64 sp);

/*
 * What the goroutine is in ends here: by a panic that kills the process, or by runtime.Goexit, also for
 * what its deferred functions do then. A Goexit leaves spans of net/http's server, whose own deferred
 * functions know how far they came.
 */
int span_unwind_all(const struct goroutine *on, enum unwinding how);

/* Id of the span that something started on the goroutine now would be below; 0: none. */
__u64 span_id_of(const struct goroutine *on);

/* Nobody wants to know more of it than how long it took: silent, or not sampled. */
static __always_inline bool span_is_brief(const struct in_flight *span)
{
	return span->owner.silent || !(span->record.flags & SPAN_SAMPLED);
}

/*
 * For spans that outlive the function that began them (a stream, a transaction): takes SPAN off its
 * goroutine, so that what comes next there is not below it.
 */
int span_detach(const struct goroutine *on, struct in_flight *span);

/*
 * SPAN is found by its `object` (a heap pointer) from any goroutine, until it ends; and by another
 * one as well, which may go before it.
 */
int span_list(struct in_flight *span);
int span_list_as(struct in_flight *span, __u64 object);

/*
 * OBJECT was made just now; done by those two. Another span whose `object` it is is one that the program
 * forgot, since it uses the memory again: that goes, counted.
 */
int span_object_is_new(__u32 process, __u64 object);

/* By OBJECT instead of what it was first listed by. */
int span_relist(struct in_flight *span, __u64 object);

/*
 * OBJECT is no longer SPAN's: the next span may be known by it before this one ends. True when it was
 * until now.
 */
int span_unlist_as(const struct in_flight *span, __u64 object);

static __always_inline bool span_is_listed(const struct in_flight *span, __u64 object)
{
	return span->owner.listed[0] == object || span->owner.listed[1] == object;
}
struct in_flight *span_by_object(const struct goroutine *on, __u64 object);

/* False when somebody else just did it. */
bool span_unlist(const struct in_flight *span);

/* Tells the agent something about the process with this PID (as the agent sees it). */
int process_tell(enum record_type type, __u32 pid);

/* For span.bpf.c: its record goes to the agent. Non-zero when the ring has no room. */
int span_send(struct in_flight *span);

/* Sends it (unless silent) and takes it off its goroutine. */
int span_end(const struct goroutine *on, struct in_flight *span);

/*
 * Ends it, if a panic came while it was under way. For libraries whose spans have none of their own
 * below them: the next one tells that the panic was recovered further out, or runs in its wake.
 */
int span_end_panicked(const struct goroutine *on, struct in_flight *span);

/* Takes it away without a trace. */
int span_drop(const struct goroutine *on, struct in_flight *span);

/*
 * Appends LEN bytes of the target at PTR, cut to the key's limit in attributes.def. Constants of the
 * executable need not be in memory. Returns 0; what does not fit or cannot be read is counted.
 */
int span_put_text(struct in_flight *span, enum attribute_key key, __u64 ptr, __u64 len);

/*
 * Makes the text that was put at AT (span->used then), and nothing since, longer by LEN bytes at PTR.
 * Beyond the key's limit it is cut, and counted; where the bytes cannot be read it is taken away.
 */
int span_extend_text(struct in_flight *span, __u32 at, __u64 ptr, __u64 len);

/* What may be a string as a text, else an empty one. */
int span_put_perhaps(struct in_flight *span, enum attribute_key key, const struct go_string *s);

int span_put_number(struct in_flight *span, enum attribute_key key, __u64 number);

/*
 * The error in an interface (two words as in registers): its type and value, and those it wraps.
 * Nothing for nil.
 */
int span_put_error(struct in_flight *span, const struct go_interface *error);

/*
 * A struct panic_value of now: TYPE, or the link-time address of the ITAB that tells it, and what is at
 * DATA, an interface's second word. Non-zero when there was no room (counted).
 */
int span_put_value(struct in_flight *span, enum attribute_key key, __u64 type, __u64 itab, __u64 data);

int span_put_address(struct in_flight *span, enum attribute_key key,
		     const struct ip_address *address);
int span_put_link(struct in_flight *span, const struct span_link *link);

static __always_inline int span_put_string(struct in_flight *span, enum attribute_key key,
					   struct go_string s)
{
	return s.len && s.ptr ? span_put_text(span, key, s.ptr, s.len) : 0;
}

/* A request of the agent itself, to a receiver that it traces: spans of it would never end. */
static __always_inline bool span_is_own_export(struct go_string user_agent)
{
	const __u64 gospan = CHARS('g', 'o', 's', 'p', 'a', 'n', '/', 0);

	return user_agent.len > 7 && (go_word(user_agent.ptr) & ~(0xffULL << 56)) == gospan;
}

#endif
