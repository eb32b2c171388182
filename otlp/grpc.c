/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc: OTLP over gRPC, which is HTTP/2 with a 5-byte frame around the message and the outcome in
 * the trailers. libcurl speaks the HTTP/2: by prior knowledge for http://, by ALPN for https://.
 * https://opentelemetry.io/docs/specs/otlp/#otlpgrpc
 * https://github.com/grpc/grpc/blob/v1.60.0/doc/PROTOCOL-HTTP2.md
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "reply.pb-c.h"
#include "transfer.h"

static const char advice_http[] =
	"if this is an HTTP port (usually 4318), set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, "
	"or OTEL_EXPORTER_OTLP_ENDPOINT to its gRPC port (usually 4317)";

enum { FRAME_HEADER_SZ = 5 }; /* compressed flag, big-endian length */

/* Status codes: https://github.com/grpc/grpc/blob/v1.60.0/doc/statuscodes.md */
enum {
	GRPC_OK,
	GRPC_CANCELLED,
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_ABORTED = 10,
	GRPC_OUT_OF_RANGE = 11,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_UNAVAILABLE = 14,
	GRPC_DATA_LOSS = 15,
	GRPC_UNAUTHENTICATED = 16,
	GRPC_PERMISSION_DENIED = 7,
};

static const char *const status_names[] = {
	"OK",		    "CANCELLED",	 "UNKNOWN",	   "INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED", "NOT_FOUND",	 "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",   "OUT_OF_RANGE",
	"UNIMPLEMENTED",    "INTERNAL",		 "UNAVAILABLE",	   "DATA_LOSS",
	"UNAUTHENTICATED",
};

static const char *status_name(int status)
{
	size_t cnt = sizeof(status_names) / sizeof(status_names[0]);

	return (size_t)status < cnt ? status_names[status] : "unknown status";
}

static int grpc_encode(const struct bytes *payload, bool gzip, struct bytes *body)
{
	uint8_t header[FRAME_HEADER_SZ] = { gzip };
	size_t len;
	int err;

	err = bytes__append(body, header, sizeof(header));
	if (!err && gzip)
		err = gzip__append(body, payload->at, payload->len);
	else if (!err)
		err = bytes__append(body, payload->at, payload->len);
	if (err)
		return err;
	len = body->len - FRAME_HEADER_SZ;
	for (size_t i = 0; i < 4; i++)
		body->at[1 + i] = (uint8_t)(len >> (24 - 8 * i));
	return 0;
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *digit = c ? strchr(digits, c) : NULL;

	return digit ? (int)(digit - digits) : -1;
}

/* With or without padding. OUT_SZ must be at least 3/4 of the text. */
static size_t decode_base64(const char *text, uint8_t *out)
{
	uint32_t bits = 0;
	size_t len = 0;

	for (unsigned cnt = 1; base64_digit(*text) >= 0; text++, cnt++) {
		bits = bits << 6 | (uint32_t)base64_digit(*text);
		if (cnt % 4 != 1)
			out[len++] = (uint8_t)(bits >> (6 - 2 * ((cnt - 1) % 4)));
	}
	return len;
}

static long retry_delay_of(const Otlp__RpcAny *any)
{
	static const char type[] = "google.rpc.RetryInfo";
	const char *name = strrchr(any->type_url, '/');
	Otlp__RpcRetryInfo *info;
	long wait_ms = -1;

	if (!name || strcmp(name + 1, type) != 0)
		return -1;
	info = otlp__rpc_retry_info__unpack(NULL, any->value.len, any->value.data);
	if (info && info->retry_delay && info->retry_delay->seconds >= 0 &&
	    info->retry_delay->nanos >= 0)
		wait_ms = (info->retry_delay->seconds > 600 ? 600 : info->retry_delay->seconds) *
				  1000 +
			  info->retry_delay->nanos / 1000000;
	otlp__rpc_retry_info__free_unpacked(info, NULL);
	return wait_ms;
}

/* RetryInfo.retry_delay of the status details; -1: there is none. */
static long retry_delay(const struct answer *answer)
{
	uint8_t details[sizeof(answer->grpc_details)];
	size_t len = decode_base64(answer->grpc_details, details);
	Otlp__RpcStatus *status;
	long wait_ms = -1;

	status = otlp__rpc_status__unpack(NULL, len, details);
	if (!status)
		return -1;
	for (size_t i = 0; i < status->n_details && wait_ms < 0; i++)
		wait_ms = retry_delay_of(status->details[i]);
	otlp__rpc_status__free_unpacked(status, NULL);
	return wait_ms;
}

static bool is_retryable(int status, long wait_ms)
{
	switch (status) {
	case GRPC_CANCELLED:
	case GRPC_DEADLINE_EXCEEDED:
	case GRPC_ABORTED:
	case GRPC_OUT_OF_RANGE:
	case GRPC_UNAVAILABLE:
	case GRPC_DATA_LOSS:
		return true;
	case GRPC_RESOURCE_EXHAUSTED: /* only if the receiver says that it will recover */
		return wait_ms >= 0;
	default:
		return false;
	}
}

static void judge_error(const struct answer *answer, struct verdict *out)
{
	long wait_ms = retry_delay(answer);
	int status = answer->grpc_status;

	verdict__set(out, is_retryable(status, wait_ms) ? VERDICT_RETRY : VERDICT_FINAL,
		     "gRPC status %d %s%s%s", status, status_name(status),
		     *answer->grpc_message ? ": " : "", answer->grpc_message);
	out->wait_ms = wait_ms;
	if (status == GRPC_UNIMPLEMENTED)
		verdict__add(out, "; it takes no OTLP traces: see OTEL_EXPORTER_OTLP_ENDPOINT");
	else if (status == GRPC_UNAUTHENTICATED || status == GRPC_PERMISSION_DENIED)
		verdict__add(out, "; see OTEL_EXPORTER_OTLP_HEADERS");
	else if (status == GRPC_RESOURCE_EXHAUSTED && out->kind == VERDICT_FINAL)
		verdict__add(out, "; lower OTEL_BSP_MAX_EXPORT_BATCH_SIZE if it finds it too large");
}

static void judge_success(const struct answer *answer, struct verdict *out)
{
	const struct bytes *body = &answer->body;
	bool plain = body->len >= FRAME_HEADER_SZ && !body->at[0];

	if (plain)
		verdict__of_response(out, answer, body->at + FRAME_HEADER_SZ,
				     body->len - FRAME_HEADER_SZ);
	else
		verdict__unreadable(out, answer);
}

static void grpc_judge(const struct answer *answer, struct verdict *out)
{
	if (answer->code) {
		verdict__of_failure(out, answer, advice_http);
	} else if (answer->grpc_status == GRPC_OK) {
		judge_success(answer, out);
	} else if (answer->grpc_status > 0) {
		judge_error(answer, out);
	} else if (answer->status != 200) {
		verdict__of_status(out, answer);
		if (out->kind == VERDICT_FINAL)
			verdict__add(out, "; %s", advice_http);
	} else {
		verdict__set(out, VERDICT_FINAL, "the answer is not gRPC; %s", advice_http);
	}
}

static const char *const grpc_headers[] = {
	"Content-Type: application/grpc",
	"TE: trailers",
	NULL,
};

const struct protocol protocol_grpc = {
	.path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	.headers = grpc_headers,
	.gzip_header = "grpc-encoding: gzip",
	.http_version_plain = CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
	.http_version_tls = CURL_HTTP_VERSION_2TLS,
	.encode = grpc_encode,
	.judge = grpc_judge,
};
