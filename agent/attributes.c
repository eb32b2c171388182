/* SPDX-License-Identifier: Apache-2.0 */
#include "attributes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static void free_value(struct otlp_attribute *attribute)
{
	size_t i;

	if (attribute->type == OTLP_TEXT)
		free((void *)attribute->text.at);
	if (attribute->type != OTLP_TEXTS)
		return;
	for (i = 0; i < attribute->texts.cnt; i++)
		free((void *)attribute->texts.at[i].at);
	free((void *)attribute->texts.at);
}

void attributes__free(struct attributes *a)
{
	size_t i;

	for (i = 0; i < a->cnt; i++) {
		free_value(&a->at[i]);
		free((void *)a->at[i].key);
	}
	free(a->at);
	*a = (struct attributes){};
}

static struct otlp_attribute *find(const struct attributes *a, const char *key)
{
	size_t i;

	for (i = 0; i < a->cnt; i++) {
		if (!strcmp(a->at[i].key, key))
			return &a->at[i];
	}
	return NULL;
}

static struct otlp_attribute *append(struct attributes *a, const char *key)
{
	size_t cap = a->cap ? 2 * a->cap : 32;
	struct otlp_attribute *grown;
	char *copy;

	if (a->cnt == a->cap) {
		grown = realloc(a->at, cap * sizeof(*grown));
		if (!grown)
			return NULL;
		a->at = grown;
		a->cap = cap;
	}
	copy = strdup(key);
	if (!copy)
		return NULL;
	a->at[a->cnt] = (struct otlp_attribute){ .key = copy, .type = OTLP_INT };
	return &a->at[a->cnt++];
}

/* Takes over what VALUE points to. */
static void set(struct attributes *a, const char *key, struct otlp_attribute value)
{
	struct otlp_attribute *attribute = find(a, key);

	if (attribute)
		free_value(attribute);
	else
		attribute = append(a, key);
	if (!attribute) {
		free_value(&value);
		a->err = -ENOMEM;
		return;
	}
	value.key = attribute->key;
	*attribute = value;
}

static struct otlp_text own_text(struct attributes *a, const char *text, size_t len)
{
	char *clean = utf8__clean(text, len);

	if (!clean) {
		a->err = -ENOMEM;
		return (struct otlp_text){};
	}
	return (struct otlp_text){ .at = clean, .len = strlen(clean) };
}

void attributes__set_text(struct attributes *a, const char *key, const char *value)
{
	struct otlp_text text;

	if (a->err || !value || !*value)
		return;
	text = own_text(a, value, strlen(value));
	if (text.at)
		set(a, key, (struct otlp_attribute){ .type = OTLP_TEXT, .text = text });
}

void attributes__set_int(struct attributes *a, const char *key, int64_t value)
{
	if (!a->err)
		set(a, key, (struct otlp_attribute){ .type = OTLP_INT, .number = value });
}

static size_t count_strings(const char *text, size_t len)
{
	size_t cnt = 0, i;

	for (i = 0; i < len; i++)
		cnt += !text[i];
	return cnt + (len && text[len - 1]); /* the last one may be cut */
}

void attributes__set_texts(struct attributes *a, const char *key, const char *text, size_t len)
{
	size_t cnt = count_strings(text, len), i, part;
	struct otlp_text *texts;

	if (a->err || !cnt)
		return;
	texts = calloc(cnt, sizeof(*texts));
	if (!texts) {
		a->err = -ENOMEM;
		return;
	}
	for (i = 0; i < cnt; i++) {
		part = strnlen(text, len);
		texts[i] = own_text(a, text, part);
		text += part + (part < len);
		len -= part + (part < len);
	}
	set(a, key, (struct otlp_attribute){ .type = OTLP_TEXTS, .texts = { texts, cnt } });
}

const char *attributes__text(const struct attributes *a, const char *key)
{
	const struct otlp_attribute *attribute = find(a, key);

	return attribute && attribute->type == OTLP_TEXT ? attribute->text.at : NULL;
}
