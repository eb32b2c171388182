/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../../agent/log.h"

static char captured[65536];

/* A pipe in place of stderr. */
static int saved_stderr, reader;

static void start_capture(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	saved_stderr = dup(STDERR_FILENO);
	dup2(fds[1], STDERR_FILENO);
	close(fds[1]);
	reader = fds[0];
}

static const char *end_capture(void)
{
	ssize_t n;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	n = read(reader, captured, sizeof(captured) - 1);
	close(reader);
	captured[n > 0 ? n : 0] = '\0';
	return captured;
}

static void test_filters_by_level(void **state)
{
	start_capture();
	log__set_level(LOG_WARN);
	log_info("no");
	log_debug("no");
	log_warn("attach: %s", "yes");
	log_error("yes too");
	log__set_level(LOG_NONE);
	log_error("no");
	log__set_level(LOG_INFO);
	assert_string_equal(end_capture(), "gospan: attach: yes\ngospan: yes too\n");
}

static void test_escapes_control_characters(void **state)
{
	start_capture();
	log_info("a\x1b[31mb\nc\x7f\t" "d");
	log_info("caf\xc3\xa9 \xe2\x82\xac");
	log_info("bad \xff\xc3 c1 \xc2\x85 end");
	log_info("turned \xe2\x80\xae round");
	assert_string_equal(end_capture(), "gospan: a\\x1b[31mb\\x0ac\\x7f\\x09d\n"
					   "gospan: caf\xc3\xa9 \xe2\x82\xac\n"
					   "gospan: bad \\xff\\xc3 c1 \\u{85} end\n"
					   "gospan: turned \\u{202e} round\n");
}

static void test_cuts_long_lines(void **state)
{
	static char text[20000];
	const char *line;

	memset(text, 'x', sizeof(text) - 1);
	start_capture();
	log_info("%s", text);
	line = end_capture();
	assert_true(strlen(line) < 4096);
	assert_string_equal(line + strlen(line) - 4, "...\n");

	memset(text, '\x01', sizeof(text) - 1);
	start_capture();
	log_info("%s", text);
	line = end_capture();
	assert_true(strlen(line) <= 8192);
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
}

static void test_err_appends_reason_and_returns_it(void **state)
{
	start_capture();
	errno = 17;
	assert_int_equal(log_err(-ENOENT, "image: failed to open '%s'", "x\ny"), -ENOENT);
	assert_int_equal(errno, 17);
	assert_string_equal(end_capture(),
			    "gospan: image: failed to open 'x\\x0ay': No such file or directory\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_by_level),
		cmocka_unit_test(test_escapes_control_characters),
		cmocka_unit_test(test_cuts_long_lines),
		cmocka_unit_test(test_err_appends_reason_and_returns_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
