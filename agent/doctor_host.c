/* SPDX-License-Identifier: Apache-2.0 */
/* doctor_host: a look at /proc and around it. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "doctor_host.h"
#include "privileges.h"

/* https://github.com/torvalds/linux/blob/v6.12/include/linux/proc_ns.h#L45 (PROC_PID_INIT_INO) */
enum { FIRST_PID_NAMESPACE = 0xEFFFFFFC };

static void set_value(struct check *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void set_value(struct check *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->value, sizeof(c->value), format, args);
	va_end(args);
}

/* The first line of PATH that begins with PREFIX, without it. */
static bool read_line(const char *path, const char *prefix, char *line, size_t line_sz)
{
	FILE *file = fopen(path, "re");
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, line_sz, file))
		found = !strncmp(line, prefix, strlen(prefix));
	fclose(file);
	if (!found)
		return false;
	line[strcspn(line, "\n")] = '\0';
	memmove(line, line + strlen(prefix), strlen(line + strlen(prefix)) + 1);
	return true;
}

/* hidepid=N or a word in the options of the mount at /proc; they stand at the end of the line. */
void check_proc(struct check *c)
{
	FILE *mounts = fopen("/proc/self/mounts", "re");
	char line[1024], *option;

	*c = (struct check){
		.name = "proc",
		.needed_for = "finding processes of other users",
		.advice = "remount /proc with hidepid=0, or run with CAP_SYS_PTRACE",
	};
	if (!mounts) {
		set_value(c, "/proc is not mounted");
		return;
	}
	c->ok = true;
	set_value(c, "mounted, nothing hidden");
	while (fgets(line, sizeof(line), mounts)) {
		if (!strstr(line, " /proc proc "))
			continue;
		option = strstr(line, "hidepid=");
		c->ok = !option || !strncmp(option, "hidepid=0", 9) ||
			!strncmp(option, "hidepid=off", 11);
		if (!c->ok)
			set_value(c, "mounted with %.*s", (int)strcspn(option, ", "), option);
	}
	fclose(mounts);
}

static bool is_kernel_thread(const char *pid)
{
	char path[64], line[8];

	snprintf(path, sizeof(path), "/proc/%.16s/cmdline", pid);
	return !read_line(path, "", line, sizeof(line)); /* empty */
}

static void count_processes(unsigned *seen, unsigned *refused)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	char path[64], exe[8];

	while (proc && (entry = readdir(proc))) {
		if (!isdigit((unsigned char)*entry->d_name) || is_kernel_thread(entry->d_name))
			continue;
		++*seen;
		snprintf(path, sizeof(path), "/proc/%.16s/exe", entry->d_name);
		if (readlink(path, exe, sizeof(exe)) < 0 && (errno == EACCES || errno == EPERM))
			++*refused;
	}
	if (proc)
		closedir(proc);
}

void check_processes(struct check *c)
{
	char scope[16] = "none";
	unsigned seen = 0, refused = 0;

	*c = (struct check){
		.name = "processes",
		.needed_for = "tracing processes of other users and containers",
		.advice = privileges__explain_denied(),
	};
	read_line("/proc/sys/kernel/yama/ptrace_scope", "", scope, sizeof(scope));
	count_processes(&seen, &refused);
	c->ok = seen && !refused;
	set_value(c, "%u visible, %u of them closed to us (ptrace_scope %s)", seen, refused, scope);
}

void check_pid_namespace(struct check *c)
{
	struct stat st;

	*c = (struct check){
		.name = "pid_namespace",
		.needed_for = "seeing processes outside this container",
		.advice = "hostPID: true or --pid=host for all of them; shareProcessNamespace: true "
			  "or --pid=container:NAME for those of one pod",
	};
	if (stat("/proc/self/ns/pid", &st)) {
		set_value(c, "unknown: %s", strerror(errno));
		return;
	}
	c->ok = st.st_ino == FIRST_PID_NAMESPACE;
	set_value(c, "%s", c->ok ? "the host's" : "an own one: only processes inside it are seen");
}

void check_user_namespace(struct check *c)
{
	unsigned inside = 1, outside = 1, cnt = 0;
	char line[64];

	*c = (struct check){
		.name = "user_namespace",
		.ok = true,
		.needed_for = "BPF: capabilities count only in the host's user namespace",
		.advice = "run it outside of rootless containers; hostUsers: true in Kubernetes",
	};
	/* The host's maps everything to itself. No file: a kernel without user namespaces. */
	if (read_line("/proc/self/uid_map", "", line, sizeof(line)))
		c->ok = sscanf(line, "%u %u %u", &inside, &outside, &cnt) == 3 && !inside &&
			!outside && cnt == UINT32_MAX;
	set_value(c, "%s", c->ok ? "the host's" : "an own one");
}

void check_seccomp(struct check *c)
{
	char mode[16] = "";

	*c = (struct check){
		.name = "seccomp",
		.ok = true,
		.needed_for = "the bpf() and perf_event_open() system calls",
		.advice = "",
	};
	if (!read_line("/proc/self/status", "Seccomp:\t", mode, sizeof(mode)))
		set_value(c, "not in this kernel");
	else
		set_value(c, "%s", *mode == '0' ? "no filter" : "a filter is on");
}

void check_cgroup(struct check *c)
{
	struct statfs fs;

	*c = (struct check){
		.name = "cgroup",
		.ok = true,
		.needed_for = "container.id",
		.advice = "",
	};
	/* An empty directory of /sys itself is no cgroup mount. */
	if (statfs("/sys/fs/cgroup", &fs) || fs.f_type == SYSFS_MAGIC)
		set_value(c, "not mounted (container.id is read from /proc/PID/cgroup)");
	else
		set_value(c, "%s", fs.f_type == CGROUP2_SUPER_MAGIC ? "v2" : "v1");
}

void check_container(struct check *c)
{
	*c = (struct check){
		.name = "container",
		.ok = true,
		.needed_for = "knowing what to advise",
		.advice = "",
	};
	if (getenv("KUBERNETES_SERVICE_HOST"))
		set_value(c, "kubernetes");
	else if (!access("/.dockerenv", F_OK))
		set_value(c, "docker");
	else if (!access("/run/.containerenv", F_OK))
		set_value(c, "podman");
	else
		set_value(c, "no sign of one");
}
