/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify: see notify.h. By hand, as it is a single sendto(): libsystemd would bring half a dozen
 * libraries along. https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"

/* The address of the service manager; 0: there is none. */
static socklen_t find_manager(struct sockaddr_un *address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len > sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@'))
		return 0;
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, path, len);
	if (path[0] == '@') /* an abstract socket: its name begins with a NUL and has none at the end */
		address->sun_path[0] = '\0';
	return offsetof(struct sockaddr_un, sun_path) + len;
}

/* Nobody's tracing fails because of this: a manager that does not listen is only logged. */
static void tell(const char *state)
{
	struct sockaddr_un address = { 0 };
	socklen_t address_sz = find_manager(&address);
	int fd;

	if (address_sz == 0)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || sendto(fd, state, strlen(state), MSG_NOSIGNAL,
			     (struct sockaddr *)&address, address_sz) < 0)
		log_debug("notify: failed to reach the service manager: %m");
	if (fd >= 0)
		close(fd);
}

void notify__ready(const char *status)
{
	char state[512];

	/* Each line is a field of its own: a newline in STATUS would begin another one. */
	snprintf(state, sizeof(state), "READY=1\nSTATUS=%.*s", status ? (int)strcspn(status, "\n") : 0,
		 status ? status : "");
	tell(state);
}

void notify__stopping(void)
{
	tell("STOPPING=1\nSTATUS=");
}

bool notify__is_wanted(void)
{
	struct sockaddr_un address = { 0 };

	return find_manager(&address) != 0;
}
