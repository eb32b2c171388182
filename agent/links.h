/* SPDX-License-Identifier: Apache-2.0 */
/* links: the fds of BPF links, each with the process whose probes it holds. */
#ifndef GOSPAN_AGENT_LINKS_H
#define GOSPAN_AGENT_LINKS_H

#include <stddef.h>

struct links {
	int *fds;
	int *pids; /* 0: everybody's */
	size_t cnt;
};

/* FD is taken over, and closed when it cannot be kept: -ENOMEM. */
int links__add(struct links *links, int fd, int pid);

void links__close_of(struct links *links, int pid);

/* Closes all, at the same time. */
void links__close_all(struct links *links);

/* Moves as many as there is room for to FDS; returns how many. */
size_t links__take(struct links *links, int *fds, size_t cap);

/* They must be closed or taken before; else they are closed one after the other. */
void links__free(struct links *links);

#endif
