/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semconv: the domains of the OpenTelemetry semantic conventions (1.44.0). A library's GO_SPAN names
 * one; its file here, semconv_DOMAIN.c, makes name, attributes and status of what the BPF programs
 * saw. A new domain is a file and a row in semconv.c.
 */
#ifndef GOSPAN_AGENT_SEMCONV_H
#define GOSPAN_AGENT_SEMCONV_H

#include "build_span.h"
#include "go_error.h"

#define SCHEMA_URL "https://opentelemetry.io/schemas/1.44.0"

/* One span's facts. */
struct semconv_input {
	const struct raws *raws;
	const struct config *config;
	const struct resolve *resolve; /* of the executable; NULL: unknown */
	const struct span_record *record;
	const uint8_t *body; /* of RECORD->size bytes, where the order of rows tells something */
	int64_t wall_offset; /* Unix time - CLOCK_BOOTTIME, in ns */
	struct go_error error; /* what the function returned; type.len 0: none */
};

struct semconv {
	const char *domain; /* as in GO_SPAN */
	/* Name and failure alone, for spans that are only counted. */
	struct otlp_text (*name)(struct build_span *b, const struct semconv_input *in);
	bool (*failed)(const struct semconv_input *in);
	/* Fills B->span's name, status and attributes. */
	void (*describe)(struct build_span *b, const struct semconv_input *in);
};

/* NULL when there is no such domain. */
const struct semconv *semconv__of(const char *domain);

extern const struct semconv semconv_db;
extern const struct semconv semconv_http;
extern const struct semconv semconv_rpc;
extern const struct semconv semconv_span;

/* Status ERROR with the error's text, and error.type: for domains that have nothing better. */
void semconv__put_error(struct build_span *b, const struct semconv_input *in);

/* network.peer.*: an address, or the path of a unix socket. */
void semconv__put_peer(struct build_span *b, const struct raws *raws);

#endif
