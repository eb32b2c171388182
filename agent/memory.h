/* SPDX-License-Identifier: Apache-2.0 */
/* memory: what an agent that runs for months keeps of what it took for a moment. */
#ifndef GOSPAN_AGENT_MEMORY_H
#define GOSPAN_AGENT_MEMORY_H

/* Returns what glibc keeps of freed memory: loading BPF takes megabytes. */
void memory__trim(void);

/*
 * The same, and drops the pages of code and constants that are mapped, ours and of all libraries: starting
 * uses half of libcrypto, libdw and Zydis, running next to nothing of them. What is used comes back, from
 * the page cache, at a minor fault for each 64 KB.
 */
void memory__rest(void);

#endif
