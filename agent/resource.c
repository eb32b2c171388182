/* SPDX-License-Identifier: Apache-2.0 */
#include "resource.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "container.h"
#include "proc.h"

enum { CMDLINE_MAX = 64 * 1024, MACHINE_ID_LEN = 32 };

/* "2023-11-21T09:25:34.853Z" */
static void add_creation_time(struct attributes *a, uint64_t start_time)
{
	uint64_t ns = proc__start_unix_ns(start_time);
	time_t seconds = ns / 1000000000;
	char text[64], whole[32];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03uZ", whole, (unsigned)(ns % 1000000000 / 1000000));
	attributes__set_text(a, "process.creation.time", text);
}

static bool sees_our_files(int pid)
{
	char *ours = NULL, *theirs = NULL;
	bool same;

	same = !proc__link(0, "self/ns/mnt", &ours) && !proc__link(pid, "ns/mnt", &theirs) &&
	       !strcmp(ours, theirs);
	free(ours);
	free(theirs);
	return same;
}

/*
 * The user's name where our /etc/passwd is the process's too, else the number. The file alone is
 * asked: name services may block for minutes.
 */
static void add_owner(struct attributes *a, const struct process *p)
{
	FILE *file = sees_our_files(p->pid) ? fopen("/etc/passwd", "re") : NULL;
	char number[16], buf[4096];
	struct passwd entry, *found;

	snprintf(number, sizeof(number), "%u", p->uid);
	attributes__set_text(a, "process.owner", number);
	if (!file)
		return;
	while (!fgetpwent_r(file, &entry, buf, sizeof(buf), &found)) {
		if (entry.pw_uid == p->uid) {
			attributes__set_text(a, "process.owner", entry.pw_name);
			break;
		}
	}
	fclose(file);
}

static void add_args(struct attributes *a, int pid)
{
	size_t len;
	char *text;

	if (proc__read(pid, "cmdline", CMDLINE_MAX, &text, &len))
		return;
	attributes__set_texts(a, "process.command_args", text, len);
	free(text);
}

void resource__add_process(struct attributes *a, const struct process *p,
			   const struct go_info *info, bool with_args)
{
	const char *slash = strrchr(p->exe_path, '/');
	char version[64];

	attributes__set_int(a, "process.pid", p->pid);
	add_creation_time(a, p->start_time);
	attributes__set_text(a, "process.executable.name", slash ? slash + 1 : p->exe_path);
	attributes__set_text(a, "process.executable.path", p->exe_path);
	add_owner(a, p);
	attributes__set_text(a, "process.runtime.name", "go");
	/* "go1.24 X:nocoverageredesign": without the experiments */
	snprintf(version, sizeof(version), "%.*s", (int)strcspn(info->go_version, " "),
		 info->go_version);
	attributes__set_text(a, "process.runtime.version", version);
	if (with_args)
		add_args(a, p->pid);
}

/* First word of a file of ours; "" if there is none. */
static void read_word(const char *path, char *out, size_t out_sz)
{
	FILE *file = fopen(path, "re");
	size_t len = 0;

	if (file) {
		len = fread(out, 1, out_sz - 1, file);
		fclose(file);
	}
	out[len] = '\0';
	out[strcspn(out, " \t\r\n")] = '\0';
}

/* machine-id(5) */
static void read_machine_id(char out[static MACHINE_ID_LEN + 2])
{
	read_word("/etc/machine-id", out, MACHINE_ID_LEN + 2);
	if (strlen(out) != MACHINE_ID_LEN)
		read_word("/var/lib/dbus/machine-id", out, MACHINE_ID_LEN + 2);
	if (strlen(out) != MACHINE_ID_LEN) /* "uninitialized" */
		out[0] = '\0';
}

void resource__add_host(struct attributes *a, const struct process *p)
{
	char machine_id[MACHINE_ID_LEN + 2], container_id[CONTAINER_ID_LEN + 1], text[256];
	struct utsname uts;

	uname(&uts);
	attributes__set_text(a, "host.name", uts.nodename);
	read_machine_id(machine_id);
	attributes__set_text(a, "host.id", machine_id);
	attributes__set_text(a, "host.arch", !strcmp(uts.machine, "x86_64")  ? "amd64" :
					     !strcmp(uts.machine, "aarch64") ? "arm64" :
									       uts.machine);
	attributes__set_text(a, "os.type", "linux");
	attributes__set_text(a, "os.version", uts.release);
	snprintf(text, sizeof(text), "%s %s %s", uts.sysname, uts.release, uts.version);
	attributes__set_text(a, "os.description", text);
	container__id(p->pid, container_id);
	attributes__set_text(a, "container.id", container_id);
}

void resource__add_telemetry(struct attributes *a)
{
	attributes__set_text(a, "telemetry.sdk.language", "go");
	attributes__set_text(a, "telemetry.sdk.name", "gospan");
	attributes__set_text(a, "telemetry.sdk.version", GOSPAN_VERSION);
	attributes__set_text(a, "telemetry.distro.name", "gospan");
	attributes__set_text(a, "telemetry.distro.version", GOSPAN_VERSION);
}

void resource__origin(const struct process *p, char out[static ORIGIN_SIZE])
{
	container__id(p->pid, out);
	if (!*out)
		read_machine_id(out);
	if (!*out)
		read_word("/proc/sys/kernel/random/boot_id", out, ORIGIN_SIZE);
}
