/* SPDX-License-Identifier: Apache-2.0 */
/*
 * declarations: what the BPF files say they need (bpf/go.bpf.h), read from the object's BTF decl
 * tags and section names. The agent has no list of libraries, functions or fields of its own.
 */
#ifndef GOSPAN_AGENT_DECLARATIONS_H
#define GOSPAN_AGENT_DECLARATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../offsets/resolve.h"
#include "../offsets/sites.h"
#include "../bpf/span.h"

struct bpf_object;

enum { DECLARED_ALSO_MAX = 8, DECLARED_EXCEPT_MAX = 8, DECLARED_INSTRUMENTED_MAX = 16 };

/* GO_SPAN */
struct declared_library {
	const char *variable;
	const char *name; /* Go package */
	char *scope;	  /* "gospan/NAME", its spans' instrumentation scope */
	enum span_kind kind;
	const char *domain; /* "HTTP": which semconv file makes its attributes */
	/* functions or packages that instrument it for OpenTelemetry's SDK; NULL ends */
	const char *instrumented[1 + DECLARED_INSTRUMENTED_MAX];
};

/* A program under SEC("go_...") */
struct declared_probe {
	const char *program;
	enum site_kind kind;
	const char *function[1 + DECLARED_ALSO_MAX]; /* "FUNC" or "CALLER>CALLEE", as declared; NULL ends */
	const char *when, *unless;		     /* "CALLER>CALLEE" or NULL */
	const char *except[DECLARED_EXCEPT_MAX + 1]; /* "FUNC>CALLEE" of go_return; NULL ends */
	uint32_t results; /* registers a go_after site must leave alone; of go_return: EXCEPT's */
	int library;				     /* index, -1: any */
	bool needed;
	bool writes;   /* into the target */
	bool sdk;      /* only where a library may be left to an SDK */
	bool children; /* only when a library is on whose spans are below others */
};

enum declared_what {
	DECLARED_FIELD,
	DECLARED_TYPE,
	DECLARED_ITAB,
	DECLARED_SIZE, /* of a type's values */
	DECLARED_END, /* of the executable's addresses */
	DECLARED_CONSTANTS_END,
	DECLARED_TEXT_START, /* of its Go code */
	DECLARED_TEXT_END,
	DECLARED_FUNCTION,
	DECLARED_FRAME,
	DECLARED_LIBRARY,
	DECLARED_CHILDREN, /* is such a library on? */
	DECLARED_ATTACHED, /* is the program (path) on? */
	DECLARED_SDK,	   /* bits of libraries that may be left to an SDK */
};

/* A read-only variable that is filled before load. */
struct declared_value {
	enum declared_what what;
	const char *variable;
	const char *path;	 /* of the field, type, function; "CALLER>CALLEE" of the frame; a program */
	const char *kind;	 /* of the field, one of kind_is()'s words; an itab's interface */
	int library;		 /* of a needed field; -1: all */
	bool needed;
	bool on_stack;		 /* of a field: DWARF may be asked */
	uint32_t rodata_off, size; /* bytes */
};

struct declarations {
	struct declared_library *libraries;
	size_t library_cnt;
	struct declared_probe *probes; /* in the object's order: a probe's index is its program's */
	size_t probe_cnt;
	struct declared_value *values;
	size_t value_cnt;
};

/*
 * Reads OBJ (opened, not loaded), which must outlive the result: strings are the object's. -EINVAL
 * when a declaration makes no sense (logged), -ENOMEM.
 */
int declarations__read(const struct bpf_object *obj, struct declarations **out);
void declarations__free(struct declarations *d);

/* "CALLER>CALLEE": copies CALLER to BUF and returns CALLEE; NULL when there is no '>' (BUF: all). */
const char *declared_callee(const char *function, char *buf, size_t buf_sz);

/* True when CALLS is "CALLER>" and a callee. */
bool declared_call_is_in(const char *calls, const char *caller);

/* True when a Go kind is what the declaration's word (bool int pointer string ...) means. */
bool kind_is(enum go_kind kind, const char *word);

#endif
