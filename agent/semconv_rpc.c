// SPDX-License-Identifier: Apache-2.0
/* semconv_rpc: gRPC spans (semantic conventions for RPC, release candidate); see semconv.h. */
#include "http_text.h"
#include "semconv.h"

/* google.golang.org/grpc/codes; as gRPC's own documents write them */
static const char *const codes[] = {
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
	"ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED",
	"OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
};

enum { CODES = sizeof(codes) / sizeof(codes[0]), UNKNOWN = 2, UNIMPLEMENTED = 12 };

/* Codes that are the server's fault: UNKNOWN DEADLINE_EXCEEDED UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS */
static const uint32_t server_errors = 1 << 2 | 1 << 4 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15;

static bool is_server(const struct semconv_input *in)
{
	return in->record->kind == SPAN_SERVER;
}

static int64_t code_of(const struct semconv_input *in)
{
	int64_t code = raw_number(in->raws, ATTR_RPC_STATUS, -1);

	if (code != RPC_UNKNOWN_OR_EOF)
		return code;
	if (!in->error.text.len)
		return -1;
	return text_is(in->error.text, "EOF") ? 0 : UNKNOWN;
}

/* A span without a status says by its error, if it has one, that it failed. */
static bool failed(const struct semconv_input *in)
{
	int64_t code = code_of(in);

	if (is_server(in))
		return code >= 0 && code < CODES && server_errors >> code & 1;
	return code > 0 || (code < 0 && in->error.type.len);
}

/* "pkg.Service/Method" of "/pkg.Service/Method". */
static struct otlp_text method_of(const struct semconv_input *in)
{
	struct otlp_text method = raw_text(in->raws, ATTR_RPC_METHOD);

	if (method.len && method.at[0] == '/') {
		method.at++;
		method.len--;
	}
	return method;
}

static bool starts_with(struct otlp_text text, const char *prefix)
{
	return text.len >= strlen(prefix) && !memcmp(text.at, prefix, strlen(prefix));
}

/* The server has no such method: its own words for that, (*Server).handleStream, 1.40 to 1.85. */
static bool is_unknown_method(const struct semconv_input *in)
{
	struct otlp_text message = raw_text(in->raws, ATTR_RPC_MESSAGE);

	return is_server(in) && code_of(in) == UNIMPLEMENTED &&
	       (starts_with(message, "unknown service ") || starts_with(message, "unknown method ") ||
		starts_with(message, "malformed method name"));
}

static struct otlp_text name_of(struct build_span *b, const struct semconv_input *in, bool known)
{
	struct otlp_text method = method_of(in);

	return build__clean(b, known && method.len ? method : text_of("grpc"));
}

static struct otlp_text name_alone(struct build_span *b, const struct semconv_input *in)
{
	return name_of(b, in, !is_unknown_method(in));
}

static void put_server(struct build_span *b, struct otlp_text endpoint)
{
	struct otlp_text host;
	unsigned port;

	http__split_host(endpoint, &host, &port);
	build__text(b, "server.address", host);
	if (host.len && port)
		build__number(b, "server.port", port);
}

static struct otlp_text behind(struct otlp_text text, size_t len)
{
	return (struct otlp_text){text.at + len, text.len - len};
}

/* What follows "SCHEME:" or "SCHEME://AUTHORITY/"; false when TARGET has another scheme. */
static bool endpoint_of(struct otlp_text target, const char *scheme, struct otlp_text *endpoint)
{
	struct otlp_text rest;
	const char *slash;

	if (!starts_with(target, scheme))
		return false;
	rest = behind(target, strlen(scheme));
	if (!starts_with(rest, ":"))
		return false;
	rest = behind(rest, 1);
	if (starts_with(rest, "//")) {
		slash = memchr(rest.at + 2, '/', rest.len - 2);
		if (!slash)
			return false;
		rest = behind(rest, slash + 1 - rest.at);
	}
	*endpoint = rest;
	return true;
}

/* https://grpc.github.io/grpc/core/md_doc_naming.html; what is no host and port is left as it is. */
static void put_target(struct build_span *b, struct otlp_text target)
{
	struct otlp_text endpoint;

	if (endpoint_of(target, "unix", &endpoint)) {
		/* the path of unix:///path begins with the slash that ends its empty authority */
		if (starts_with(target, "unix://"))
			endpoint = (struct otlp_text){endpoint.at - 1, endpoint.len + 1};
		build__text(b, "server.address", endpoint);
	} else if (endpoint_of(target, "unix-abstract", &endpoint)) {
		build__text(b, "server.address", endpoint);
	} else if (endpoint_of(target, "dns", &endpoint) ||
		   endpoint_of(target, "passthrough", &endpoint)) {
		put_server(b, endpoint);
	} else if ((target.len && memmem(target.at, target.len, "://", 3)) ||
		   starts_with(target, "ipv4:") || starts_with(target, "ipv6:") ||
		   starts_with(target, "xds:")) {
		build__text(b, "server.address", target);
	} else {
		put_server(b, target);
	}
}

static void put_outcome(struct build_span *b, const struct semconv_input *in)
{
	int64_t code = code_of(in);
	struct otlp_text text = {NULL, 0};

	if (code >= 0) {
		text = code < CODES ? text_of(codes[code]) : build__printf(b, "%lld", (long long)code);
		build__text(b, "rpc.response.status_code", text);
	}
	if (!failed(in))
		return;
	/* an interceptor's own error comes before any status: it has a type that says more */
	if (in->error.type.len) {
		semconv__put_error(b, in);
		return;
	}
	b->span.status = OTLP_STATUS_ERROR;
	b->span.status_message = build__clean(b, raw_text(in->raws, ATTR_RPC_MESSAGE));
	build__text(b, "error.type", text);
}

static void describe(struct build_span *b, const struct semconv_input *in)
{
	bool known = !is_unknown_method(in);

	b->span.name = name_of(b, in, known);
	build__text(b, "rpc.system.name", text_of("grpc"));
	build__text(b, "rpc.method", known ? method_of(in) : text_of("_OTHER"));
	if (!known)
		build__text(b, "rpc.method_original", method_of(in));
	if (is_server(in))
		put_server(b, raw_text(in->raws, ATTR_RPC_AUTHORITY));
	else
		put_target(b, raw_text(in->raws, ATTR_RPC_TARGET));
	semconv__put_peer(b, in->raws);
	if (raw_number(in->raws, ATTR_RPC_SENT, -1) >= 0)
		build__number(b, "gospan.rpc.messages_sent", raw_number(in->raws, ATTR_RPC_SENT, 0));
	if (raw_number(in->raws, ATTR_RPC_RECEIVED, -1) >= 0)
		build__number(b, "gospan.rpc.messages_received",
			      raw_number(in->raws, ATTR_RPC_RECEIVED, 0));
	put_outcome(b, in);
}

const struct semconv semconv_rpc = {
	.domain = "RPC",
	.name = name_alone,
	.failed = failed,
	.describe = describe,
};
