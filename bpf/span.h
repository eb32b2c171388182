/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The wire between kernel and agent: ring buffer records and the shared enums. The only header,
 * with attributes.def, that both sides include. Explicit padding; sizes asserted on both sides.
 */
#ifndef GOSPAN_BPF_SPAN_H
#define GOSPAN_BPF_SPAN_H

#ifndef __bpf__
#include <assert.h>
#include <linux/types.h>
#include <stddef.h>
#endif

enum attribute_key {
	ATTR_NONE,
#define ATTRIBUTE(key, name, form, limit) ATTR_##key,
#include "attributes.def"
#undef ATTRIBUTE
	ATTR_MAX
};

/* Sizes (design, Contracts): what is cut off is counted in span_record.truncated. */
enum {
	RECORD_MAX = 2048,	/* one record, header and body */
	URI_MAX = 1024,		/* path and query */
	FRAGMENT_MAX = 128,
	PANIC_TEXT_MAX = 512,
	USER_AGENT_MAX = 256,
	HOST_MAX = 256,
	ROUTE_MAX = 256,
	FORWARDED_MAX = 256,
	METHOD_MAX = 32,
	PEER_MAX = 108,	/* sizeof(sun_path) */
	RPC_METHOD_MAX = 256,
	TRACE_STATE_MAX = 512,	/* W3C trace context, 3.3.1.5 */
	QUERY_MAX = 1024,	/* SQL */
	DB_NAME_MAX = 128,	/* a database's address and name */
	SPAN_NAME_MAX = 256,	/* of a span by hand, and of an event */
	SCOPE_NAME_MAX = 128,	/* name of a tracer */
	PAIR_KEY_MAX = 128,	/* of an attribute by hand */
	PAIR_TEXT_MAX = 512,
	TEXT_MAX = 1024,	/* longest of them all */
	PANIC_VALUE_MAX = 64,	/* bytes of a panic value that travel */
	PANIC_PCS_MAX = 104,	/* of its stack: Go prints 100 frames, some are not shown */
};

enum record_type {
	RECORD_SPAN = 1,
	RECORD_EXEC, /* a thread group leader has exec'ed: struct process_record */
	RECORD_EXIT,
	RECORD_SDK, /* an OpenTelemetry SDK inside has made its first span: the same */
};

/* OTLP's Span.SpanKind, so that it travels unchanged. */
enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER, SPAN_CLIENT, SPAN_PRODUCER, SPAN_CONSUMER };

enum span_flag {
	SPAN_SAMPLED = 1 << 0,	     /* else a short record for the counts only */
	SPAN_REMOTE_PARENT = 1 << 1, /* the parent came in a header */
};

/*
 * A span that ended. Its body follows: a row of attributes, each a struct attribute_header, the
 * bytes, and padding to ATTRIBUTE_ALIGN.
 */
struct span_record {
	__u8 type; /* RECORD_SPAN */
	__u8 kind;
	__u8 flags;
	__u8 trace_flags; /* W3C */
	__u16 library;	  /* index the agent gave the library's GO_SPAN */
	__u16 size;	  /* of the body in bytes */
	__u32 pid;	  /* thread group, in the agent's pid namespace */
	__u16 truncated;  /* strings that were cut or left out for want of room */
	__u16 pad;
	__u64 bias;	  /* load bias of the executable: link-time = run-time - bias */
	__u64 start_ns;	  /* CLOCK_BOOTTIME */
	__u64 end_ns;
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 parent_id[8];
};

/* ATTR_UNWOUND: how a span's function ended that did not return. */
enum unwinding { UNWIND_NONE, UNWIND_PANIC, UNWIND_GOEXIT };

/* ATTR_DB_OPERATION: calls of database/sql without a query. */
enum db_operation { DB_QUERY, DB_BEGIN, DB_COMMIT, DB_ROLLBACK, DB_PING };

/* ATTR_RPC_STATUS: OK if the error that follows is io.EOF, whose text was not in memory; else UNKNOWN. */
enum { RPC_UNKNOWN_OR_EOF = 1 << 16 };

struct attribute_header {
	__u16 key; /* enum attribute_key */
	__u16 len; /* bytes that follow; with ATTRIBUTE_CONSTANT: a struct constant_text does */
};

enum { ATTRIBUTE_CONSTANT = 1 << 15 };

/* A text in the executable's read-only part that is not in memory: the program has not come to it yet. */
struct constant_text {
	__u64 addr; /* link-time */
	__u64 len;
};

