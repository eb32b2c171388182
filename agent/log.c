/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: formats into one buffer on the stack and writes it with a single write(2), so that lines of
 * the worker, of libbpf and of a traced CMD on the same stderr never mix inside a line.
 */
#include "log.h"
#include "printable.h"
#include "reader.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 2048, LINE_SIZE = 4 * MESSAGE_SIZE };

/* The one piece of global state: a message must not need a context to be written. */
static atomic_int max_level = LOG_INFO;

void log__set_level(enum log_level level)
{
	atomic_store(&max_level, level);
}

enum log_level log__level(void)
{
	return atomic_load(&max_level);
}

/* Appends TEXT to LINE of SIZE bytes with everything unprintable spelled out; the new length. */
static size_t append_escaped(char *line, size_t size, size_t at, const char *text)
{
	size_t left = strlen(text), n;
	struct glyph glyph;

	/* room is kept for a newline or NUL */
	while (left && at + GLYPH_BYTES < size) {
		n = printable__next(text, left, &glyph);
		memcpy(line + at, glyph.at, glyph.len);
		at += glyph.len;
		text += n;
		left -= n;
	}
	return at;
}

const char *log__escaped(const char *text, char *buf, size_t buf_sz)
{
	buf[append_escaped(buf, buf_sz, 0, text)] = '\0';
	return buf;
}

const char *log__value(const char *value, char buf[static LOG_VALUE_BYTES])
{
	size_t most = LOG_VALUE_BYTES - sizeof("..."), len = strnlen(value, LOG_VALUE_BYTES);

	if (len <= most) {
		memcpy(buf, value, len + 1);
		return buf;
	}
	for (len = most; len && (value[len] & 0xc0) == 0x80;)
		len--; /* the cut would be inside a character */
	memcpy(buf, value, len);
	memcpy(buf + len, "...", sizeof("..."));
	return buf;
}

static void write_line(const char *message)
{
	static const char prefix[] = "gospan: ";
	static atomic_bool stalled;
	size_t len = sizeof(prefix) - 1;
	char line[LINE_SIZE];
	ssize_t n;

	memcpy(line, prefix, len);
	len = append_escaped(line, sizeof(line), len, message);
	line[len++] = '\n';
	do
		n = reader__takes(STDERR_FILENO, &stalled) ? write(STDERR_FILENO, line, len) : 0;
	while (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void format_message(char message[static MESSAGE_SIZE], const char *format, va_list args)
{
	int len = vsnprintf(message, MESSAGE_SIZE, format, args);

	if (len < 0)
		message[0] = '\0';
	else if (len >= MESSAGE_SIZE)
		memcpy(message + MESSAGE_SIZE - 4, "...", 4);
}

void log__write(enum log_level level, const char *format, ...)
{
	char message[MESSAGE_SIZE];
	int saved = errno;
	va_list args;

	if (level > log__level() || level == LOG_NONE)
		return;
	va_start(args, format);
	format_message(message, format, args);
	va_end(args);
	write_line(message);
	errno = saved;
}

int log_err(int err, const char *format, ...)
{
	char message[MESSAGE_SIZE], reason[128];
	va_list args;

	va_start(args, format);
	format_message(message, format, args);
	va_end(args);
	log__write(LOG_ERROR, "%s: %s", message, strerror_r(-err, reason, sizeof(reason)));
	return err;
}
