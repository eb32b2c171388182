// SPDX-License-Identifier: Apache-2.0
/* http_text: see http_text.h. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "http_text.h"

static struct otlp_text part(struct otlp_text t, size_t from, size_t to)
{
	return (struct otlp_text){t.at ? t.at + from : NULL, to - from};
}

/* Index of the first C in T from FROM on, or T.len. */
static size_t find(struct otlp_text t, size_t from, char c)
{
	while (from < t.len && t.at[from] != c)
		from++;
	return from;
}

static struct otlp_text trim(struct otlp_text t)
{
	while (t.len && (t.at[0] == ' ' || t.at[0] == '\t'))
		t = part(t, 1, t.len);
	while (t.len && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

static bool starts_like(struct otlp_text t, const char *prefix)
{
	return t.len >= strlen(prefix) && !strncasecmp(t.at, prefix, strlen(prefix));
}

void http__split_target(struct otlp_text target, struct otlp_text *path, struct otlp_text *query)
{
	size_t mark;

	*path = *query = (struct otlp_text){NULL, 0};
	if (starts_like(target, "http://") || starts_like(target, "https://")) {
		size_t slash = find(target, find(target, 0, '/') + 2, '/');

		mark = find(target, 0, '?');
		target = part(target, slash < mark ? slash : mark, target.len);
		if (!target.len || target.at[0] == '?') {
			*path = text_of("/");
			*query = target.len ? part(target, 1, target.len) : target;
			return;
		}
	} else if (target.len && target.at[0] != '/' && target.at[0] != '*') {
		return;
	}
	mark = find(target, 0, '?');
	*path = part(target, 0, mark);
	if (mark < target.len)
		*query = part(target, mark + 1, target.len);
}

static int hex_value(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : -1;
}

int http__unescape(struct otlp_text text, size_t *at)
{
	int c = (unsigned char)text.at[(*at)++];

	if (c != '%' || *at + 1 >= text.len || hex_value(text.at[*at]) < 0 ||
	    hex_value(text.at[*at + 1]) < 0)
		return c;
	c = hex_value(text.at[*at]) << 4 | hex_value(text.at[*at + 1]);
	*at += 2;
	return c;
}

/* Is the query key, decoded and in any case, this one? */
static bool key_is(struct otlp_text key, const char *want)
{
	size_t at = 0;

	for (; *want && at < key.len; want++)
		if (tolower(http__unescape(key, &at)) != tolower((unsigned char)*want))
			return false;
	return !*want && at == key.len;
}

static bool is_secret(struct otlp_text key, const struct strings *keys)
{
	for (size_t i = 0; i < keys->cnt; i++)
		if (key_is(key, keys->at[i]))
			return true;
	return false;
}

struct otlp_text http__redact_query(struct build_span *b, struct otlp_text query,
				    const struct strings *keys)
{
	static const char redacted[] = "REDACTED";
	char text[URI_MAX * 5];
	size_t used = 0;

	for (size_t at = 0; at <= query.len;) {
		size_t end = find(query, at, '&'), equals = find(query, at, '=');
		size_t keep = end;
		bool secret = equals < end && is_secret(part(query, at, equals), keys);

		if (secret)
			keep = equals + 1;
		if (used + keep - at + sizeof(redacted) + 1 > sizeof(text))
			break;
		memcpy(text + used, query.at + at, keep - at);
		used += keep - at;
		if (secret) {
			memcpy(text + used, redacted, sizeof(redacted) - 1);
			used += sizeof(redacted) - 1;
		}
		if (end < query.len)
			text[used++] = '&';
		at = end + 1;
	}
	return build__clean(b, (struct otlp_text){text, used});
}

void http__split_host(struct otlp_text host_port, struct otlp_text *host, unsigned *port)
{
	size_t colon = find(host_port, 0, ':');
	unsigned number = 0;

	*host = host_port;
	*port = 0;
	if (host_port.len && host_port.at[0] == '[') {
		size_t close = find(host_port, 0, ']');

		if (close == host_port.len)
			return;
		*host = part(host_port, 1, close);
		colon = close + 1;
		if (colon >= host_port.len || host_port.at[colon] != ':')
			return;
	} else if (find(host_port, colon + 1, ':') < host_port.len) {
		return; /* an IPv6 address without port */
	} else {
		*host = part(host_port, 0, colon);
	}
	for (size_t i = colon + 1; i < host_port.len; i++) {
		if (!isdigit((unsigned char)host_port.at[i]) || number > 65535)
			return;
		number = number * 10 + host_port.at[i] - '0';
	}
	if (number <= 65535)
		*port = number;
}

struct otlp_text http__first(struct otlp_text list)
{
	return trim(part(list, 0, find(list, 0, ',')));
}

struct otlp_text http__forwarded(struct otlp_text header, const char *name)
{
	struct otlp_text element = part(header, 0, find(header, 0, ','));

	for (size_t at = 0; at < element.len;) {
		size_t end = find(element, at, ';');
		struct otlp_text pair = trim(part(element, at, end));
		size_t equals = find(pair, 0, '=');

		if (equals == strlen(name) && equals < pair.len && starts_like(pair, name)) {
			struct otlp_text value = part(pair, equals + 1, pair.len);

			if (value.len >= 2 && value.at[0] == '"' && value.at[value.len - 1] == '"')
				value = part(value, 1, value.len - 1);
			return value;
		}
		at = end + 1;
	}
	return (struct otlp_text){NULL, 0};
}

struct otlp_text http__pattern_path(struct otlp_text pattern)
{
	for (size_t i = 0; i < pattern.len && pattern.at[0] != '/'; i++)
		if (pattern.at[i] == ' ' || pattern.at[i] == '\t') {
			pattern = trim(part(pattern, i, pattern.len));
			break;
		}
	return part(pattern, find(pattern, 0, '/'), pattern.len);
}

struct otlp_text http__encoded_prefix(struct otlp_text path, size_t decoded)
{
	size_t at = 0;

	for (; decoded && at < path.len; decoded--)
		at += path.at[at] == '%' && at + 2 < path.len ? 3 : 1;
	return part(path, 0, at);
}
