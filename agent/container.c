/* SPDX-License-Identifier: Apache-2.0 */
#include "container.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "proc.h"

enum { CGROUP_MAX = 64 * 1024, MOUNTINFO_MAX = 1024 * 1024 };

/* Exactly CONTAINER_ID_LEN hexadecimal digits at P, with nothing alphanumeric behind. */
static bool is_id(const char *p)
{
	size_t len = strspn(p, "0123456789abcdef");

	return len == CONTAINER_ID_LEN && !isalnum((unsigned char)p[len]);
}

static void copy_id(char id[static CONTAINER_ID_LEN + 1], const char *p)
{
	memcpy(id, p, CONTAINER_ID_LEN);
	id[CONTAINER_ID_LEN] = '\0';
}

/* The innermost id wins: a container inside a container has both in its path. */
bool container__id_of_cgroup(const char *text, char id[static CONTAINER_ID_LEN + 1])
{
	const char *found = NULL, *p = text;
	size_t word;

	while (*p) {
		for (word = 0; isalnum((unsigned char)p[word]); word++)
			;
		if (word == CONTAINER_ID_LEN && is_id(p))
			found = p;
		p += word ? word : 1;
		if (*p == '\n' && found)
			break; /* one line names it: the other hierarchies say the same */
	}
	if (!found)
		return false;
	copy_id(id, found);
	return true;
}

bool container__id_of_mountinfo(const char *text, char id[static CONTAINER_ID_LEN + 1])
{
	static const char directory[] = "containers/"; /* also podman's overlay-containers/ */
	const char *p = text;

	while ((p = strstr(p, directory))) {
		p += sizeof(directory) - 1;
		if (is_id(p)) {
			copy_id(id, p);
			return true;
		}
	}
	return false;
}

void container__id(int pid, char id[static CONTAINER_ID_LEN + 1])
{
	bool found = false;
	size_t len;
	char *text;

	id[0] = '\0';
	if (!proc__read(pid, "cgroup", CGROUP_MAX, &text, &len)) {
		found = container__id_of_cgroup(text, id);
		free(text);
	}
	if (!found && !proc__read(pid, "mountinfo", MOUNTINFO_MAX, &text, &len)) {
		container__id_of_mountinfo(text, id);
		free(text);
	}
}
