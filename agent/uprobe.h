/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uprobe: attaching BPF programs to file offsets of an executable, without libbpf's help where an
 * old libbpf (1.1 in Debian 12) lacks it. All functions return a BPF link's fd: while it is open
 * the probes are in place, and the kernel removes them when the last copy is closed, so also after
 * kill -9.
 *
 * PATH may be /proc/self/fd/N: the kernel resolves it once, at attach, to the inode, so deleted files
 * and files of other mount namespaces work. Offsets are file offsets, not addresses.
 */
#ifndef GOSPAN_AGENT_UPROBE_H
#define GOSPAN_AGENT_UPROBE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The attach type for uprobe_multi. A program for uprobe__attach_multi() must be *loaded* with this
 * expected_attach_type, one for uprobe__attach_perf() with 0; all programs that tail-call each other
 * with the same (enforced since commit 4540aed51b12, 6.18 and stable releases, 6.12.107 for one).
 */
enum { UPROBE_MULTI_ATTACH_TYPE = 48 };

/*
 * Attaches to all CNT OFFSETS with one link, which costs 7-18 ms for 300. PID (in our pid
 * namespace) restricts it to one process, 0 is every process that runs the file. COOKIES may be
 * NULL. Needs CAP_BPF and CAP_PERFMON. -EINVAL: this kernel has no uprobe_multi.
 * Added in: commit 89ae89f53d20, 6.6.
 */
int uprobe__attach_multi(int prog_fd, const char *path, int pid, const uint64_t *offsets,
			 const uint64_t *cookies, size_t cnt);

/*
 * Attaches to one OFFSET in every process that runs the file. The link keeps the perf event; there
 * is no other fd to hold. Needs CAP_SYS_ADMIN; returning 0 from the program keeps its hits out of
 * perf's own output. Detaching
 * costs about 110 ms a probe, one after the other.
 * Added in: commit b89fbfbb854c (links for perf events) and 82e6b1eee6a8 (cookies), 5.15.
 */
int uprobe__attach_perf(int prog_fd, const char *path, uint64_t offset, uint64_t cookie);

/*
 * Closes CNT links at the same time, each in a thread: a close waits for grace periods, 30-47 ms
 * when done one after the other, but they can be shared. FDS become -1; negative ones are skipped.
 * Returns the first error of a close.
 */
int uprobe__close_all(int *fds, size_t cnt);

#endif
