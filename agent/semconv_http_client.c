// SPDX-License-Identifier: Apache-2.0
/* semconv_http_client: CLIENT spans of the domain HTTP; see semconv.h. */
#include "http_url.h"
#include "semconv_http.h"

static struct otlp_text method_of(const struct raws *raws)
{
	struct otlp_text method = raw_text(raws, ATTR_HTTP_METHOD);

	return method.len ? method : text_of("GET"); /* what net/http takes an empty one for */
}

struct otlp_text http_client__name(struct build_span *b, const struct semconv_input *in)
{
	struct otlp_text method = method_of(in->raws);

	return build__clean(b,
			    http__is_known_method(method, in->config) ? method : text_of("HTTP"));
}

/* A caller that gives up on purpose is no failure (http-spans.md 1.44, Status); its deadline is one. */
static bool has_error(const struct semconv_input *in)
{
	return in->error.type.len && !text_is(in->error.type, "context.Canceled") &&
	       !raw_number(in->raws, ATTR_CANCELED, 0);
}

bool http_client__failed(const struct semconv_input *in)
{
	return has_error(in) || raw_number(in->raws, ATTR_HTTP_STATUS, 0) >= 400;
}

/* 0: of another protocol, by http.Transport.RegisterProtocol. */
static unsigned default_port(struct otlp_text scheme)
{
	if (text_is(scheme, "https"))
		return 443;
	return text_is(scheme, "http") ? 80 : 0;
}

static void put_server(struct build_span *b, const struct http_url *url)
{
	struct otlp_text host;
	unsigned port;

	http__split_host(url->host, &host, &port);
	build__text(b, "server.address", host);
	if (!port)
		port = default_port(url->scheme);
	if (host.len && port)
		build__number(b, "server.port", port);
}

/* Client spans fail by an error, or by an answer from 400 on. */
static void put_outcome(struct build_span *b, const struct semconv_input *in)
{
	int64_t status = raw_number(in->raws, ATTR_HTTP_STATUS, 0);

	if (status > 0)
		build__number(b, "http.response.status_code", status);
	http__put_body_sizes(b, in->raws, status);
	if (has_error(in))
		semconv__put_error(b, in);
	if (!has_error(in) && status >= 400) {
		b->span.status = OTLP_STATUS_ERROR;
		build__text(b, "error.type", build__printf(b, "%d", (int)status));
	}
}

void http_client__describe(struct build_span *b, const struct semconv_input *in)
{
	const struct raws *raws = in->raws;
	struct otlp_text method = method_of(raws);
	int64_t resends = raw_number(raws, ATTR_HTTP_RESEND_COUNT, 0);
	struct http_url url = {
		.scheme = raw_text(raws, ATTR_URL_SCHEME),
		.has_user = raw_number(raws, ATTR_URL_USER, 0),
		.host = raw_text(raws, ATTR_URL_HOST),
		.opaque = raw_text(raws, ATTR_URL_OPAQUE),
		.path = raw_text(raws, ATTR_URL_PATH),
		.raw_path = raw_text(raws, ATTR_URL_RAW_PATH),
		.query = raw_text(raws, ATTR_URL_QUERY),
		.fragment = raw_text(raws, ATTR_URL_FRAGMENT),
	};

	b->span.name = http_client__name(b, in);
	http__put_method(b, method, http__is_known_method(method, in->config));
	build__text(b, "url.full", http__full_url(b, &url, &in->config->redact_query));
	put_server(b, &url);
	semconv__put_peer(b, raws);
	http__put_protocol(b, raws);
	if (resends)
		build__number(b, "http.request.resend_count", resends);
	put_outcome(b, in);
}
