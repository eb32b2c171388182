/* SPDX-License-Identifier: Apache-2.0 */
/* request: where to send to and with which headers, made once from the settings. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "transfer.h"

static int set_path(CURLU *url, const char *path)
{
	if (!path)
		return 0;
	if (curl_url_set(url, CURLUPART_PATH, path, 0) ||
	    curl_url_set(url, CURLUPART_QUERY, NULL, 0))
		return -ENOMEM;
	return 0;
}

static int get_shown(CURLU *url, bool with_path, char **shown)
{
	if ((!with_path && curl_url_set(url, CURLUPART_PATH, NULL, 0)) ||
	    curl_url_set(url, CURLUPART_USER, NULL, 0) ||
	    curl_url_set(url, CURLUPART_PASSWORD, NULL, 0) ||
	    curl_url_set(url, CURLUPART_QUERY, NULL, 0) ||
	    curl_url_get(url, CURLUPART_URL, shown, 0))
		return -ENOMEM;
	return 0;
}

static bool is_http(CURLU *url)
{
	char *scheme = NULL, *host = NULL;
	bool ok;

	ok = !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) &&
	     !curl_url_get(url, CURLUPART_HOST, &host, 0) && *host &&
	     (!strcasecmp(scheme, "http") || !strcasecmp(scheme, "https"));
	curl_free(scheme);
	curl_free(host);
	return ok;
}

int request__url(const char *endpoint, const char *path, char **url, char **shown)
{
	char *full = NULL, *short_form = NULL;
	CURLU *parts = curl_url();
	int err = -EINVAL;

	if (!parts)
		return -ENOMEM;
	if (!endpoint || curl_url_set(parts, CURLUPART_URL, endpoint, 0) || !is_http(parts))
		goto cleanup;
	curl_url_set(parts, CURLUPART_FRAGMENT, NULL, 0);
	err = set_path(parts, path);
	if (!err && curl_url_get(parts, CURLUPART_URL, &full, 0))
		err = -ENOMEM;
	if (!err)
		err = get_shown(parts, !path, &short_form);
	if (err)
		goto cleanup;
	*url = full;
	*shown = short_form;
	full = NULL;

cleanup:
	curl_free(full);
	curl_url_cleanup(parts);
	return err;
}

/* -- headers -- */

static int add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return -ENOMEM;
	*list = longer;
	return 0;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes %XX in place; what is no such escape stays. */
static void percent_decode(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (*from == '%' && hex_digit(from[1]) >= 0 && hex_digit(from[2]) >= 0) {
			*to++ = (char)(hex_digit(from[1]) << 4 | hex_digit(from[2]));
			from += 2;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static char *trim(char *text)
{
	char *end;

	text += strspn(text, " \t");
	for (end = text + strlen(text); end > text && (end[-1] == ' ' || end[-1] == '\t'); end--)
		end[-1] = '\0';
	return text;
}

/* Ours decide what the body is: they are not to be doubled. */
static bool is_reserved(const char *name)
{
	return !strcasecmp(name, "content-type") || !strcasecmp(name, "content-encoding") ||
	       !strcasecmp(name, "content-length") || !strcasecmp(name, "te") ||
	       !strcasecmp(name, "grpc-encoding");
}

static bool is_usable(const char *name, const char *value)
{
	if (!*name || is_reserved(name))
		return false;
	for (; *name; name++) { /* RFC 9110 token */
		if (!isalnum((unsigned char)*name) && !strchr("!#$%&'*+-.^_`|~", *name))
			return false;
	}
	for (; *value; value++) { /* no line breaks smuggled in as %0d%0a */
		if ((unsigned char)*value < 0x20 && *value != '\t')
			return false;
	}
	return true;
}

/* Takes "name=value" apart, in place. false: it is no header that can be sent. */
static bool read_pair(char *pair, char **name, char **value)
{
	char *equals = strchr(pair, '=');

	if (!equals)
		return false;
	*equals = '\0';
	*name = trim(pair);
	*value = trim(equals + 1);
	percent_decode(*value);
	return is_usable(*name, *value);
}

static int add_pair(struct curl_slist **list, const char *name, const char *value)
{
	size_t line_sz = strlen(name) + strlen(value) + sizeof(": ");
	char *line = malloc(line_sz);
	int err;

	if (!line)
		return -ENOMEM;
	/* libcurl's way to send a header without a value is "name;" */
	snprintf(line, line_sz, *value ? "%s: %s" : "%s;", name, value);
	err = add_header(list, line);
	free(line);
	return err;
}

/* "k=v,k2=v2", to LIST unless it is NULL. Unusable pairs are left out: config has warned of them. */
static int read_pairs(const char *headers, struct curl_slist **list, size_t *usable, size_t *unusable)
{
	char *copy = strdup(headers), *pair, *save = NULL, *name, *value;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	*usable = *unusable = 0;
	for (pair = strtok_r(copy, ",", &save); pair && !err; pair = strtok_r(NULL, ",", &save)) {
		if (!pair[strspn(pair, " \t")])
			continue;
		if (!read_pair(pair, &name, &value)) {
			++*unusable;
			continue;
		}
		++*usable;
		if (list)
			err = add_pair(list, name, value);
	}
	free(copy);
	return err;
}

int exporter__count_headers(const char *headers, size_t *usable, size_t *unusable)
{
	return read_pairs(headers, NULL, usable, unusable);
}

int request__headers(const struct otlp_settings *settings, const struct protocol *protocol,
		     struct curl_slist **out)
{
	struct curl_slist *list = NULL;
	size_t usable, unusable;
	int err;

	/* no pause before larger bodies to ask whether they are welcome */
	err = add_header(&list, "Expect:");
	for (size_t i = 0; protocol->headers[i] && !err; i++)
		err = add_header(&list, protocol->headers[i]);
	if (!err && settings->gzip)
		err = add_header(&list, protocol->gzip_header);
	if (!err && settings->headers)
		err = read_pairs(settings->headers, &list, &usable, &unusable);
	if (err)
		curl_slist_free_all(list);
	else
		*out = list;
	return err;
}
