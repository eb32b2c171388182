/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict: what an answer means, as far as OTLP/HTTP and OTLP/gRPC agree, in words for a person.
 * Which answers may be retried: https://opentelemetry.io/docs/specs/otlp/#failures-1
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "reply.pb-c.h"
#include "transfer.h"

enum { QUOTE_MAX = 200 }; /* characters of a receiver's own text in a message */

static void add_formatted(struct verdict *out, const char *format, va_list args)
{
	size_t len = strlen(out->reason);

	vsnprintf(out->reason + len, sizeof(out->reason) - len, format, args);
}

void verdict__set(struct verdict *out, enum verdict_kind kind, const char *format, ...)
{
	va_list args;

	*out = (struct verdict){ .kind = kind, .wait_ms = -1 };
	va_start(args, format);
	add_formatted(out, format, args);
	va_end(args);
}

void verdict__add(struct verdict *out, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_formatted(out, format, args);
	va_end(args);
}

/* Adds the first line of a receiver's text. */
static void add_quote(struct verdict *out, const char *before, const uint8_t *text, size_t len)
{
	size_t line = 0;

	while (line < len && line < QUOTE_MAX && text[line] && text[line] != '\n' &&
	       text[line] != '\r')
		line++;
	if (line)
		verdict__add(out, "%s%.*s", before, (int)line, (const char *)text);
}

/* True for what the receiver's own text can be quoted from. */
static bool has_type(const struct answer *answer, const char *type)
{
	return !strncasecmp(answer->content_type, type, strlen(type));
}

/* Adds what an error answer says: google.rpc.Status, or text. HTML pages say nothing. */
static void add_body(struct verdict *out, const struct answer *answer)
{
	const struct bytes *body = &answer->body;
	Otlp__RpcStatus *status;

	if (has_type(answer, "application/x-protobuf")) {
		status = otlp__rpc_status__unpack(NULL, body->len, body->at);
		if (status)
			add_quote(out, ": ", status->message.data, status->message.len);
		otlp__rpc_status__free_unpacked(status, NULL);
	} else if (has_type(answer, "text/plain") || has_type(answer, "application/json")) {
		add_quote(out, ": ", body->at, body->len);
	}
}

/* A receiver of the other protocol, or none, rather than one that is not there for the moment. */
static bool is_wrong_protocol(const struct answer *answer)
{
	switch (answer->code) {
	case CURLE_UNSUPPORTED_PROTOCOL: /* bytes that are not HTTP (libcurl: "HTTP/0.9") */
	case CURLE_WEIRD_SERVER_REPLY:
		return true;
	default:
		/* HTTP/1.1 in answer to HTTP/2 has no code of its own, only nghttp2's text */
		return strstr(answer->curl_text, "does not support HTTP/2") != NULL;
	}
}

static const char *failure_advice(const struct answer *answer)
{
	switch (answer->code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return "set OTEL_EXPORTER_OTLP_CERTIFICATE to the CA that signed its certificate";
	case CURLE_SSL_CONNECT_ERROR:
		return strstr(answer->curl_text, "wrong version number") ?
			       "it does not speak TLS: use http:// in OTEL_EXPORTER_OTLP_ENDPOINT" :
			       "see OTEL_EXPORTER_OTLP_CERTIFICATE, _CLIENT_CERTIFICATE and _CLIENT_KEY";
	case CURLE_SSL_CERTPROBLEM:
		return "see OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY";
	default:
		return NULL;
	}
}

void verdict__of_failure(struct verdict *out, const struct answer *answer, const char *advice)
{
	const char *text = *answer->curl_text ? answer->curl_text :
						curl_easy_strerror(answer->code);

	if (answer->code == CURLE_WRITE_ERROR) {
		verdict__set(out, VERDICT_FINAL, "its answer is larger than %d MiB",
			     ANSWER_MAX_SZ >> 20);
		return;
	}
	verdict__set(out, is_wrong_protocol(answer) ? VERDICT_FINAL : VERDICT_RETRY, "%s", text);
	if (failure_advice(answer))
		verdict__add(out, "; %s", failure_advice(answer));
	else if (out->kind == VERDICT_FINAL || answer->code == CURLE_GOT_NOTHING ||
		 answer->code == CURLE_RECV_ERROR || answer->code == CURLE_SEND_ERROR ||
		 answer->code == CURLE_HTTP2)
		verdict__add(out, "; %s", advice);
}

static bool is_retryable(long status)
{
	return status == 429 || (status >= 502 && status <= 504);
}

void verdict__of_status(struct verdict *out, const struct answer *answer)
{
	verdict__set(out, is_retryable(answer->status) ? VERDICT_RETRY : VERDICT_FINAL,
		     "HTTP status %ld", answer->status);
	if (out->kind == VERDICT_RETRY)
		out->wait_ms = answer->retry_after_ms;
	add_body(out, answer);
	if (answer->status >= 300 && answer->status < 400)
		verdict__add(out, ": redirects are not followed%s%s; "
			     "set OTEL_EXPORTER_OTLP_ENDPOINT to where it is",
			     *answer->location ? ", to " : "", answer->location);
	else if (answer->status == 401 || answer->status == 403)
		verdict__add(out, "; see OTEL_EXPORTER_OTLP_HEADERS");
	else if (answer->status == 413)
		verdict__add(out, "; lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
}

void verdict__unreadable(struct verdict *out, const struct answer *answer)
{
	verdict__set(out, VERDICT_TAKEN, "says that it took them, but its answer (%zu bytes%s%s) is none "
		     "of OTLP; see OTEL_EXPORTER_OTLP_ENDPOINT", answer->body_sz,
		     *answer->content_type ? " of " : "", answer->content_type);
}

void verdict__of_response(struct verdict *out, const struct answer *answer, const uint8_t *at,
			  size_t len)
{
	Otlp__ExportTraceServiceResponse *response;
	Otlp__ExportTracePartialSuccess *partial;

	response = otlp__export_trace_service_response__unpack(NULL, len, at);
	if (!response) {
		verdict__unreadable(out, answer);
		return;
	}
	verdict__set(out, VERDICT_TAKEN, "%s", "");
	partial = response->partial_success;
	if (partial && partial->rejected_spans > 0) {
		out->rejected = (uint64_t)partial->rejected_spans;
		verdict__add(out, "partial success");
	}
	if (partial)
		add_quote(out, out->rejected ? ": " : "", partial->error_message.data,
			  partial->error_message.len);
	otlp__export_trace_service_response__free_unpacked(response, NULL);
}
