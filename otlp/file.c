/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file: one TracesData as OTLP JSON a line, as the collector's file exporter and receiver have it.
 * https://opentelemetry.io/docs/specs/otel/protocol/file-exporter/
 *
 * A line is written whole or taken back: readers never see half an object followed by another.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "ops.h"

struct file_exporter {
	struct exporter base;
	int fd;
	bool broken; /* half a line was written and could not be taken back */
	char *path;
};

static int write_all(int fd, const uint8_t *at, size_t len, size_t *written)
{
	ssize_t n;

	for (*written = 0; *written < len; *written += (size_t)n) {
		n = write(fd, at + *written, len - *written);
		if (n >= 0)
			continue;
		n = 0;
		if (errno == EAGAIN) /* somebody made our stdout non-blocking */
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		else if (errno != EINTR)
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
	err = write_all(f->fd, line->at, line->len, &written);
	if (!err || !written)
		return err;
	end = lseek(f->fd, 0, SEEK_CUR);
	f->broken = end < (off_t)written || ftruncate(f->fd, end - (off_t)written) != 0;
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
	f->fd = is_stdout ? STDOUT_FILENO :
			    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (f->fd < 0) {
		snprintf(err_text, err_sz, "failed to open '%s': %s", path, strerror(errno));
		err = -EINVAL;
		goto cleanup;
	}
	*out = &f->base;
	return 0;

cleanup:
	file_free(&f->base);
	return err;
}
