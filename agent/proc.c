/* SPDX-License-Identifier: Apache-2.0 */
#include "proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	PROC_PATH_SIZE = 64,
	PF_KTHREAD = 0x00200000, /* include/linux/sched.h */
};

static void format_path(char path[static PROC_PATH_SIZE], int pid, const char *name)
{
	if (pid)
		snprintf(path, PROC_PATH_SIZE, "/proc/%d/%s", pid, name);
	else
		snprintf(path, PROC_PATH_SIZE, "/proc/%s", name);
}

/* A process that ends while it is looked at shows as ENOENT or ESRCH, by the moment. */
static int proc_errno(int pid)
{
	char path[PROC_PATH_SIZE];
	int err = -errno;

	if (err != -ENOENT || !pid)
		return err;
	format_path(path, pid, "");
	return access(path, F_OK) ? -ESRCH : err;
}

static int read_all(int fd, size_t max, char **out, size_t *out_len)
{
	size_t len = 0, cap = 0;
	char *buf = NULL, *grown;
	ssize_t n;

	for (;;) {
		if (len == cap) {
			cap = cap ? 2 * cap : 4096;
			grown = realloc(buf, cap + 1);
			if (!grown) {
				free(buf);
				return -ENOMEM;
			}
			buf = grown;
		}
		n = read(fd, buf + len, (cap < max ? cap : max) - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(buf);
			return -errno;
		}
		len += n;
		if (!n || len == max)
			break;
	}
	buf[len] = '\0';
	*out = buf;
	*out_len = len;
	return 0;
}

int proc__read(int pid, const char *name, size_t max, char **out, size_t *len)
{
	char path[PROC_PATH_SIZE];
	int fd, err;

	format_path(path, pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return proc_errno(pid);
	err = read_all(fd, max, out, len);
	close(fd);
	return err;
}

int proc__link(int pid, const char *name, char **out)
{
	char path[PROC_PATH_SIZE], target[PATH_MAX];
	ssize_t len;
	char *copy;

	format_path(path, pid, name);
	len = readlink(path, target, sizeof(target));
	if (len < 0)
		return proc_errno(pid);
	copy = strndup(target, len);
	if (!copy)
		return -ENOMEM;
	*out = copy;
	return 0;
}

int proc__parse_stat(const char *text, struct proc_stat *out)
{
	unsigned long long start_time;
	unsigned flags;
	struct proc_stat stat = {};
	const char *p;

	/* the name in the parentheses may hold anything, parentheses too */
	p = strrchr(text, ')');
	if (!p ||
	    sscanf(p + 1,
		   " %c %d %d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
		   &stat.state, &stat.ppid, &stat.pgrp, &flags, &start_time) != 5)
		return -EINVAL;
	stat.start_time = start_time;
	stat.kernel_thread = flags & PF_KTHREAD;
	*out = stat;
	return 0;
}

int proc__stat(int pid, struct proc_stat *out)
{
	struct proc_stat stat;
	size_t len;
	char *text;
	int err;

	err = proc__read(pid, "stat", 4096, &text, &len);
	if (err)
		return err;
	err = proc__parse_stat(text, &stat);
	free(text);
	if (err)
		return err;
	if (stat.state == 'Z' || stat.state == 'X')
		return -ESRCH;
	*out = stat;
	return 0;
}

bool proc__is_gone(int pid)
{
	return kill(pid, 0) && errno == ESRCH;
}

struct exe_id exe_id__of(const struct stat *st)
{
	return (struct exe_id){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.mtime_ns = (uint64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
		.size = st->st_size,
	};
}

int proc__exe_id(int pid, struct exe_id *out)
{
	char path[PROC_PATH_SIZE];
	struct stat st;

	format_path(path, pid, "exe");
	if (stat(path, &st))
		return proc_errno(pid);
	*out = exe_id__of(&st);
	return 0;
}

bool exe_id__equal(const struct exe_id *a, const struct exe_id *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->mtime_ns == b->mtime_ns &&
	       a->size == b->size;
}

const char *environ__get(const char *environment, size_t len, const char *name)
{
	size_t name_len = strlen(name);
	const char *p, *end, *next;

	if (!len)
		return NULL;
	for (p = environment, end = p + len; p < end; p = next + 1) {
		next = memchr(p, '\0', end - p);
		if (!next)
			return NULL; /* cut: the value may be too */
		if ((size_t)(next - p) > name_len && !memcmp(p, name, name_len) &&
		    p[name_len] == '=')
			return p + name_len + 1;
	}
	return NULL;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t proc__start_unix_ns(uint64_t start_time)
{
	uint64_t tick_ns = 1000000000 / sysconf(_SC_CLK_TCK);

	return clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME) + start_time * tick_ns;
}

int proc__each_pid(void (*fn)(void *ctx, int pid), void *ctx)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	char *end;
	long pid;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		pid = strtol(entry->d_name, &end, 10);
		if (!*end && pid > 0 && pid <= INT_MAX)
			fn(ctx, pid);
	}
	closedir(dir);
	return 0;
}
