/* SPDX-License-Identifier: Apache-2.0 */
#include "wanted.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"

enum { CMDLINE_MAX = 64 * 1024 };

enum exe_match wanted__match_exe(const char *pattern, const char *path)
{
	bool whole = strchr(pattern, '/');
	const char *slash = strrchr(path, '/');
	const char *subject = whole || !slash ? path : slash + 1;

	/* as it is first: a name may hold brackets */
	if (!strcmp(pattern, subject))
		return whole ? EXE_BY_PATH : EXE_BY_NAME;
	return fnmatch(pattern, subject, 0) ? EXE_NO_MATCH : EXE_BY_GLOB;
}

static enum exe_match best_match(const struct strings *patterns, const char *path)
{
	enum exe_match best = EXE_NO_MATCH, match;
	size_t i;

	for (i = 0; i < patterns->cnt; i++) {
		match = wanted__match_exe(patterns->at[i], path);
		if (match > best)
			best = match;
	}
	return best;
}

/*
 * The link shows the path in the target's mount namespace, which is what it sees unless it has
 * changed its root directory (chroot(2)): then the path begins with that.
 */
enum exe_match wanted__by_exe(const struct strings *patterns, const struct process *p)
{
	enum exe_match match, inside = EXE_NO_MATCH;
	char *root = NULL;
	size_t len;

	if (!patterns->cnt)
		return EXE_NO_MATCH;
	match = best_match(patterns, p->exe_path);
	if (match == EXE_BY_PATH || proc__link(p->pid, "root", &root))
		return match;
	len = strlen(root);
	if (len > 1 && !strncmp(p->exe_path, root, len) && p->exe_path[len] == '/')
		inside = best_match(patterns, p->exe_path + len);
	free(root);
	return inside > match ? inside : match;
}

bool wanted__by_command_line(const struct strings *patterns, int pid)
{
	bool matches = false;
	size_t len;
	char *text;

	if (!patterns->cnt || proc__read(pid, "cmdline", CMDLINE_MAX, &text, &len))
		return false;
	/* argv[0] ends with the first NUL */
	matches = len && best_match(patterns, text) != EXE_NO_MATCH;
	free(text);
	return matches;
}
