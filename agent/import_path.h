/* SPDX-License-Identifier: Apache-2.0 */
/* import_path: Go's import paths, https://go.dev/ref/mod#major-version-suffixes */
#ifndef GOSPAN_AGENT_IMPORT_PATH_H
#define GOSPAN_AGENT_IMPORT_PATH_H

#include <stdbool.h>
#include <string.h>

/* "v2": an element of a path, LEN bytes, that is not a name but a major version. */
static inline bool import_path__is_version(const char *element, size_t len)
{
	return len >= 2 && element[0] == 'v' && strspn(element + 1, "0123456789") >= len - 1;
}

#endif
