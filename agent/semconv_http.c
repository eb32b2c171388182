// SPDX-License-Identifier: Apache-2.0
/*
 * semconv_http: HTTP spans (semantic conventions for HTTP, stable); see semconv.h. Here are server
 * spans, and what both sides share.
 */
#include "http_text.h"
#include "ip_text.h"
#include "semconv_http.h"

bool http__is_known_method(struct otlp_text method, const struct config *config)
{
	for (size_t i = 0; i < config->known_methods.cnt; i++)
		if (text_is(method, config->known_methods.at[i]))
			return true;
	return false;
}

/* The route, with the prefix that http.StripPrefix had cut off put back; empty when unknown. */
static struct otlp_text route_of(struct build_span *b, const struct raws *raws)
{
	struct otlp_text route = http__pattern_path(raw_text(raws, ATTR_HTTP_ROUTE_PATTERN));
	struct otlp_text path, query, prefix;

	if (!route.len || !raw_number(raws, ATTR_HTTP_ROUTE_PREFIX, 0))
		return build__clean(b, route);
	http__split_target(raw_text(raws, ATTR_HTTP_REQUEST_URI), &path, &query);
	prefix = http__encoded_prefix(path, raw_number(raws, ATTR_HTTP_ROUTE_PREFIX, 0));
	prefix = build__clean(b, prefix);
	/* cleaned texts lie one behind the other on the workbench: this makes them one */
	prefix.len += build__clean(b, route).len;
	return prefix;
}

static struct otlp_text name_of(struct build_span *b, struct otlp_text method, bool known,
				struct otlp_text route)
{
	struct otlp_text name = build__clean(b, known ? method : text_of("HTTP"));

	if (route.len) {
		/* one behind the other on the workbench: one text */
		name.len += build__clean(b, text_of(" ")).len;
		name.len += build__clean(b, route).len;
	}
	return name;
}

static struct otlp_text name_alone(struct build_span *b, const struct semconv_input *in)
{
	struct otlp_text method = raw_text(in->raws, ATTR_HTTP_METHOD);

	if (in->record->kind == SPAN_CLIENT)
		return http_client__name(b, in);
	return name_of(b, method, http__is_known_method(method, in->config), route_of(b, in->raws));
}

void http__put_method(struct build_span *b, struct otlp_text method, bool known)
{
	build__text(b, "http.request.method", known ? method : text_of("_OTHER"));
	if (!known)
		build__text(b, "http.request.method_original", method);
}

static void put_url(struct build_span *b, const struct raws *raws, const struct config *config)
{
	struct otlp_text path, query;

	http__split_target(raw_text(raws, ATTR_HTTP_REQUEST_URI), &path, &query);
	build__text(b, "url.path", path);
	if (query.len)
		build__text(b, "url.query", http__redact_query(b, query, &config->redact_query));
}

static struct otlp_text either(struct otlp_text first, struct otlp_text second)
{
	return first.len ? first : second;
}

/* Letters, digits, "+-." only: what a scheme may be; a header may hold anything. */
static bool is_scheme(struct otlp_text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.", t.at[i]) ||
		    !t.at[i])
			return false;
	return t.len > 0;
}

/* Who the socket says is at its other end; *PORT 0: a unix socket, "@" or a path. */
static struct otlp_text peer_of(struct build_span *b, const struct raws *raws, unsigned *port)
{
	struct ip_address address;
	struct otlp_text peer;

	if (ip_text__read(&raws->by_key[ATTR_PEER_ADDRESS], &address) && address.len) {
		*port = address.port;
		return ip_text__address(b, &address);
	}
	http__split_host(raw_text(raws, ATTR_PEER), &peer, port);
	return peer;
}

