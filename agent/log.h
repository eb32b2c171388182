/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log: messages to stderr, one line each, "gospan: stage: failed to X 'thing': reason".
 * Control characters of foreign text are spelled out (printable). Safe to call from the preparing worker.
 */
#ifndef GOSPAN_AGENT_LOG_H
#define GOSPAN_AGENT_LOG_H

#include <stddef.h>

enum log_level { LOG_NONE, LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log__set_level(enum log_level level);
enum log_level log__level(void);

void log__write(enum log_level level, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* TEXT as a log line would show it, for what is not logged; cut to fit BUF, which it returns. */
const char *log__escaped(const char *text, char *buf, size_t buf_sz);

/*
 * A value from outside as a message repeats it: of one that is longer the first 120 bytes, to the
 * end of a character, and "...". Returns BUF.
 */
enum { LOG_VALUE_BYTES = 124 };
const char *log__value(const char *value, char buf[static LOG_VALUE_BYTES]);

/* Logs at error level with strerror(-err) appended, and returns ERR. */
int log_err(int err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...) log__write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log__write(LOG_WARN, __VA_ARGS__)
#define log_info(...) log__write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log__write(LOG_DEBUG, __VA_ARGS__)

#endif
