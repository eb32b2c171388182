/* SPDX-License-Identifier: Apache-2.0 */
/* ps: each process is read like a target would be, so that the names are those of its spans. */
#include "ps.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "console_text.h"
#include "discover.h"
#include "go_exe.h"
#include "plan.h"
#include "privileges.h"
#include "proc.h"


enum column { PID, USER, SERVICE, PORT, GO, TRACED, SDK, EXE, COLUMN_CNT };

static const char *const headings[COLUMN_CNT] = {
	[PID] = "PID", [USER] = "USER", [SERVICE] = "SERVICE", [PORT] = "PORT", [GO] = "GO",
	[TRACED] = "TRACED", [SDK] = "SDK", [EXE] = "EXECUTABLE",
};

enum { SUMMARY_MAX = 8, COLUMN_MAX = 200 };

struct line {
	char *at[COLUMN_CNT];
};

struct table {
	const struct config *config;
	const char *const *packages;
	struct line *lines;
	size_t cnt, cap;
	size_t denied; /* processes that may not be looked at */
	int err;
};

static void free_line(struct line *line)
{
	size_t i;

	for (i = 0; i < COLUMN_CNT; i++)
		free(line->at[i]);
}

static char *format_number(long number)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", number);
	return strdup(text);
}

static char *user_name(uid_t uid)
{
	struct passwd *entry = getpwuid(uid);

	return entry ? strdup(entry->pw_name) : format_number(uid);
}

/* The linked ones of PACKAGES, comma separated; "-" if none is. */
static char *linked_packages(const struct resolve *r, const char *const *packages)
{
	char text[512] = "";
	size_t len = 0, i;

	for (i = 0; packages[i] && len < sizeof(text); i++) {
		if (resolve__has_package(r, packages[i]))
			len += snprintf(text + len, sizeof(text) - len, "%s%s", len ? "," : "",
					packages[i]);
	}
	return strdup(len ? text : "-");
}

/* -ENOEXEC: nothing for this table. Takes over P's contents when it returns 0. */
static int read_line(const struct table *t, struct process *p, struct line *line)
{
	struct resolve *r = NULL;
	struct target *target = NULL;
	unsigned port = discover__port_of(p->pid);
	struct why why;
	char path[32];
	int fd, err;
	size_t i;

	snprintf(path, sizeof(path), "/proc/%d/exe", p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = resolve__open(fd, p->exe_path, &r, &why);
	close(fd);
	if (err)
		return err;
	/* several: names as if each was one of many */
	err = target__new(t->config, resolve__info(r), p, true, &target);
	if (err)
		goto cleanup;
	line->at[PID] = format_number(target->process.pid);
	line->at[USER] = user_name(target->process.uid);
	line->at[SERVICE] = strdup(target->service_name);
	line->at[PORT] = port ? format_number(port) : strdup("-");
	line->at[GO] = strndup(resolve__info(r)->go_version,
			       strcspn(resolve__info(r)->go_version, " "));
	line->at[TRACED] = linked_packages(r, t->packages);
	line->at[SDK] = strdup(resolve__has_package(r, OTEL_SDK_PACKAGE) ? "yes" : "no");
	line->at[EXE] = strdup(target->process.exe_path);
	for (i = 0; i < COLUMN_CNT && !err; i++)
		err = line->at[i] ? 0 : -ENOMEM;
cleanup:
	target__free(target);
	resolve__free(r);
	return err;
}

static int append(struct table *t, const struct line *line)
{
	size_t cap = t->cap ? 2 * t->cap : 32;
	struct line *grown;

	if (t->cnt == t->cap) {
		grown = realloc(t->lines, cap * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		t->lines = grown;
		t->cap = cap;
	}
	t->lines[t->cnt++] = *line;
	return 0;
}

static void add_process(void *ctx, int pid)
{
	struct table *t = ctx;
	struct line line = {};
	struct process p;
	int err;

	err = process__read(pid, &p);
	if (err == -EACCES || err == -EPERM)
		t->denied++;
	if (err)
		return;
	/* the cheap question first: most processes are not Go */
	err = discover__is_go(pid) ? read_line(t, &p, &line) : -ENOEXEC;
	process__clear(&p);
	if (!err)
		err = append(t, &line);
	if (err)
		free_line(&line);
	if (err == -ENOMEM)
		t->err = err;
}

static struct otlp_text as_text(const char *text)
{
	return (struct otlp_text){ .at = text, .len = strlen(text) };
}

static void print_line(const char *const *cells, const unsigned *widths, FILE *out)
{
	unsigned column = 0;
	struct row row;
	size_t i;

	row__start(&row, false);
	for (i = 0; i < COLUMN_CNT; i++) {
		row__foreign(&row, as_text(cells[i]), COLUMN_MAX);
		column += widths[i] + 2;
		if (i + 1 < COLUMN_CNT)
			row__pad_to(&row, column);
	}
	row__print(&row, out);
}

static void print_table(const struct table *t, FILE *out)
{
	unsigned widths[COLUMN_CNT], width;
	size_t i, j;

	for (i = 0; i < COLUMN_CNT; i++) {
		widths[i] = strlen(headings[i]);
		for (j = 0; j < t->cnt; j++) {
			width = text__width(as_text(t->lines[j].at[i]));
			width = width < COLUMN_MAX ? width : COLUMN_MAX;
			widths[i] = width > widths[i] ? width : widths[i];
		}
	}
	print_line(headings, widths, out);
	for (j = 0; j < t->cnt; j++)
		print_line((const char *const *)t->lines[j].at, widths, out);
}

int ps__print(const struct config *config, const char *const *packages, FILE *out)
{
	struct table t = { .config = config, .packages = packages };
	size_t i;

	proc__each_pid(add_process, &t);
	if (t.cnt)
		print_table(&t, out);
	else
		log_info("ps: no Go process in sight");
	if (t.denied)
		log_info("ps: %zu process%s may not be looked at: %s", t.denied,
			 t.denied == 1 ? "" : "es", privileges__explain_denied());
	for (i = 0; i < t.cnt; i++)
		free_line(&t.lines[i]);
	free(t.lines);
	return t.err;
}

struct summary {
	char *buf;
	size_t buf_sz, len, cnt;
};

static void add_to_summary(void *ctx, const struct process *p)
{
	const char *slash = strrchr(p->exe_path, '/');
	struct summary *s = ctx;

	if (p->pid == getpid() || !discover__is_go(p->pid))
		return;
	s->cnt++;
	if (s->cnt > SUMMARY_MAX || s->len >= s->buf_sz)
		return;
	s->len += snprintf(s->buf + s->len, s->buf_sz - s->len, "%s%d %s", s->len ? ", " : "",
			   p->pid, slash ? slash + 1 : p->exe_path);
}

size_t ps__summary(char *buf, size_t buf_sz)
{
	struct summary s = { .buf = buf, .buf_sz = buf_sz };

	buf[0] = '\0';
	discover__each_process(add_to_summary, &s);
	if (s.cnt > SUMMARY_MAX && s.len < buf_sz)
		snprintf(buf + s.len, buf_sz - s.len, " and %zu more", s.cnt - SUMMARY_MAX);
	return s.cnt;
}
