/* SPDX-License-Identifier: Apache-2.0 */
#include "console_output.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "reader.h"

/* Writes what can be written; returns how much that was, less than LEN with errno. */
static size_t write_out(struct output *output, const char *at, size_t len)
{
	FILE *target = output->target;
	int fd = fileno(target);
	size_t done = 0;
	ssize_t n;

	if (fd < 0) { /* a stream in memory */
		done = fwrite(at, 1, len, target);
		fflush(target);
		return done;
	}
	while (done < len) {
		if (!reader__takes(fd, &output->stalled)) {
			errno = ETIMEDOUT;
			break;
		}
		n = write(fd, at + done, len - done < PIPE_BUF ? len - done : PIPE_BUF);
		/* EAGAIN: somebody made our stdout non-blocking, and another one was faster */
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			break;
		done += n < 0 ? 0 : n;
	}
	return done;
}

/* fopencookie(3)'s write: what could not be written is gone all the same. */
static ssize_t take(void *cookie, const char *at, size_t len)
{
	struct output *output = cookie;
	size_t i = write_out(output, at, len);

	if (i < len && output->err != -EPIPE)
		output->err = -errno;
	for (; i < len; i++)
		output->lost_lines += at[i] == '\n';
	return len;
}

int output__open(struct output *output, FILE *target)
{
	*output = (struct output){ .target = target };
	output->stream = fopencookie(output, "w", (cookie_io_functions_t){ .write = take });
	return output->stream ? 0 : -ENOMEM;
}

void output__flush(struct output *output)
{
	fflush(output->stream);
}

void output__close(struct output *output)
{
	if (output->stream)
		fclose(output->stream);
	output->stream = NULL;
}
