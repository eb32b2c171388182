/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer: one request and its answer, by libcurl. Private to otlp/.
 *
 * sender.c decides when to send and how often; a transfer carries one attempt; a protocol (http.c,
 * grpc.c) says what goes over the wire and what the answer means.
 */
#ifndef GOSPAN_OTLP_TRANSFER_H
#define GOSPAN_OTLP_TRANSFER_H

#include <curl/curl.h>

#include "exporter.h"

enum {
	ANSWER_KEPT_SZ = 64 * 1024,	  /* of the body, for the message in it */
	ANSWER_MAX_SZ = 4 * 1024 * 1024,  /* the OTLP specification's bound: more is an error */
	REASON_SZ = 640,
};

/* What came back for one attempt. */
struct answer {
	CURLcode code;
	char curl_text[CURL_ERROR_SIZE]; /* "" or what libcurl says of a failure */
	long status;			 /* HTTP; 0: none came */
	struct bytes body;		 /* the first ANSWER_KEPT_SZ of it */
	size_t body_sz;			 /* all of it */
	char content_type[64];
	char location[256];
	long retry_after_ms; /* -1: not given */
	int grpc_status;     /* -1: not given */
	char grpc_message[256];
	char grpc_details[1024]; /* grpc-status-details-bin, base64 */
};

enum verdict_kind {
	VERDICT_TAKEN,
	VERDICT_RETRY,
	VERDICT_FINAL,
};

/* What an answer means. */
struct verdict {
	enum verdict_kind kind;
	long wait_ms;	   /* RETRY: as long as the receiver asks for; -1: it does not say */
	uint64_t rejected; /* TAKEN: partial success */
	char reason[REASON_SZ];
};

struct protocol {
	const char *path;	  /* replaces the endpoint's; NULL: as it is */
	const char *const *headers; /* "name: value", NULL-terminated */
	const char *gzip_header;
	long http_version_plain, http_version_tls; /* CURL_HTTP_VERSION_* */
	/* Makes the request's body of packed TracesData. -ENOMEM, -EPROTO. */
	int (*encode)(const struct bytes *payload, bool gzip, struct bytes *body);
	void (*judge)(const struct answer *answer, struct verdict *out);
};

extern const struct protocol protocol_http, protocol_http_json, protocol_grpc;

/* -- transfer.c -- */

struct transfer {
	CURL *easy; /* NULL: not running */
	struct answer answer;
};

/*
 * What all attempts have in common; to be released by curl_easy_cleanup(). URL and the settings are
 * copied, HEADERS must outlive it. -ENOMEM.
 */
int transfer__new_template(const struct otlp_settings *settings, const struct protocol *protocol,
			   const char *url, struct curl_slist *headers, CURL **out);
/*
 * Adds an attempt to MULTI. BODY must live until its end; OWNER is CURLINFO_PRIVATE. -ENOMEM, -EIO.
 */
int transfer__start(struct transfer *t, CURL *template, CURLM *multi, const struct bytes *body,
		    long timeout_ms, void *owner);
/* Ends the attempt, done or not. The answer stays until the next start. */
void transfer__end(struct transfer *t, CURLM *multi);
void transfer__clear(struct transfer *t);

/* -- verdict.c: what both protocols say in the same way -- */

/* Fills OUT's kind and reason; wait_ms -1, rejected 0. */
void verdict__set(struct verdict *out, enum verdict_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Appends to the reason. */
void verdict__add(struct verdict *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* Judges a transfer without an answer (answer->code is not CURLE_OK). ADVICE: other protocol. */
void verdict__of_failure(struct verdict *out, const struct answer *answer, const char *advice);
/* Judges an HTTP status that is not 2xx. */
void verdict__of_status(struct verdict *out, const struct answer *answer);
/*
 * Judges the packed ExportTraceServiceResponse of a success. Other bytes do not make it a failure,
 * as OTLP ties that to the status alone, but they are a reason to look at the receiver.
 */
void verdict__of_response(struct verdict *out, const struct answer *answer, const uint8_t *at,
			  size_t len);
/* Taken, with an answer that cannot be read. */
void verdict__unreadable(struct verdict *out, const struct answer *answer);

/* -- gzip.c -- */

/* Appends AT compressed to OUT. -ENOMEM. */
int gzip__append(struct bytes *out, const uint8_t *at, size_t len);

/* -- request.c -- */

/*
 * URL of the endpoint with PATH, and how to call it in messages: without PATH, user, password and
 * query.
 * -EINVAL: not an http or https URL. Both to be released by curl_free().
 */
int request__url(const char *endpoint, const char *path, char **url, char **shown);
/* Our headers and those of the settings. -ENOMEM. */
int request__headers(const struct otlp_settings *settings, const struct protocol *protocol,
		     struct curl_slist **out);

#endif
