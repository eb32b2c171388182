/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attributes: an owned list of attributes with unique keys. Zero-initialise. The first failed
 * allocation is kept in ERR and makes every later call a no-op, so that it is checked once.
 */
#ifndef GOSPAN_AGENT_ATTRIBUTES_H
#define GOSPAN_AGENT_ATTRIBUTES_H

#include "../otlp/span.h"

struct attributes {
	struct otlp_attribute *at;
	size_t cnt;
	size_t cap;
	int err; /* 0 or -ENOMEM */
};

/* Copies, in place of an earlier value, as valid UTF-8 and NUL-terminated. NULL, "": nothing. */
void attributes__set_text(struct attributes *a, const char *key, const char *value);
void attributes__set_int(struct attributes *a, const char *key, int64_t value);
/* The NUL-terminated strings in LEN bytes of TEXT, as in /proc/PID/cmdline. */
void attributes__set_texts(struct attributes *a, const char *key, const char *text, size_t len);

/* Text of KEY, or NULL. */
const char *attributes__text(const struct attributes *a, const char *key);

void attributes__free(struct attributes *a);

#endif
