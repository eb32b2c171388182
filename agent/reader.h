/* SPDX-License-Identifier: Apache-2.0 */
/* reader: who reads what we print may have stopped, behind a pager or Ctrl-S. We must not. */
#ifndef GOSPAN_AGENT_READER_H
#define GOSPAN_AGENT_READER_H

#include <stdatomic.h>
#include <stdbool.h>

/*
 * Will FD take PIPE_BUF bytes at once? Waits for that up to a second, in which nothing is exported and no
 * signal heard: so once. STALLED is where it is kept that FD did not, from one call to the next.
 */
bool reader__takes(int fd, atomic_bool *stalled);

#endif
