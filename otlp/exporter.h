/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exporter: sends packed TracesData somewhere, without blocking: OTLP over HTTP or gRPC (libcurl's
 * multi interface on the caller's loop), or a file of OTLP JSON lines. It retries by the OTLP rules
 * and tells in the end what became of each payload, exactly once.
 */
#ifndef GOSPAN_OTLP_EXPORTER_H
#define GOSPAN_OTLP_EXPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encode.h"

enum otlp_protocol { OTLP_HTTP_PROTOBUF, OTLP_GRPC, OTLP_HTTP_JSON };

/* Strings are NUL-terminated, NULL when unset, and copied by exporter__new_otlp(). */
struct otlp_settings {
	enum otlp_protocol protocol;
	const char *endpoint;	 /* HTTP: full URL with the signal's path; gRPC: scheme://host:port */
	const char *headers;	 /* "k=v,k2=v2", values percent-encoded, as OTEL_EXPORTER_OTLP_HEADERS */
	const char *certificate; /* CA bundle, PEM file */
	const char *client_certificate;
	const char *client_key;
	const char *user_agent;
	bool gzip;
	uint32_t timeout_ms; /* one request */
	uint32_t retry_ms;   /* one payload, all its requests and waits together; 0: 60 s */
};

/* How the exporter asks its owner to wait for things. The owner calls back on the same thread. */
struct otlp_loop {
	void *ctx;
	/* Watch FD for EPOLLIN / EPOLLOUT bits of EVENTS (0: stop watching); ready: exporter__on_fd(). */
	int (*watch)(void *ctx, int fd, uint32_t events);
	/* Call exporter__on_timer() after DELAY_MS (0: as soon as possible, -1: cancel). One timer. */
	int (*timer)(void *ctx, long delay_ms);
};

enum export_result {
	EXPORT_OK,	 /* taken; REJECTED of the spans were refused (partial success) */
	EXPORT_REFUSED,	 /* a final answer: 400, 401, 404, 413, gRPC INVALID_ARGUMENT ... */
	EXPORT_FAILED,	 /* no (retryable) success within the time */
	EXPORT_CANCELED, /* exporter__free() before it was done */
};

/*
 * May submit again, must not free the exporter. REASON is one line for a person
 * ("http://localhost:4318/v1/traces: connection refused") with the advice for answers that smell of
 * the wrong protocol, "" if there is nothing to say; foreign text in it is not escaped; valid
 * during the call. A receiver may take everything and still give a reason (a warning).
 */
typedef void (*export_done)(void *ctx, enum export_result result, uint64_t rejected,
			    const char *reason);

/* Told when the receiver stops or begins to answer: one log line each. REASON as above. */
typedef void (*export_health)(void *ctx, bool up, const char *reason);

struct exporter;

/* -EINVAL with a line in ERR: unusable endpoint, unreadable certificate. -ENOMEM. */
int exporter__new_otlp(const struct otlp_settings *settings, const struct otlp_loop *loop,
		       export_health health, void *health_ctx, struct exporter **out,
		       char *err, size_t err_sz);

/*
 * How many of HEADERS, as in otlp_settings, can be sent, and how many are left out: no header's
 * name, a line break, or one that the protocol sets itself. -ENOMEM.
 */
int exporter__count_headers(const char *headers, size_t *usable, size_t *unusable);

/*
 * PATH is appended to, "-" is stdout. Lines are written at once, complete; done is called before
 * submit returns.
 */
int exporter__new_file(const char *path, struct exporter **out, char *err, size_t err_sz);

/*
 * Takes over PAYLOAD's bytes (TracesData) and sends them; SPAN_CNT is what they hold. At most
 * OTLP_MAX_CONCURRENT payloads may be under way; more: -EAGAIN. -ENOMEM, -EPROTO: not TracesData.
 * After an error the payload stays the caller's and done is not called.
 */
enum { OTLP_MAX_CONCURRENT = 2 };
int exporter__submit(struct exporter *e, struct bytes *payload, uint64_t span_cnt,
		     export_done done, void *ctx);

/* Payloads under way. */
size_t exporter__pending(const struct exporter *e);

/*
 * The final flush: what is under way or comes later ends within DEADLINE_MS from now; what waits
 * for a retry is tried at once.
 */
void exporter__hurry(struct exporter *e, uint32_t deadline_ms);

void exporter__on_fd(struct exporter *e, int fd, uint32_t events);
void exporter__on_timer(struct exporter *e);

/* Ends what is under way with EXPORT_CANCELED; done must not submit then. NULL is fine. */
void exporter__free(struct exporter *e);

#endif
