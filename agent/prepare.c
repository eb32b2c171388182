// SPDX-License-Identifier: Apache-2.0
/* prepare: see prepare.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "prepare.h"

struct job {
	const struct kernel *kernel;
	struct process process; /* its exe_path is owned */
	bool all_processes;
	struct executable *executable;
	int err;
	struct why why;
	int done_fd;
	struct job *next;
};

struct prepare {
	const struct kernel *kernel;
	struct loop *loop;
	prepared done;
	void *ctx;
	int done_fd;
	pthread_t worker;
	struct job *running;
	struct job *queue, **queue_end;
};

static void free_job(struct job *job)
{
	if (!job)
		return;
	process__clear(&job->process);
	free(job);
}

static void *work(void *arg)
{
	struct job *job = arg;
	uint64_t one = 1;

	job->err = executable__new(job->kernel, &job->process, job->all_processes, &job->executable,
				   &job->why);
	if (!job->err)
		executable__forget_object(job->executable);
	if (write(job->done_fd, &one, sizeof(one)) < 0)
		return NULL; /* an eventfd of which we add one at a time has always room */
	return NULL;
}

static void start_next(struct prepare *p)
{
	struct job *job = p->queue;

	if (p->running || !job)
		return;
	p->queue = job->next;
	if (!p->queue)
		p->queue_end = &p->queue;
	p->running = job;
	if (pthread_create(&p->worker, NULL, work, job)) {
		/* no thread to be had: then here, and the loop waits */
		p->worker = 0;
		work(job);
	}
}

static void finish(struct prepare *p)
{
	if (p->worker)
		pthread_join(p->worker, NULL);
	p->worker = 0;
}

static void on_done(void *ctx, int fd, uint32_t events)
{
	struct prepare *p = ctx;
	struct job *job = p->running;
	uint64_t cnt;

	if (read(fd, &cnt, sizeof(cnt)) != sizeof(cnt) || !job)
		return;
	finish(p);
	p->running = NULL;
	start_next(p);
	p->done(p->ctx, &job->process.exe, job->executable, job->err, &job->why);
	free_job(job);
}

int prepare__new(const struct kernel *kernel, struct loop *loop, prepared done, void *ctx,
		 struct prepare **out)
{
	struct prepare *p = calloc(1, sizeof(*p));
	int err;

	if (!p)
		return -ENOMEM;
	*p = (struct prepare){.kernel = kernel, .loop = loop, .done = done, .ctx = ctx};
	p->queue_end = &p->queue;
	p->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = p->done_fd < 0 ? -errno : loop__watch(loop, p->done_fd, EPOLLIN, on_done, p);
	if (err) {
		prepare__free(p);
		return err;
	}
	*out = p;
	return 0;
}

int prepare__request(struct prepare *p, const struct process *process, bool all_processes)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		return -ENOMEM;
	job->kernel = p->kernel;
	job->process = *process;
	job->all_processes = all_processes;
	job->done_fd = p->done_fd;
	job->process.exe_path = strdup(process->exe_path);
	if (!job->process.exe_path) {
		free(job);
		return -ENOMEM;
	}
	*p->queue_end = job;
	p->queue_end = &job->next;
	start_next(p);
	return 0;
}

bool prepare__is_idle(const struct prepare *p)
{
	return !p->running && !p->queue;
}

void prepare__free(struct prepare *p)
{
	struct job *job;

	if (!p)
		return;
	if (p->running) {
		finish(p);
		executable__free(p->running->executable);
		free_job(p->running);
	}
	while ((job = p->queue)) {
		p->queue = job->next;
		free_job(job);
	}
	if (p->done_fd >= 0) {
		loop__watch(p->loop, p->done_fd, 0, NULL, NULL);
		close(p->done_fd);
	}
	free(p);
}
