// SPDX-License-Identifier: Apache-2.0
/* http_url: see http_url.h. Rules: src/net/url/url.go (escape, EscapedPath, String), Go 1.19
 * to 1.27 */
#include <ctype.h>

#include "http_url.h"

static const char hidden_user[] = "REDACTED:REDACTED@";

/* Characters beside letters and digits that a path holds as they are; a raw one may hold more. */
static const char path_chars[] = "-_.~$&+,/:;=@";
static const char raw_path_chars[] = "-_.~$&+,/:;=@!'()*[]%";
static const char fragment_chars[] = "-_.~$&+,/:;=?@!()*";

static bool is_plain(char c, const char *others)
{
	return isalnum((unsigned char)c) || (c && strchr(others, c));
}

/* At the end of what TO is: texts on the workbench lie one behind the other. */
static void append(struct build_span *b, struct otlp_text *to, struct otlp_text more)
{
	struct otlp_text added = build__clean(b, more);

	if (!to->at)
		to->at = added.at;
	to->len += added.len;
}

static void append_escaped(struct build_span *b, struct otlp_text *to, struct otlp_text text,
			   const char *plain)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = text.at[i];
		char escaped[] = {'%', digits[c >> 4], digits[c & 15]};
		size_t end = i;

		while (end < text.len && is_plain(text.at[end], plain))
			end++;
		if (end > i) {
			append(b, to, (struct otlp_text){text.at + i, end - i});
			i = end - 1;
		} else {
			append(b, to, (struct otlp_text){escaped, sizeof(escaped)});
		}
	}
}

/* A raw path counts if it is one way to write the path; when either was cut, as far as it goes. */
static bool raw_path_fits(const struct http_url *url)
{
	struct otlp_text raw = url->raw_path;
	size_t at = 0;

	if (!raw.len)
		return false;
	for (size_t i = 0; i < raw.len; i++)
		if (!is_plain(raw.at[i], raw_path_chars))
			return false;
	for (size_t i = 0; i < url->path.len && at < raw.len; i++) {
		int c = http__unescape(raw, &at);

		if (c != (unsigned char)url->path.at[i])
			return false;
	}
	return true;
}

static bool starts_with(struct otlp_text t, const char *prefix)
{
	return t.len >= strlen(prefix) && !memcmp(t.at, prefix, strlen(prefix));
}

/* "//user:password@host/path" is an opaque text that some programs set. */
static void append_opaque(struct build_span *b, struct otlp_text *to, struct otlp_text opaque)
{
	size_t end = 2, user = 0;

	if (starts_with(opaque, "//")) {
		for (; end < opaque.len && !strchr("/?#", opaque.at[end]); end++)
			if (opaque.at[end] == '@')
				user = end + 1;
	}
	if (user) {
		append(b, to, text_of("//"));
		append(b, to, text_of(hidden_user));
	}
	append(b, to, (struct otlp_text){opaque.at + user, opaque.len - user});
}

static void append_hierarchy(struct build_span *b, struct otlp_text *to, const struct http_url *url)
{
	append(b, to, text_of("//"));
	if (url->has_user)
		append(b, to, text_of(hidden_user));
	append(b, to, url->host);
	if (url->path.len && url->path.at[0] != '/')
		append(b, to, text_of("/"));
	if (raw_path_fits(url))
		append(b, to, url->raw_path);
	else if (text_is(url->path, "*"))
		append(b, to, url->path);
	else
		append_escaped(b, to, url->path, path_chars);
}

struct otlp_text http__full_url(struct build_span *b, const struct http_url *url,
				const struct strings *keys)
{
	struct otlp_text full = {NULL, 0};

	if (!url->scheme.len)
		return full;
	append(b, &full, url->scheme);
	append(b, &full, text_of(":"));
	if (url->opaque.len)
		append_opaque(b, &full, url->opaque);
	else
		append_hierarchy(b, &full, url);
	if (url->query.len) {
		append(b, &full, text_of("?"));
		full.len += http__redact_query(b, url->query, keys).len;
	}
	if (url->fragment.len) {
		append(b, &full, text_of("#"));
		append_escaped(b, &full, url->fragment, fragment_chars);
	}
	return full;
}