/* Client, server and scheme as the first proxy saw them; the peer as the socket did. */
static void put_ends(struct build_span *b, const struct raws *raws)
{
	struct otlp_text forwarded = raw_text(raws, ATTR_HTTP_FORWARDED);
	struct otlp_text scheme = either(http__forwarded(forwarded, "proto"),
					 http__first(raw_text(raws, ATTR_HTTP_X_FORWARDED_PROTO)));
	struct otlp_text client = either(http__forwarded(forwarded, "for"),
					 http__first(raw_text(raws, ATTR_HTTP_X_FORWARDED_FOR)));
	struct otlp_text server = either(http__forwarded(forwarded, "host"),
					 http__first(raw_text(raws, ATTR_HTTP_X_FORWARDED_HOST)));
	struct otlp_text peer, host;
	unsigned peer_port, port;

	if (!is_scheme(scheme))
		scheme = text_of(raw_number(raws, ATTR_HTTP_TLS, 0) ? "https" : "http");
	build__text(b, "url.scheme", scheme);
	peer = peer_of(b, raws, &peer_port);
	if (peer_port) {
		build__text(b, "network.peer.address", peer);
		build__number(b, "network.peer.port", peer_port);
	}
	if (client.len)
		http__split_host(client, &client, &port);
	else if (peer_port)
		client = peer;
	build__text(b, "client.address", client);
	http__split_host(either(server, raw_text(raws, ATTR_HTTP_HOST)), &host, &port);
	build__text(b, "server.address", host);
	if (host.len && port)
		build__number(b, "server.port", port);
}

void http__put_protocol(struct build_span *b, const struct raws *raws)
{
	int64_t protocol = raw_number(raws, ATTR_HTTP_PROTOCOL, 0);

	/* nearly all: printf would be a twelfth of what a span takes */
	if (protocol == 11)
		build__text(b, "network.protocol.version", text_of("1.1"));
	else if (protocol == 20 || protocol == 30)
		build__text(b, "network.protocol.version", build__printf(b, "%d", (int)protocol / 10));
	else if (protocol > 0)
		build__text(b, "network.protocol.version",
			    build__printf(b, "%d.%d", (int)protocol / 10, (int)protocol % 10));
}

void http__put_body_sizes(struct build_span *b, const struct raws *raws, int64_t status)
{
	int64_t request = raw_number(raws, ATTR_HTTP_REQUEST_BODY_SIZE, 0);
	int64_t response = raw_number(raws, ATTR_HTTP_RESPONSE_BODY_SIZE, -1);

	if (request > 0)
		build__number(b, "http.request.body.size", request);
	if (response >= 0 && !text_is(raw_text(raws, ATTR_HTTP_METHOD), "HEAD") && status != 204 &&
	    status != 304)
		build__number(b, "http.response.body.size", response);
}

/* Server spans fail by 5xx, or by a handler that did not return. */
static void put_outcome(struct build_span *b, const struct raws *raws)
{
	int64_t status = raw_number(raws, ATTR_HTTP_STATUS, 0);
	int64_t unwound = raw_number(raws, ATTR_UNWOUND, 0);

	if (status > 0)
		build__number(b, "http.response.status_code", status);
	http__put_body_sizes(b, raws, status);
	if (unwound || status >= 500)
		b->span.status = OTLP_STATUS_ERROR;
	/* what unwound it says the rest: assemble */
	if (!unwound && status >= 500)
		build__text(b, "error.type", build__printf(b, "%d", (int)status));
}

static bool failed(const struct semconv_input *in)
{
	if (in->record->kind == SPAN_CLIENT)
		return http_client__failed(in);
	return raw_number(in->raws, ATTR_HTTP_STATUS, 0) >= 500;
}

static void describe_server(struct build_span *b, const struct semconv_input *in)
{
	struct otlp_text method = raw_text(in->raws, ATTR_HTTP_METHOD);
	struct otlp_text route = route_of(b, in->raws);
	bool known = http__is_known_method(method, in->config);

	b->span.name = name_of(b, method, known, route);
	http__put_method(b, method, known);
	build__text(b, "http.route", route);
	put_url(b, in->raws, in->config);
	put_ends(b, in->raws);
	http__put_protocol(b, in->raws);
	build__text(b, "user_agent.original", raw_text(in->raws, ATTR_USER_AGENT));
	put_outcome(b, in->raws);
}

static void describe(struct build_span *b, const struct semconv_input *in)
{
	if (in->record->kind == SPAN_CLIENT)
		http_client__describe(b, in);
	else
		describe_server(b, in);
}

const struct semconv semconv_http = {
	.domain = "HTTP",
	.name = name_alone,
	.failed = failed,
	.describe = describe,
};
