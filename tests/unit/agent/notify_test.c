/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager hears, by a path and by an abstract name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "../../../agent/notify.h"

/* A manager's socket; NAME begins with / or @. */
static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0 && strlen(name) < sizeof(address.sun_path));
	memcpy(address.sun_path, name, strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&address,
			      offsetof(struct sockaddr_un, sun_path) + strlen(name)),
			 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void assert_heard(int fd, const char *expected)
{
	char got[1024] = "";
	ssize_t len = recv(fd, got, sizeof(got) - 1, 0);

	assert_int_equal(len, strlen(expected));
	assert_string_equal(got, expected);
	assert_int_equal(recv(fd, got, sizeof(got), 0), -1); /* and nothing else */
}

static void by_path(void **state)
{
	char directory[] = "/tmp/gospan-notify-XXXXXX", path[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/socket", directory);
	fd = listen_at(path);
	notify__ready("tracing 2 processes");
	assert_heard(fd, "READY=1\nSTATUS=tracing 2 processes");
	notify__stopping();
	assert_heard(fd, "STOPPING=1\nSTATUS=");
	close(fd);
	unlink(path);
	rmdir(directory);
}

static void by_abstract_name(void **state)
{
	char name[64];
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "@gospan-notify-%d", getpid());
	fd = listen_at(name);
	notify__ready(NULL);
	assert_heard(fd, "READY=1\nSTATUS=");
	close(fd);
}

/* A status is foreign text: it must not smuggle in fields. */
static void a_status_is_one_line(void **state)
{
	char name[64], *long_status = malloc(4096);
	int fd;

	(void)state;
	snprintf(name, sizeof(name), "@gospan-notify-line-%d", getpid());
	fd = listen_at(name);
	notify__ready("a\nMAINPID=1");
	assert_heard(fd, "READY=1\nSTATUS=a");
	memset(long_status, 'x', 4095);
	long_status[4095] = '\0';
	notify__ready(long_status);
	assert_int_equal(recv(fd, long_status, 4096, 0), 511);
	free(long_status);
	close(fd);
}

static void nobody_listens(void **state)
{
	static const char *const names[] = { "", "/", "relative", "/nonexistent/socket", "@" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		notify__ready("x");
	}
	unsetenv("NOTIFY_SOCKET");
	notify__stopping();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_path),
		cmocka_unit_test(by_abstract_name),
		cmocka_unit_test(a_status_is_one_line),
		cmocka_unit_test(nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
