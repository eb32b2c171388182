/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uprobe: BPF links on file offsets by raw system calls.
 *
 * The attributes of bpf(BPF_LINK_CREATE) are declared here and not taken from <linux/bpf.h>: kernel
 * headers of a distribution may be years older than the kernel that runs. The layout is kernel ABI:
 * https://github.com/torvalds/linux/blob/v6.6/include/uapi/linux/bpf.h#L1609 (link_create).
 */
#include <assert.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uprobe.h"

struct link_create {
	uint32_t prog_fd;
	uint32_t target_fd;
	uint32_t attach_type;
	uint32_t flags;
	union {
		struct {
			uint64_t cookie;
		} perf_event;
		struct {
			uint64_t path;
			uint64_t offsets;
			uint64_t ref_ctr_offsets;
			uint64_t cookies;
			uint32_t cnt;
			uint32_t flags;
			uint32_t pid;
			uint32_t padding;
		} uprobe_multi;
	};
};

static_assert(offsetof(struct link_create, uprobe_multi) == 16, "BPF_LINK_CREATE is kernel ABI");
static_assert(sizeof(struct link_create) == 64, "BPF_LINK_CREATE is kernel ABI");

/* More threads do not make it faster: they all wait for the same grace periods. */
enum { MAX_CLOSERS = 32 };

static uint64_t address_of(const void *p)
{
	return (uintptr_t)p;
}

static int create_link(const struct link_create *attr)
{
	int fd = syscall(SYS_bpf, BPF_LINK_CREATE, attr, sizeof(*attr));

	return fd < 0 ? -errno : fd;
}

int uprobe__attach_multi(int prog_fd, const char *path, int pid, const uint64_t *offsets,
			 const uint64_t *cookies, size_t cnt)
{
	struct link_create attr = {
		.prog_fd = prog_fd,
		.attach_type = UPROBE_MULTI_ATTACH_TYPE,
		.uprobe_multi = {
			.path = address_of(path),
			.offsets = address_of(offsets),
			.cookies = address_of(cookies),
			.cnt = cnt,
			.pid = pid,
		},
	};

	return create_link(&attr);
}

/* The number of the perf event source "uprobe" differs between machines. */
static int read_pmu_type(uint32_t *type)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	int fields;

	if (!file)
		return -errno;
	fields = fscanf(file, "%u", type);
	fclose(file);
	return fields == 1 ? 0 : -EINVAL;
}

/* A system-wide uprobe event: pid -1 demands a CPU, but probes have none and fire on all. */
static int open_perf_event(const char *path, uint64_t offset)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.config1 = address_of(path),
		.config2 = offset,
	};
	int err, fd;

	err = read_pmu_type(&attr.type);
	if (err)
		return err;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int uprobe__attach_perf(int prog_fd, const char *path, uint64_t offset, uint64_t cookie)
{
	struct link_create attr = {
		.prog_fd = prog_fd,
		.attach_type = BPF_PERF_EVENT,
		.perf_event.cookie = cookie,
	};
	int event_fd, link_fd;

	event_fd = open_perf_event(path, offset);
	if (event_fd < 0)
		return event_fd;
	attr.target_fd = event_fd;
	link_fd = create_link(&attr);
	close(event_fd); /* the link holds a reference */
	return link_fd;
}

/* What the closing threads share: each takes the next index. */
struct closing {
	int *fds;
	size_t cnt;
	atomic_size_t next;
	atomic_int err;
};

static void *close_some(void *arg)
{
	struct closing *closing = arg;
	int none = 0;
	size_t i;

	while ((i = atomic_fetch_add(&closing->next, 1)) < closing->cnt) {
		if (closing->fds[i] >= 0 && close(closing->fds[i]) < 0)
			atomic_compare_exchange_strong(&closing->err, &none, -errno);
		closing->fds[i] = -1;
	}
	return NULL;
}

int uprobe__close_all(int *fds, size_t cnt)
{
	struct closing closing = { .fds = fds, .cnt = cnt };
	pthread_t threads[MAX_CLOSERS];
	size_t i, thread_cnt = 0;

	/* The caller is one of the closers, so that it works, slowly, without any thread. */
	while (thread_cnt + 1 < cnt && thread_cnt < MAX_CLOSERS &&
	       !pthread_create(&threads[thread_cnt], NULL, close_some, &closing))
		thread_cnt++;
	close_some(&closing);
	for (i = 0; i < thread_cnt; i++)
		pthread_join(threads[i], NULL);
	return closing.err;
}
