/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer: a libcurl easy handle for each attempt, and what its callbacks collect into the answer.
 *
 * Handles are copied from a template and not used again, so that nothing of an attempt lingers.
 * Connections stay in the multi handle.
 */
#include "transfer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { RETRY_AFTER_MAX_S = 600 }; /* whatever a receiver says, it is asked again */

static size_t on_body(char *data, size_t one, size_t len, void *ctx)
{
	struct answer *answer = ctx;
	size_t room = ANSWER_KEPT_SZ - answer->body.len;

	answer->body_sz += len;
	if (answer->body_sz > ANSWER_MAX_SZ)
		return 0; /* ends the transfer with CURLE_WRITE_ERROR */
	if (bytes__append(&answer->body, data, len < room ? len : room))
		return 0;
	return len;
}

/* A whole number of seconds or a date. RFC 9110 10.2.3 */
static long parse_retry_after(const char *value)
{
	char *end;
	long long seconds = strtoll(value, &end, 10);
	time_t date;

	if (end == value || *end) {
		date = curl_getdate(value, NULL);
		if (date == -1)
			return -1;
		seconds = (long long)date - time(NULL);
	}
	if (seconds < 0)
		seconds = 0;
	if (seconds > RETRY_AFTER_MAX_S)
		seconds = RETRY_AFTER_MAX_S;
	return (long)seconds * 1000;
}

static void copy_text(char *to, size_t to_sz, const char *from)
{
	size_t len = strlen(from);

	if (len >= to_sz)
		len = to_sz - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

static int hex_value(char c)
{
	const char *digits = "0123456789abcdef", *digit;

	digit = c ? strchr(digits, c | 0x20) : NULL;
	return digit ? (int)(digit - digits) : -1;
}

/* grpc-message is percent-encoded UTF-8. */
static void copy_grpc_message(char *to, size_t to_sz, const char *from)
{
	size_t len = 0;

	for (; *from && len + 1 < to_sz; from++) {
		if (*from == '%' && hex_value(from[1]) >= 0 && hex_value(from[2]) >= 0) {
			to[len++] = (char)(hex_value(from[1]) << 4 | hex_value(from[2]));
			from += 2;
		} else {
			to[len++] = *from;
		}
	}
	to[len] = '\0';
}

static void take_header(struct answer *answer, const char *name, const char *value)
{
	if (!strcasecmp(name, "content-type"))
		copy_text(answer->content_type, sizeof(answer->content_type), value);
	else if (!strcasecmp(name, "location"))
		copy_text(answer->location, sizeof(answer->location), value);
	else if (!strcasecmp(name, "retry-after"))
		answer->retry_after_ms = parse_retry_after(value);
	else if (!strcasecmp(name, "grpc-status") && *value >= '0' && *value <= '9')
		answer->grpc_status = atoi(value);
	else if (!strcasecmp(name, "grpc-message"))
		copy_grpc_message(answer->grpc_message, sizeof(answer->grpc_message), value);
	else if (!strcasecmp(name, "grpc-status-details-bin"))
		copy_text(answer->grpc_details, sizeof(answer->grpc_details), value);
}

/* One line of the header or (gRPC) of the trailers, not NUL-terminated, with its line end. */
static size_t on_header(char *data, size_t one, size_t len, void *ctx)
{
	char line[1280], *value, *end;

	if (len >= sizeof(line))
		return len; /* none of ours is that long */
	memcpy(line, data, len);
	line[len] = '\0';
	for (end = line + len; end > line && strchr("\r\n \t", end[-1]); end--)
		end[-1] = '\0';
	value = strchr(line, ':');
	if (value) {
		*value++ = '\0';
		take_header(ctx, line, value + strspn(value, " \t"));
	}
	return len;
}

static CURLcode set_tls(CURL *easy, const struct otlp_settings *settings)
{
	CURLcode code = CURLE_OK;

	if (settings->certificate)
		code = curl_easy_setopt(easy, CURLOPT_CAINFO, settings->certificate);
	if (!code && settings->client_certificate)
		code = curl_easy_setopt(easy, CURLOPT_SSLCERT, settings->client_certificate);
	if (!code && settings->client_key)
		code = curl_easy_setopt(easy, CURLOPT_SSLKEY, settings->client_key);
	return code;
}

/*
 * libcurl 7.88 (Debian 12) fails every request but the first on an HTTP/2 connection that was made
 * by prior knowledge: such connections are not used again. https://github.com/curl/curl/pull/10643
 */
static bool can_reuse(long http_version)
{
	return http_version != CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE ||
	       curl_version_info(CURLVERSION_NOW)->version_num >> 8 != 0x0758;
}

static CURLcode set_connection(CURL *easy, const struct protocol *protocol, const char *url)
{
	bool tls = !strncasecmp(url, "https:", 6);
	long version = tls ? protocol->http_version_tls : protocol->http_version_plain;
	CURLcode code;

	code = curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
	if (!code && !can_reuse(version))
		code = curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	if (!code && !can_reuse(version))
		code = curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	if (!code && version != CURL_HTTP_VERSION_1_1) /* two requests share one connection */
		code = curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	return code;
}

static CURLcode set_request(CURL *easy, const struct otlp_settings *settings,
			    const char *url, struct curl_slist *headers)
{
	CURLcode code;

	code = curl_easy_setopt(easy, CURLOPT_URL, url);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	if (!code && settings->user_agent)
		code = curl_easy_setopt(easy, CURLOPT_USERAGENT, settings->user_agent);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_POST, 1L);
	return code;
}

int transfer__new_template(const struct otlp_settings *settings, const struct protocol *protocol,
			   const char *url, struct curl_slist *headers, CURL **out)
{
	CURL *easy = curl_easy_init();

	if (!easy)
		return -ENOMEM;
	if (set_tls(easy, settings) || set_connection(easy, protocol, url) ||
	    set_request(easy, settings, url, headers)) {
		curl_easy_cleanup(easy);
		return -ENOMEM;
	}
	*out = easy;
	return 0;
}

static CURLcode set_attempt(struct transfer *t, const struct bytes *body, long timeout_ms,
			    void *owner)
{
	CURL *easy = t->easy;
	CURLcode code;

	code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, &t->answer);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_HEADERDATA, &t->answer);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->answer.curl_text);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_PRIVATE, owner);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body->at);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->len);
	if (!code)
		code = curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
	return code;
}

int transfer__start(struct transfer *t, CURL *template, CURLM *multi, const struct bytes *body,
		    long timeout_ms, void *owner)
{
	struct bytes kept = t->answer.body;

	kept.len = 0;
	t->answer = (struct answer){ .body = kept, .retry_after_ms = -1, .grpc_status = -1 };
	t->easy = curl_easy_duphandle(template);
	if (!t->easy)
		return -ENOMEM;
	if (set_attempt(t, body, timeout_ms, owner) || curl_multi_add_handle(multi, t->easy)) {
		curl_easy_cleanup(t->easy);
		t->easy = NULL;
		return -EIO;
	}
	return 0;
}

void transfer__end(struct transfer *t, CURLM *multi)
{
	curl_multi_remove_handle(multi, t->easy);
	curl_easy_cleanup(t->easy);
	t->easy = NULL;
}

void transfer__clear(struct transfer *t)
{
	bytes__free(&t->answer.body);
}
