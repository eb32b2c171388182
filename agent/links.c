// SPDX-License-Identifier: Apache-2.0
/* links: see links.h. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "links.h"
#include "uprobe.h"

static int grow(struct links *links)
{
	int *fds = reallocarray(links->fds, links->cnt + 1, sizeof(*fds)), *pids;

	if (!fds)
		return -ENOMEM;
	links->fds = fds;
	pids = reallocarray(links->pids, links->cnt + 1, sizeof(*pids));
	if (!pids)
		return -ENOMEM;
	links->pids = pids;
	return 0;
}

int links__add(struct links *links, int fd, int pid)
{
	int err = grow(links);

	if (err) { /* nobody would ever take these probes away */
		close(fd);
		return err;
	}
	links->fds[links->cnt] = fd;
	links->pids[links->cnt++] = pid;
	return 0;
}

void links__close_of(struct links *links, int pid)
{
	size_t i = 0;

	while (i < links->cnt) {
		if (links->pids[i] != pid) {
			i++;
			continue;
		}
		close(links->fds[i]);
		links->cnt--;
		links->fds[i] = links->fds[links->cnt];
		links->pids[i] = links->pids[links->cnt];
	}
}

void links__close_all(struct links *links)
{
	uprobe__close_all(links->fds, links->cnt);
	links->cnt = 0;
}

size_t links__take(struct links *links, int *fds, size_t cap)
{
	size_t cnt = 0;

	while (links->cnt && cnt < cap)
		fds[cnt++] = links->fds[--links->cnt];
	return cnt;
}

void links__free(struct links *links)
{
	while (links->cnt)
		close(links->fds[--links->cnt]);
	free(links->fds);
	free(links->pids);
	*links = (struct links){};
}
