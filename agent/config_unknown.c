/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_unknown: variables that look like ours and are none: a misspelt setting would be ignored
 * without a word. Each is warned of, with the nearest name there is, OTEL_* included: we have no
 * name of our own for what OpenTelemetry has named.
 */
#include "config_table.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	NAME_MAX_LEN = 63, /* of names that are compared: ours are shorter */
	OTEL_SLIP = 2,	   /* two letters exchanged */
};

static const char own_prefix[] = "GOSPAN_", otel_prefix[] = "OTEL_";

/* OpenTelemetry's names for logs, two letters from those for spans (OTEL_BSP_*). */
static const char other_blrp[] = "OTEL_BLRP_";

/* What Kubernetes sets in every pod for a Service named gospan or gospan-something. */
static const char *const of_services[] = {
	"GOSPAN_*SERVICE_HOST", "GOSPAN_*SERVICE_PORT*", "GOSPAN_*PORT", "GOSPAN_*PORT_[0-9]*",
};

static bool is_known(const char *name)
{
	size_t i, j;

	for (i = 0; i < config_setting_cnt; i++) {
		for (j = 0; config_settings[i].env[j]; j++) {
			if (!strcmp(config_settings[i].env[j], name))
				return true;
		}
	}
	for (i = 0; getenv("KUBERNETES_SERVICE_HOST") &&
		    i < sizeof(of_services) / sizeof(of_services[0]); i++) {
		if (!fnmatch(of_services[i], name, 0))
			return true;
	}
	return false;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Characters to insert, delete or replace to get from A to B (Levenshtein's distance). */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1], i, j, diagonal, above, b_len = strlen(b);

	for (j = 0; j <= b_len; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		diagonal = row[0];
		row[0] = i + 1;
		for (j = 1; j <= b_len; j++) {
			above = row[j];
			row[j] = least(least(above, row[j - 1]) + 1, diagonal + (a[i] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

/* The name that NAME, without its prefix, is less than LEAST_FAR from; NULL: none is. */
static const char *find_nearest(const char *name, size_t least_far)
{
	size_t i, j, far;
	const char *known, *rest, *nearest = NULL;

	if (strlen(name) > NAME_MAX_LEN)
		return NULL;
	for (i = 0; i < config_setting_cnt; i++) {
		for (j = 0; (known = config_settings[i].env[j]); j++) {
			rest = strchr(known, '_') + 1;
			far = strlen(rest) > NAME_MAX_LEN ? least_far : distance(name, rest);
			if (far < least_far) {
				least_far = far;
				nearest = known;
			}
		}
	}
	return nearest;
}

/*
 * OTEL_* has many names that are not ours and all right, so that one is told only if it is two
 * letters from one of ours: OLTP for OTLP.
 */
static bool is_slip(const char *name, const char **nearest)
{
	if (is_known(name) || !strncmp(name, other_blrp, strlen(other_blrp)))
		return false;
	if (!strncmp(name, own_prefix, strlen(own_prefix))) {
		name += strlen(own_prefix);
		*nearest = find_nearest(name, strlen(name) / 3 + 1);
		return true;
	}
	*nearest = find_nearest(name + strlen(otel_prefix), OTEL_SLIP + 1);
	return *nearest;
}

void config__warn_of_unknown(void)
{
	char name[LOG_VALUE_BYTES];
	const char *equals, *nearest;
	char *copy;

	for (char **at = environ; at && *at; at++) {
		equals = strchr(*at, '=');
		if ((strncmp(*at, own_prefix, strlen(own_prefix)) &&
		     strncmp(*at, otel_prefix, strlen(otel_prefix))) || !equals || !equals[1])
			continue; /* an empty one counts as none */
		copy = strndup(*at, equals - *at);
		if (copy && is_slip(copy, &nearest))
			log_warn("config: there is no variable %s%s%s%s", log__value(copy, name),
				 nearest ? ": did you mean " : " (gospan --settings lists all)",
				 nearest ? nearest : "", nearest ? "?" : "");
		free(copy);
	}
}
