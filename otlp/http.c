/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http: OTLP over HTTP, protobuf or JSON.
 * https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "json.h"
#include "transfer.h"

static const char advice_grpc[] =
	"if this is a gRPC port (usually 4317), set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, "
	"or OTEL_EXPORTER_OTLP_ENDPOINT to its HTTP port (usually 4318)";

static int append_body(const struct bytes *content, bool gzip, struct bytes *body)
{
	return gzip ? gzip__append(body, content->at, content->len) :
		      bytes__append(body, content->at, content->len);
}

static int http_encode(const struct bytes *payload, bool gzip, struct bytes *body)
{
	return append_body(payload, gzip, body);
}

static int http_json_encode(const struct bytes *payload, bool gzip, struct bytes *body)
{
	struct bytes json = { 0 };
	int err;

	err = otlp__traces_to_json(payload, &json);
	if (!err)
		err = append_body(&json, gzip, body);
	bytes__free(&json);
	return err;
}

/* {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "..."}}; numbers may be strings. */
static void judge_json(const struct answer *answer, struct verdict *out)
{
	json_t *root = json_loadb((const char *)answer->body.at, answer->body.len, 0, NULL);
	json_t *partial = json_object_get(root, "partialSuccess");
	json_t *rejected = json_object_get(partial, "rejectedSpans");
	const char *text = json_string_value(json_object_get(partial, "errorMessage"));
	long long cnt;

	if (answer->body.len && !json_is_object(root)) {
		verdict__unreadable(out, answer);
		json_decref(root);
		return;
	}
	cnt = json_is_string(rejected) ? strtoll(json_string_value(rejected), NULL, 10) :
					 json_integer_value(rejected);
	verdict__set(out, VERDICT_TAKEN, "%s%s%.200s", cnt > 0 ? "partial success" : "",
		     cnt > 0 && text && *text ? ": " : "", text ? text : "");
	if (cnt > 0)
		out->rejected = (uint64_t)cnt;
	json_decref(root);
}

static bool has_type(const struct answer *answer, const char *type)
{
	return !strncasecmp(answer->content_type, type, strlen(type));
}

/*
 * 2xx is success whatever the body (the specification leaves it open), except for a web page: that
 * comes from a server which answers anything at any path.
 */
static void judge_success(const struct answer *answer, struct verdict *out)
{
	if (has_type(answer, "text/html"))
		verdict__set(out, VERDICT_FINAL,
			     "answers with a web page: not an OTLP receiver; "
			     "see OTEL_EXPORTER_OTLP_ENDPOINT");
	else if (has_type(answer, "application/json"))
		judge_json(answer, out);
	else
		verdict__of_response(out, answer, answer->body.at, answer->body.len);
}

static void http_judge(const struct answer *answer, struct verdict *out)
{
	if (answer->code) {
		verdict__of_failure(out, answer, advice_grpc);
		return;
	}
	if (answer->status >= 200 && answer->status < 300) {
		judge_success(answer, out);
		return;
	}
	verdict__of_status(out, answer);
	if (has_type(answer, "application/grpc") || answer->status == 426 || answer->status == 505)
		verdict__add(out, "; %s", advice_grpc);
	else if (answer->status == 404 || answer->status == 405)
		verdict__add(out, "; no OTLP receiver at this path (usually /v1/traces): "
			     "see OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL");
	else if (answer->status == 415)
		verdict__add(out, "; it does not take this encoding: "
			     "see OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_COMPRESSION");
}

static const char *const protobuf_headers[] = { "Content-Type: application/x-protobuf", NULL };
static const char *const json_headers[] = { "Content-Type: application/json", NULL };

const struct protocol protocol_http = {
	.headers = protobuf_headers,
	.gzip_header = "Content-Encoding: gzip",
	.http_version_plain = CURL_HTTP_VERSION_1_1,
	.http_version_tls = CURL_HTTP_VERSION_1_1,
	.encode = http_encode,
	.judge = http_judge,
};

const struct protocol protocol_http_json = {
	.headers = json_headers,
	.gzip_header = "Content-Encoding: gzip",
	.http_version_plain = CURL_HTTP_VERSION_1_1,
	.http_version_tls = CURL_HTTP_VERSION_1_1,
	.encode = http_json_encode,
	.judge = http_judge,
};