/*
 * ATTR_PANIC: runtime.gopanic(e any). ATTR_PANIC_TEXT follows when the value led to a string.
 * ATTR_ERROR: an error, then those it wraps. Its texts and addresses follow it (ATTR_ERROR_TEXT,
 * ATTR_ERROR_ADDRESS), in the order of bpf/error.bpf.c; what it does not have is left out at the end
 * and empty before that.
 */
struct panic_value {
	__u64 time_ns; /* of a panic */
	__u64 type; /* run-time address of the value's type descriptor, 0: nil */
	__u64 constant; /* link-time address of a value that is not in memory, as in constant_text; or 0 */
	__u64 itab;	/* of an error whose type could not be read: link-time address of its itab; or 0 */
	__u8 value[PANIC_VALUE_MAX];
};

/*
 * ATTR_PANIC_STACK, after what belongs to its ATTR_PANIC: where runtime.gopanic would return to, and
 * so on outwards to runtime.goexit, as link-time addresses. What lies above a return address on the
 * stack is another one if the function has no frame of its own; only pclntab knows, so that what
 * could be one comes, marked, behind it.
 */
struct panic_stack {
	__u64 goid;
	__u64 parent;	  /* goid of the goroutine's creator, 0: unknown (before Go 1.21) */
	__u32 created_by; /* where the go statement returned to */
	__u32 cnt;
	__u32 pcs[PANIC_PCS_MAX]; /* as many travel as there are */
};

enum {
	PANIC_PC_ELSEWHERE = 0,	   /* not in the executable: a plugin, C */
	PANIC_PC_MAYBE = 1u << 31, /* above the return address before it, perhaps its caller's */
};

/* ATTR_PEER_ADDRESS, ATTR_ERROR_ADDRESS: of a net.TCPAddr or net.UDPAddr. */
struct ip_address {
	__u16 port;
	__u8 len; /* of ip: 0, 4 or 16 */
	__u8 pad;
	__u8 ip[16];
};

/*
 * Spans by hand are rows in the order of the program's calls: a PAIR_*_KEY (of the span, of the last
 * SPAN_EVENT, of the last SPAN_LINK) is followed by its value, a PAIR_ARRAY by as many values as it
 * says. SPAN_LEFT_OUT: what did not fit, 16 bits each for attributes, events and links. Times are
 * Unix time in ns, SPAN_EVENT_SINCE_BOOT CLOCK_BOOTTIME. ATTR_SPAN_LINK:
 */
struct span_link {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 flags;
	__u8 pad[7];
};

/* codes.Code of go.opentelemetry.io/otel, which is not OTLP's. */
enum span_status { STATUS_UNSET, STATUS_ERROR, STATUS_OK };

/* How a value of the map `in_flight` begins: whose it is, for the agent when the process is gone. */
struct in_flight_owner {
	__u64 goid;
	__u32 process; /* current_process() */
	__u32 pid;     /* in the agent's namespace */
	__u8 silent; /* nothing is sent of it, nor of what is below it */
	__u8 pad[7];
	__u64 listed[2]; /* objects by which it is known in the map `objects`; 0: none */
};

/* Key of the map `goroutines`. */
struct goroutine_key {
	__u32 process;
	__u32 pad;
	__u64 goid;
};

/* Key of the map `objects`. */
struct object_key {
	__u32 process;
	__u32 pad;
	__u64 object;
};

struct process_record {
	__u8 type; /* RECORD_EXEC, RECORD_EXIT, RECORD_SDK */
	__u8 pad[3];
	__u32 pid; /* thread group, in the agent's pid namespace */
	__u32 process; /* as in keys; of RECORD_EXEC: what it is from now on */
	__u32 pad2;
	__u64 time_ns; /* CLOCK_BOOTTIME */
};

/*
 * Why something was lost or left out, counted per process. LOSS rows are spans that were (or would
 * have been) produced; NOTE rows are not.
 */
