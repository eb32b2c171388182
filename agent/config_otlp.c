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

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TRACES_PATH "v1/traces"

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

/* Tries one variable; a wrong one is as good as unset. *FOUND when it gave the endpoint. */
static int try_endpoint(struct settings *s, const char *name, const char *text, bool is_base,
			bool *found)
{
	bool grpc = s->config.otlp.protocol == OTLP_GRPC;
	int err;

	if (!text || *found)
		return 0;
	err = make_endpoint(s, text, is_base, &s->config.otlp.endpoint);
	if (err == -EINVAL) {
		/* a URL may hold a password: not shown */
		log_warn("config: %s is no endpoint for %s: it accepts %s; ignored", name,
			 grpc ? "grpc" : "http/protobuf",
			 grpc ? "http://host:port, https://host:port or host:port" :
				"a URL as http://host:4318");
		return 0;
	}
	*found = !err;
	return err;
}

int settings__finish_otlp(struct settings *s)
{
	bool grpc = s->config.otlp.protocol == OTLP_GRPC, found = false;
	struct config *c = &s->config;
	int err;

	err = try_endpoint(s, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", s->otlp_traces_endpoint, false,
			   &found);
	if (!err)
		err = try_endpoint(s, "OTEL_EXPORTER_OTLP_ENDPOINT", s->otlp_endpoint, true,
				   &found);
	if (err)
		return err;
	if (!found)
		c->otlp.endpoint = grpc ? "http://localhost:4317" :
					  "http://localhost:4318/" TRACES_PATH;
	c->otlp.user_agent = "gospan/" GOSPAN_VERSION " OTel-OTLP-Exporter-C/" GOSPAN_VERSION;
	c->otlp_wanted = (c->trace_exporters & EXPORT_TO_OTLP) &&
			 (found || c->command == COMMAND_SERVICE);
	return 0;
}
