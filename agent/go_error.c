// SPDX-License-Identifier: Apache-2.0
/* go_error: see go_error.h. */
#include <stdio.h>
#include <string.h>

#include "db_error.h"
#include "go_error.h"
#include "go_error_words.h"
#include "ip_text.h"

/* Types that say nothing of what went wrong: the error around them names it. */
static const char *const vague[] = {
	"syscall.Errno",
	"*os.SyscallError",
	"*errors.errorString",
	"*errors.joinError",
	"*fmt.wrapError",
	"*fmt.wrapErrors",
	"*net.timeoutError",
	"*internal/poll.DeadlineExceededError",
};

static bool is_vague(const char *type)
{
	for (size_t i = 0; i < sizeof(vague) / sizeof(vague[0]); i++)
		if (!strcmp(type, vague[i]))
			return true;
	return false;
}

/*
 * The errors of a context, by the names that a program compares with (src/context/context.go, Go 1.19
 * to 1.27): the one is an errors.New like any other, the other's type is nobody's to name.
 */
static const char *context_error(const char *type, const struct error_link *link)
{
	if (!strcmp(type, "context.deadlineExceededError"))
		return "context.DeadlineExceeded";
	if (!strcmp(type, "*errors.errorString") && link->text_cnt &&
	    text_is(link->texts[0], "context canceled"))
		return "context.Canceled";
	return NULL;
}

/* What the chain's next error is called, if that tells more than KNOWN, the name until then. */
static struct otlp_text telling_type(struct build_span *b, const struct error_link *link,
				     const char *type, struct otlp_text known)
{
	const char *name = context_error(type, link);

	if (name)
		return text_of(name);
	/* an error joined to no other is that error */
	if (!known.len || text_is(known, "*errors.joinError") || !is_vague(type))
		return build__clean(b, text_of(type));
	return known;
}

static void type_of(const struct resolve *r, const struct error_link *link, uint64_t bias,
		    char *type, size_t type_sz)
{
	uint64_t addr = link->value.type;

	if (!r || !addr || resolve__type_name(r, addr - bias, type, type_sz) < 0)
		snprintf(type, type_sz, "_OTHER");
}

/* All of it anew, behind what is on the workbench: a text there can only grow at its end. */
static struct otlp_text join(struct build_span *b, const struct error_words *words, size_t cnt)
{
	struct otlp_text text = build__clean(b, text_of(""));
	const char *between = "";
	uint64_t more = 0;

	for (size_t i = 0; i < cnt; i++) {
		if (!words[i].complete)
			more += words[i].more;
		if (!words[i].text.len)
			continue;
		text.len += build__clean(b, text_of(between)).len;
		text.len += build__clean(b, words[i].text).len;
		between = words[i].before_wrapped;
		if (words[i].complete)
			break;
	}
	/* Error() has them on lines of their own */
	if (more && text.len)
		text.len += build__printf(b, " (and %llu more)", (unsigned long long)more).len;
	return text;
}

void go_error__read(struct error_chain *chain, const struct body *body, const struct row *row)
{
	struct error_link *link = chain->cnt ? &chain->at[chain->cnt - 1] : NULL;
	const struct raw raw = {row->value, row->len};

	if (row->key == ATTR_ERROR_TEXT && link && link->text_cnt < GO_ERROR_TEXTS)
		link->texts[link->text_cnt++] =
			(struct otlp_text){(const char *)row->value, row->len};
	if (row->key == ATTR_ERROR_ADDRESS && link && link->address_cnt < GO_ERROR_ADDRESSES &&
	    ip_text__read(&raw, &link->addresses[link->address_cnt]))
		link->address_cnt++;
	if (row->key != ATTR_ERROR || chain->cnt == GO_ERROR_DEPTH)
		return;
	link = &chain->at[chain->cnt];
	*link = (struct error_link){.text_cnt = 0};
	chain->cnt += body__value(body, row, &link->value);
}

void go_error__describe(struct build_span *b, const struct resolve *r,
			const struct error_chain *chain, uint64_t bias, struct go_error *out)
{
	struct error_words words[GO_ERROR_DEPTH];
	bool is_only_one = true;
	char type[256];

	*out = (struct go_error){{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	for (size_t i = 0; i < chain->cnt; i++) {
		type_of(r, &chain->at[i], bias, type, sizeof(type));
		if (!i)
			out->outer = build__clean(b, text_of(type));
		if (is_only_one)
			out->type = telling_type(b, &chain->at[i], type, out->type);
		words[i] = go_error__words(b, r, &chain->at[i], type, bias);
		is_only_one = is_only_one && !words[i].more;
		if (!out->code.len)
			out->code = db_error__code(b, r, &chain->at[i], type, bias);
	}
	out->text = join(b, words, chain->cnt);
}
