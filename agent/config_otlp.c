/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_otlp: from the OTEL_EXPORTER_OTLP_* variables to one endpoint. The rules (OpenTelemetry
 * 1.60, "OTLP Exporter", Endpoint URLs for OTLP/HTTP and Endpoint):
 *
 *   http   the base endpoint gets v1/traces appended to its path; the one for traces is used as it
 *          is, with "/" where there is no path at all
 *   grpc   scheme://host:port; without a scheme OTEL_EXPORTER_OTLP_INSECURE tells https from http
 *
 * URLs are taken apart and put together by libcurl, which will also use them.
 */
#include "config_table.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRACES_PATH "v1/traces"

/* Kept as it is when one of the headers can be sent: the exporter leaves the others out. */
int parse_headers(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	size_t usable, unusable;
	int err = exporter__count_headers(text, &usable, &unusable);

	if (err)
		return err;
	if (!usable)
		return -EINVAL;
	err = parse_text(s, row, text, dst);
	return err ? err : unusable != 0;
}

static int set_http_url(CURLU *url, const char *text, bool is_base)
{
	char *path = NULL, joined[4096];
	int len, err = -EINVAL;

	if (curl_url_set(url, CURLUPART_URL, text, 0))
		return -EINVAL;
	if (!is_base)
		return 0;
	if (curl_url_get(url, CURLUPART_PATH, &path, 0))
		goto cleanup;
	len = strlen(path);
	len = snprintf(joined, sizeof(joined), "%s%s" TRACES_PATH, path,
		       len && path[len - 1] == '/' ? "" : "/");
	if (len < (int)sizeof(joined) && !curl_url_set(url, CURLUPART_PATH, joined, 0))
		err = 0;
cleanup:
	curl_free(path);
	return err;
}

static int set_grpc_url(CURLU *url, const char *text, bool insecure)
{
	char full[4096];

	if (!strstr(text, "://")) {
		if (snprintf(full, sizeof(full), "%s://%s", insecure ? "http" : "https", text) >=
		    (int)sizeof(full))
			return -EINVAL;
		text = full;
	}
	if (curl_url_set(url, CURLUPART_URL, text, 0) ||
	    curl_url_set(url, CURLUPART_PATH, "/", 0) ||
	    curl_url_set(url, CURLUPART_QUERY, NULL, 0) ||
	    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0))
		return -EINVAL;
	return 0;
}

static bool is_web(CURLU *url)
{
	char *scheme = NULL;
	bool web;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0))
		return false;
	web = !strcmp(scheme, "http") || !strcmp(scheme, "https");
	curl_free(scheme);
	return web;
}

/* The URL that TEXT means by the rules above, as *OUT. -EINVAL not a usable one, -ENOMEM. */
static int make_endpoint(struct settings *s, const char *text, bool is_base, const char **out)
{
	bool grpc = s->config.otlp.protocol == OTLP_GRPC;
	char *whole = NULL, *copy;
	CURLU *url = curl_url();
	size_t len;
	int err;

	if (!url)
		return -ENOMEM;
	err = grpc ? set_grpc_url(url, text, s->otlp_insecure) : set_http_url(url, text, is_base);
	if (err)
		goto cleanup;
	err = -EINVAL;
	if (!is_web(url) || curl_url_get(url, CURLUPART_URL, &whole, 0))
		goto cleanup;
	len = strlen(whole);
	if (grpc && whole[len - 1] == '/') /* scheme://host:port, nothing behind */
		len--;
	err = -ENOMEM;
	copy = settings__copy(s, whole, len);
	if (!copy)
		goto cleanup;
	*out = copy;
	err = 0;
cleanup:
	curl_free(whole);
	curl_url_cleanup(url);
	return err;
}

/* The variables, in the order in which they count. */
static const char *const endpoint_names[] = { "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
					      "OTEL_EXPORTER_OTLP_ENDPOINT" };
enum { TRACES_ENDPOINT, BASE_ENDPOINT, ENDPOINT_CNT };

/* host:port without a scheme, which is what gRPC users and Compose files write: what was meant. */
static void guess_endpoint(struct settings *s, const char *text, char *out, size_t out_sz)
{
	const char *colon = strrchr(text, ':'), *made;
	char value[LOG_VALUE_BYTES], with_scheme[4096];
	unsigned long port;

	out[0] = '\0';
	if (strstr(text, "://") || !colon || !isdigit((unsigned char)colon[1]))
		return;
	port = strtoul(colon + 1, NULL, 10);
	if (snprintf(with_scheme, sizeof(with_scheme), "http://%s", text) >=
		    (int)sizeof(with_scheme) ||
	    make_endpoint(s, with_scheme, false, &made))
		return;
	snprintf(out, out_sz, "; did you mean %s%s?", log__value(with_scheme, value),
		 port == 4317 ? " with OTEL_EXPORTER_OTLP_PROTOCOL=grpc" : "");
}

/* TEXT of variable I is as good as unset. USED: the variable that gave the endpoint, or NULL. */
static void warn_endpoint(struct settings *s, size_t i, const char *text, const char *used)
{
	bool secret = strpbrk(text, "@?"); /* a password, a key among the parameters */
	bool grpc = s->config.otlp.protocol == OTLP_GRPC;
	char value[LOG_VALUE_BYTES], guess[256] = "";

	if (!used)
		used = s->config.otlp_wanted ? s->config.otlp.endpoint : "nothing";
	if (!grpc && !secret)
		guess_endpoint(s, text, guess, sizeof(guess));
	log_warn("config: %s='%s': it accepts %s; using %s instead%s", endpoint_names[i],
		 secret ? "..." : log__value(text, value),
		 grpc ? "http://host:port, https://host:port or host:port" :
			"a URL as http://host:4318", used, guess);
}

int settings__finish_otlp(struct settings *s)
{
	const char *texts[] = { s->otlp_traces_endpoint, s->otlp_endpoint }, *used = NULL;
	bool grpc = s->config.otlp.protocol == OTLP_GRPC, wrong[ENDPOINT_CNT] = { false };
	struct config *c = &s->config;
	size_t i;
	int err;

	for (i = 0; i < ENDPOINT_CNT && !used; i++) {
		if (!texts[i])
			continue;
		err = make_endpoint(s, texts[i], i == BASE_ENDPOINT, &c->otlp.endpoint);
		if (err == -ENOMEM)
			return err;
		wrong[i] = err;
		used = err ? NULL : endpoint_names[i];
	}
	if (!used)
		c->otlp.endpoint = grpc ? "http://localhost:4317" :
					  "http://localhost:4318/" TRACES_PATH;
	c->otlp.user_agent = "gospan/" GOSPAN_VERSION " OTel-OTLP-Exporter-C/" GOSPAN_VERSION;
	c->otlp_wanted = (c->trace_exporters & EXPORT_TO_OTLP) &&
			 (used || c->command == COMMAND_SERVICE);
	for (i = 0; i < ENDPOINT_CNT; i++)
		if (wrong[i])
			warn_endpoint(s, i, texts[i], used);
	return 0;
}
