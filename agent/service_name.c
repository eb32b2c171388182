/* SPDX-License-Identifier: Apache-2.0 */
#include "service_name.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "import_path.h"
#include "utf8.h"

static bool is_set(const char *text)
{
	return text && *text;
}

/* What build tools and IDEs call an executable when nobody gives it a name. */
static bool says_nothing(const char *name)
{
	static const char *const patterns[] = { "main", "app", "server", "a.out", "__debug_bin*",
						"___*" };
	size_t i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		if (!fnmatch(patterns[i], name, 0))
			return true;
	}
	return false;
}

/* Last element of the package path that names something: "example.com/shop/v2" is shop. */
static const char *last_element(const char *path, size_t *len)
{
	const char *end = path + strlen(path), *start;

	for (;; end = start - 1) {
		for (start = end; start > path && start[-1] != '/'; start--)
			;
		*len = end - start;
		if (*len && !import_path__is_version(start, *len))
			return start;
		if (start == path)
			return NULL;
	}
}

char *service_name__choose(const struct name_sources *s)
{
	const char *given[] = { s->flag, s->own_name, s->own_attribute, s->their_name,
				s->their_attribute };
	const char *base = s->exe_path ? strrchr(s->exe_path, '/') : NULL, *element;
	size_t i, len;

	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		if (is_set(given[i]))
			return utf8__clean(given[i], strlen(given[i]));
	}
	base = base ? base + 1 : s->exe_path;
	/* `go build file.go` has no package path to speak of */
	if ((!is_set(base) || says_nothing(base)) && is_set(s->main_path) &&
	    strcmp(s->main_path, "command-line-arguments")) {
		element = last_element(s->main_path, &len);
		if (element)
			return utf8__clean(element, len);
	}
	return is_set(base) ? utf8__clean(base, strlen(base)) :
			      utf8__clean("unknown_service:go", strlen("unknown_service:go"));
}
