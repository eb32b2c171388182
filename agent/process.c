/* SPDX-License-Identifier: Apache-2.0 */
#include "proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* " (deleted)" is the kernel's word for an executable without a name (fs/d_path.c). */
static bool cut_deleted(char *path)
{
	static const char suffix[] = " (deleted)";
	size_t len = strlen(path), suffix_len = sizeof(suffix) - 1;

	if (len <= suffix_len || strcmp(path + len - suffix_len, suffix))
		return false;
	path[len - suffix_len] = '\0';
	return true;
}

/* Effective user id: second number of "Uid:" in proc_pid_status(5). */
static int read_uid(int pid, uid_t *out)
{
	const char *line;
	unsigned uid;
	size_t len;
	char *text;
	int err;

	err = proc__read(pid, "status", 16384, &text, &len);
	if (err)
		return err;
	line = strstr(text, "\nUid:");
	if (line && sscanf(line, "\nUid: %*u %u", &uid) == 1)
		*out = uid;
	else
		err = -ESRCH;
	free(text);
	return err;
}

int process__read(int pid, struct process *out)
{
	struct process p = { .pid = pid };
	struct proc_stat stat;
	int err;

	err = proc__stat(pid, &stat);
	if (err)
		return err == -ENOENT || err == -EINVAL ? -ESRCH : err;
	if (stat.kernel_thread)
		return -ENOEXEC;
	p.start_time = stat.start_time;
	err = proc__link(pid, "exe", &p.exe_path);
	if (!err)
		err = proc__exe_id(pid, &p.exe);
	if (!err)
		err = read_uid(pid, &p.uid);
	if (err) {
		process__clear(&p);
		return err == -ENOENT ? -ESRCH : err; /* it is ending: its memory has gone before it */
	}
	p.exe_deleted = cut_deleted(p.exe_path);
	*out = p;
	return 0;
}

void process__clear(struct process *p)
{
	free(p->exe_path);
	*p = (struct process){};
}
