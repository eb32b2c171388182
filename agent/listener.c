/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener: /proc/PID/net/tcp names the sockets of PID's network namespace by inode; /proc/PID/fd
 * tells whose they are. Socket inodes are unique over all namespaces, so those of several tables
 * can be looked for together.
 */
#include "listener.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "discover.h"
#include "proc.h"

enum { TABLE_MAX = 64 * 1024 * 1024, TCP_LISTEN = 10, NAMESPACES_MAX = 256 };

void listener__parse(const char *text, void (*fn)(void *ctx, unsigned port, unsigned long inode),
		     void *ctx)
{
	unsigned port, state;
	unsigned long inode;

	/* the first line is the heading */
	while ((text = strchr(text, '\n'))) {
		text++;
		if (sscanf(text,
			   " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*x:%*x %*x:%*x %*x "
			   "%*u %*u %lu", &port, &state, &inode) == 3 && state == TCP_LISTEN &&
		    inode)
			fn(ctx, port, inode);
	}
}

struct socket {
	unsigned port;
	unsigned long inode;
};

/* Sockets looked for; PORT 0: all that listen, of which a node may have thousands. */
struct sockets {
	unsigned port;
	size_t cnt, room;
	struct socket *at;
};

static void add_socket(void *ctx, unsigned port, unsigned long inode)
{
	struct sockets *s = ctx;
	size_t room = s->room ? 2 * s->room : 64;
	struct socket *at;

	if (s->port && s->port != port)
		return;
	if (s->cnt == s->room) {
		at = reallocarray(s->at, room, sizeof(*at));
		if (!at)
			return;
		s->at = at;
		s->room = room;
	}
	s->at[s->cnt++] = (struct socket){port, inode};
}

/* Adds the listening sockets of PID's network namespace. */
static void add_namespace(struct sockets *s, int pid)
{
	static const char *const tables[] = { "net/tcp", "net/tcp6" };
	size_t i, len;
	char *text;

	for (i = 0; i < 2; i++) {
		if (proc__read(pid, tables[i], TABLE_MAX, &text, &len))
			continue;
		listener__parse(text, add_socket, s);
		free(text);
	}
}

/* Port of the socket that "socket:[123]" is; 0: none of them. */
static unsigned port_of(const struct sockets *s, const char *link)
{
	unsigned long inode;

	if (sscanf(link, "socket:[%lu]", &inode) != 1)
		return 0;
	for (size_t i = 0; i < s->cnt; i++)
		if (s->at[i].inode == inode)
			return s->at[i].port;
	return 0;
}

/* Lowest port of S that PID has open; 0: none; -EACCES. */
static int lowest_port(const struct sockets *s, int pid)
{
	char path[32], link[64];
	struct dirent *entry;
	unsigned lowest = 0, port;
	ssize_t len;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		return errno == EACCES ? -EACCES : 0;
	while ((entry = readdir(dir))) {
		len = readlinkat(dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		port = port_of(s, link);
		if (port && (!lowest || port < lowest))
			lowest = port;
	}
	closedir(dir);
	return lowest;
}

unsigned discover__port_of(int pid)
{
	struct sockets s = {};
	int port;

	add_namespace(&s, pid);
	port = s.cnt ? lowest_port(&s, pid) : 0;
	free(s.at);
	return port > 0 ? port : 0;
}

struct search {
	struct sockets sockets;
	size_t namespace_cnt;
	ino_t namespaces[NAMESPACES_MAX];
	int pid;
	bool denied;
};

static void find_owner(void *ctx, int pid)
{
	struct search *search = ctx;
	int port;

	if (search->pid || pid == getpid())
		return;
	port = lowest_port(&search->sockets, pid);
	if (port > 0)
		search->pid = pid;
	else if (port == -EACCES)
		search->denied = true;
}

/* Adds the sockets of PID's network namespace unless they are there already. */
static void add_new_namespace(void *ctx, int pid)
{
	struct search *search = ctx;
	struct stat st;
	char path[32];
	size_t i;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", pid);
	if (stat(path, &st) || search->namespace_cnt == NAMESPACES_MAX)
		return;
	for (i = 0; i < search->namespace_cnt; i++) {
		if (search->namespaces[i] == st.st_ino)
			return;
	}
	search->namespaces[search->namespace_cnt++] = st.st_ino;
	add_namespace(&search->sockets, pid);
}

int discover__listener(unsigned port)
{
	struct search search = { .sockets.port = port };
	bool found;

	/* our own view first: what `curl localhost:PORT` would reach */
	add_new_namespace(&search, getpid());
	if (search.sockets.cnt)
		proc__each_pid(find_owner, &search);
	if (!search.pid && !search.denied) {
		proc__each_pid(add_new_namespace, &search);
		if (search.sockets.cnt)
			proc__each_pid(find_owner, &search);
	}
	found = search.sockets.cnt;
	free(search.sockets.at);
	if (search.pid)
		return search.pid;
	return found && search.denied ? -EACCES : -ENOENT;
}