#define FAILURES(LOSS, NOTE) \
	LOSS(RING_FULL, "ring_full", "the ring buffer was full", "GOSPAN_RING_BYTES") \
	LOSS(IN_FLIGHT_FULL, "in_flight_full", "too many spans under way", "GOSPAN_MAX_IN_FLIGHT") \
	LOSS(NO_MEMORY, "no_memory", "the kernel had no memory for more spans under way", \
	     "the memory limit of gospan's container or service") \
	LOSS(UNATTACHED, "unattached", "the process was gone before it was known", "") \
	LOSS(REQUEST_UNREADABLE, "request_unreadable", "a request could not be read", "") \
	NOTE(UNREADABLE, "unreadable", "a string of the target could not be read", "") \
	NOTE(EXCLUDED, "excluded", "request matched an excluded path", "GOSPAN_EXCLUDE_PATHS") \
	NOTE(OWN_EXPORT, "own_export", "request came from gospan's own exporter", "") \
	NOTE(MANY_HEADERS, "many_headers", "more header slots than are searched", "") \
	NOTE(HEADER_READ, "header_read", "headers could not be read", "") \
	NOTE(NO_ROOM, "no_room", "no room for a traceparent in a request's headers", "") \
	NOTE(NO_GOROUTINE, "no_goroutine", "the goroutine's id could not be read", "") \
	NOTE(ABANDONED, "abandoned", "span that the program forgot to end", "") \
	NOTE(UNFINISHED, "unfinished", "span was under way at attach", "") \
	NOTE(TRUNCATED, "truncated", "strings longer than their limit", "") \
	NOTE(UNSAMPLED, "unsampled", "the sampler left the span out", "")

enum failure {
#define FAILURE_ENUM(key, name, text, setting) FAIL_##key,
	FAILURES(FAILURE_ENUM, FAILURE_ENUM)
#undef FAILURE_ENUM
	FAIL_MAX
};

/* Value of the map `failures`, keyed by pid in the agent's namespace (0: unknown). */
struct failure_counts {
	__u64 at[FAIL_MAX];
};

/* How a probe's attach cookie is made: site address, program, site flags. */
enum {
	COOKIE_PROGRAM_SHIFT = 48, /* 8 bits: index into `programs` */
	COOKIE_FLAGS_SHIFT = 56,   /* enum site_flags of offsets/sites.h */
	COOKIE_DROP_CF_ZF = 1 << 0,
	COOKIE_DROP_LS = 1 << 1,
	COOKIE_IS_RET = 1 << 2,
};

/*
 * Where a context.Context holds its parent when that is no interface at offset 0: the read-only
 * array `context_types` of the BPF object, by type.
 */
enum context_via {
	CONTEXT_VIA_CONTEXT, /* an interface at the offset */
	CONTEXT_VIA_REQUEST, /* a *net/http.Request: its ctx is the parent */
	CONTEXT_VIA_POINTER, /* a pointer to an object of type NEXT, to be looked up as this one was */
};

struct context_type {
	__u64 type; /* link-time address of the type in the itab */
	__u64 next;
	__u16 offset;
	__u8 via;
	__u8 pad[5];
};

enum { CONTEXT_TYPES_MAX = 32 };

/* Names of tracers that are known to be of instrumentation, as FNV-1a hashes; longer ones are none. */
enum { KNOWN_TRACERS_MAX = 16, KNOWN_TRACER_LEN = 96 };
#define NAME_HASH_START 0xcbf29ce484222325ULL

static inline __attribute__((always_inline)) __u64 name_hash(__u64 hash, __u8 next)
{
	return (hash ^ next) * 0x100000001b3ULL;
}

enum { MAX_PROGRAMS = 256, MAX_EXCLUDE = 8, EXCLUDE_GLOB_MAX = 64 };

enum { ATTRIBUTE_ALIGN = 4 };

#define GOSPAN_BODY_MAX (RECORD_MAX - sizeof(struct span_record))

_Static_assert(sizeof(struct span_record) == 72, "wire format: span_record");
_Static_assert(sizeof(struct attribute_header) == 4, "wire format: attribute_header");
_Static_assert(GOSPAN_BODY_MAX < ATTRIBUTE_CONSTANT, "wire format: attribute_header.len");
_Static_assert(sizeof(struct constant_text) == 16, "wire format: constant_text");
_Static_assert(sizeof(struct panic_value) == 96, "wire format: panic_value");
_Static_assert(sizeof(struct panic_stack) == 440, "wire format: panic_stack");
_Static_assert(sizeof(struct ip_address) == 20, "wire format: ip_address");
_Static_assert(sizeof(struct span_link) == 32, "wire format: span_link");
_Static_assert(sizeof(struct in_flight_owner) == 40, "map layout: in_flight_owner");
_Static_assert(sizeof(struct context_type) == 24, "read-only data: context_type");
_Static_assert(sizeof(struct process_record) == 24, "wire format: process_record");

#endif
