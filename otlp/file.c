/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: one TracesData as OTLP JSON a line, as the collector's file exporter and receiver have it.
 * https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 *
 * A line is written whole or taken back: readers never see half an object followed by another.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"
#include "ops.h"

enum { PIPE_WAIT_MS = 1000 }; /* for a reader that does not read; the loop stands meanwhile */

struct file_exporter {
	struct exporter base;
	int fd;
	bool is_pipe;
	bool broken; /* half a line was written and could not be taken back */
	char *path;
};

/* 0 when PIPE_BUF bytes can be written without blocking; -ETIMEDOUT. */
static int wait_for_reader(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };

	return poll(&p, 1, PIPE_WAIT_MS) ? 0 : -ETIMEDOUT;
}

static int write_all(const struct file_exporter *f, const struct bytes *line, size_t *written)
{
	ssize_t n;
	int err;

	for (*written = 0; *written < line->len; *written += (size_t)n) {
		size_t len = line->len - *written;

		if (f->is_pipe) {
			err = wait_for_reader(f->fd);
			if (err)
				return err;
			len = len < PIPE_BUF ? len : PIPE_BUF;
		}
		n = write(f->fd, line->at + *written, len);
		if (n >= 0)
			continue;
		n = 0;
		/* EAGAIN: somebody made our stdout non-blocking */
		if (errno != EINTR && (errno != EAGAIN || wait_for_reader(f->fd)))
			return -errno;
	}
	return 0;
}

static int write_line(struct file_exporter *f, const struct bytes *line)
{
	size_t written;
	off_t end;
	int err;

	if (f->broken)
		return -EIO;
	err = write_all(f, line, &written);
	if (err == -ETIMEDOUT)
		f->broken = true; /* once is enough to wait */
	if (!err || !written)
		return err;
	end = lseek(f->fd, 0, SEEK_CUR);
	f->broken |= end < (off_t)written || ftruncate(f->fd, end - (off_t)written) != 0;
	return err;
}

static int file_submit(struct exporter *e, struct bytes *payload, uint64_t span_cnt,
		       export_done done, void *ctx)
{
	struct file_exporter *f = (struct file_exporter *)e;
	struct bytes line = { 0 };
	char reason[512] = "";
	int err;

	err = otlp__traces_to_json(payload, &line);
	if (!err)
		err = bytes__append(&line, "\n", 1);
	if (!err)
		err = write_line(f, &line);
	if (err)
		snprintf(reason, sizeof(reason), "failed to write to '%s': %s", f->path,
			 strerror(-err));
	bytes__free(&line);
	bytes__free(payload);
	done(ctx, err ? EXPORT_FAILED : EXPORT_OK, 0, reason);
	return 0;
}

static size_t file_pending(const struct exporter *e)
{
	return 0;
}

static void file_hurry(struct exporter *e, uint32_t deadline_ms)
{
}

static void file_on_fd(struct exporter *e, int fd, uint32_t events)
{
}

static void file_on_timer(struct exporter *e)
{
}

static void file_free(struct exporter *e)
{
	struct file_exporter *f = (struct file_exporter *)e;

	if (f->fd > STDERR_FILENO)
		close(f->fd);
	free(f->path);
	free(f);
}

static const struct exporter_ops file_ops = {
	.submit = file_submit,
	.pending = file_pending,
	.hurry = file_hurry,
	.on_fd = file_on_fd,
	.on_timer = file_on_timer,
	.free = file_free,
};

/* A pipe without a reader is refused, not waited for. */
static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0644);

	if (fd >= 0)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	return fd;
}

static bool is_pipe(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

int exporter__new_file(const char *path, struct exporter **out, char *err_text, size_t err_sz)
{
	bool is_stdout = !strcmp(path, "-");
	struct file_exporter *f;
	int err = -ENOMEM;

	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->base.ops = &file_ops;
	f->fd = -1;
	f->path = strdup(is_stdout ? "stdout" : path);
	if (!f->path)
		goto cleanup;
	f->fd = is_stdout ? STDOUT_FILENO : open_file(path);
	if (f->fd < 0) {
		snprintf(err_text, err_sz, "failed to open '%s': %s", path,
			 errno == ENXIO ? "nobody reads this pipe" : strerror(errno));
		err = -EINVAL;
		goto cleanup;
	}
	f->is_pipe = is_pipe(f->fd);
	*out = &f->base;
	return 0;

cleanup:
	file_free(&f->base);
	return err;
}
