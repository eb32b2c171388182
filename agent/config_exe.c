/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_exe: patterns of executables. Whoever types bin/shop means the file that the shell would
 * run, but /proc shows whole paths: a relative path is completed here, since our current directory
 * is not the target's. The file need not be there yet, and part of the path may be a glob, so only
 * the part that exists is resolved.
 */
#include "config_table.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GLOB_CHARACTERS "*?["

/* With a slash it is for the whole path. What begins with a glob may match an absolute one as is. */
static bool is_relative_path(const char *pattern)
{
	return strchr(pattern, '/') && !strchr("/" GLOB_CHARACTERS, pattern[0]);
}

/*
 * Resolves as many leading components of PATTERN as exist. Returns how many bytes of it those are;
 * negative errno when there is not even a current directory.
 */
static int resolve_head(const char *pattern, char out[static PATH_MAX])
{
	char head[PATH_MAX];
	size_t len = strlen(pattern);

	if (len >= sizeof(head))
		return -ENAMETOOLONG;
	for (;;) {
		snprintf(head, sizeof(head), "%.*s", (int)len, pattern);
		if (realpath(len ? head : ".", out))
			return len;
		if (!len)
			return -errno;
		while (len && pattern[len - 1] != '/')
			len--;
		while (len && pattern[len - 1] == '/')
			len--;
	}
}

/* Appends PATH to OUT; QUOTED: so that nothing in it is taken for a glob. */
static size_t put_path(char *out, size_t at, const char *path, bool quoted)
{
	for (; *path; path++) {
		if (quoted && strchr(GLOB_CHARACTERS "\\", *path))
			out[at++] = '\\';
		out[at++] = *path;
	}
	return at;
}

/* One string, appended to a list: a path may hold a comma. */
int parse_exe(struct settings *s, const struct setting *row, const char *text, void *dst)
{
	char path[PATH_MAX], whole[3 * PATH_MAX];
	const char *rest;
	size_t len;
	int head;

	if (!*text)
		return -EINVAL;
	head = is_relative_path(text) ? resolve_head(text, path) : -EINVAL;
	if (head < 0)
		return settings__append(s, dst, text, strlen(text));
	rest = text + head + strspn(text + head, "/");
	len = put_path(whole, 0, path, strpbrk(rest, GLOB_CHARACTERS));
	if (*rest) {
		len = put_path(whole, len, path[1] ? "/" : "", false); /* not of the root itself */
		len = put_path(whole, len, rest, false);
	}
	return settings__append(s, dst, whole, len);
}
