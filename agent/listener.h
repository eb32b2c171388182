/* SPDX-License-Identifier: Apache-2.0 */
/* listener: who listens on a TCP port, by /proc. Inside of discover. */
#ifndef GOSPAN_AGENT_LISTENER_H
#define GOSPAN_AGENT_LISTENER_H

/*
 * Calls FN with port and socket inode of each listening socket in the text of /proc/net/tcp or
 * tcp6 (proc_pid_net(5)).
 */
void listener__parse(const char *text, void (*fn)(void *ctx, unsigned port, unsigned long inode),
		     void *ctx);

#endif
