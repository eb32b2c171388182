// SPDX-License-Identifier: Apache-2.0
/*
 * go_error: see go_error.h. How the texts are put together: the Error methods in Go's src/net/net.go,
 * src/os/error.go, src/net/url/url.go, src/syscall, src/context/context.go; 1.19 to 1.27.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "go_error.h"
#include "panic.h"

/* Types whose text is a constant. */
static const struct {
	const char *type, *text;
} constants[] = {
	{"context.deadlineExceededError", "context deadline exceeded"},
	{"*net.timeoutError", "i/o timeout"},
	{"*net.canceledError", "operation was canceled"},
	{"*internal/poll.DeadlineExceededError", "i/o timeout"},
	{"internal/poll.errNetClosing", "use of closed network connection"},
	{"net/http.tlsHandshakeTimeoutError", "net/http: TLS handshake timeout"},
};

/* Types that say nothing of what went wrong: the error around them names it. */
static const char *const vague[] = {
	"syscall.Errno", "*os.SyscallError", "*errors.errorString", "*fmt.wrapError",
	"*net.timeoutError", "*internal/poll.DeadlineExceededError",
};

static struct otlp_text append(struct build_span *b, struct otlp_text to, struct otlp_text more)
{
	struct otlp_text added = build__clean(b, more);

	/* one behind the other on the workbench: one text */
	return (struct otlp_text){to.len ? to.at : added.at, to.len + added.len};
}

static struct otlp_text errno_text(struct build_span *b, const struct panic_value *value)
{
	const char *text;
	uint64_t number;

	memcpy(&number, value->value, sizeof(number));
	text = number < 4096 ? strerrordesc_np(number) : NULL;
	if (!text)
		return build__printf(b, "errno %llu", (unsigned long long)number);
	/* Go's own table has the words of Linux, in lower case */
	return build__printf(b, "%c%s", tolower(text[0]), text + 1);
}

/* What LINK says before the error that it wraps, with what stands between; or all it says. */
static struct otlp_text words_of(struct build_span *b, const struct resolve *r,
				 const struct error_link *link, const char *type, uint64_t bias)
{
	struct otlp_text first = link->text_cnt ? link->texts[0] : text_of("");
	struct otlp_text second = link->text_cnt > 1 ? link->texts[1] : text_of("");
	struct otlp_text words = {NULL, 0};
	struct panic panic;

	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (!strcmp(type, constants[i].type))
			return build__clean(b, text_of(constants[i].text));
	if (!strcmp(type, "syscall.Errno"))
		return errno_text(b, &link->value);
	if (!strcmp(type, "*net.DNSError")) {
		words = append(b, words, text_of("lookup "));
		words = append(b, words, second);
		words = append(b, words, text_of(": "));
		return append(b, words, first);
	}
	if (!strcmp(type, "*net.OpError") || !strcmp(type, "*os.SyscallError")) {
		words = append(b, words, first);
		if (!second.len)
			return words;
		words = append(b, words, text_of(" "));
		return append(b, words, second);
	}
	if (!strcmp(type, "*net/url.Error"))
		return words; /* method and URL: the span has them, and the URL may hold secrets */
	panic__describe(b, r, &link->value, first, bias, &panic);
	return build__clean(b, panic.text);
}

static bool is_vague(const char *type)
{
	for (size_t i = 0; i < sizeof(vague) / sizeof(vague[0]); i++)
		if (!strcmp(type, vague[i]))
			return true;
	return false;
}

void go_error__read(struct error_chain *chain, uint16_t key, const uint8_t *value, size_t len)
{
	struct error_link *link = chain->cnt ? &chain->at[chain->cnt - 1] : NULL;

	if (key == ATTR_ERROR_TEXT && link && link->text_cnt < GO_ERROR_TEXTS)
		link->texts[link->text_cnt++] = (struct otlp_text){(const char *)value, len};
	if (key != ATTR_ERROR || len != sizeof(link->value) || chain->cnt == GO_ERROR_DEPTH)
		return;
	link = &chain->at[chain->cnt++];
	memcpy(&link->value, value, len);
	link->text_cnt = 0;
}

void go_error__describe(struct build_span *b, const struct resolve *r,
			const struct error_chain *chain, uint64_t bias, struct go_error *out)
{
	struct otlp_text texts[GO_ERROR_DEPTH];
	char type[256];

	*out = (struct go_error){{NULL, 0}, {NULL, 0}};
	for (size_t i = 0; i < chain->cnt; i++) {
		uint64_t addr = chain->at[i].value.type;

		if (!r || !addr || resolve__type_name(r, addr - bias, type, sizeof(type)) < 0)
			snprintf(type, sizeof(type), "_OTHER");
		if (!out->type.len || !is_vague(type))
			out->type = build__clean(b, text_of(type));
		texts[i] = words_of(b, r, &chain->at[i], type, bias);
	}
	for (size_t i = 0; i < chain->cnt; i++) {
		struct otlp_text before = out->text;

		if (!texts[i].len)
			continue;
		/* all of it anew: a text on the workbench can only grow at its end */
		out->text = build__clean(b, before);
		if (before.len)
			out->text = append(b, out->text, text_of(": "));
		out->text = append(b, out->text, texts[i]);
	}
}
