// SPDX-License-Identifier: Apache-2.0
/* executable: see executable.h. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context_types.h"
#include "executable.h"
#include "gospan.skel.h"
#include "log.h"
#include "loop.h"
#include "proc.h"
#include "uprobe.h"

static bool by_multi(const struct kernel *kernel)
{
	return features__has(kernel__features(kernel), FEATURE_UPROBE_MULTI);
}

/* Links can be of one process alone. */
static bool by_pid(const struct kernel *kernel)
{
	return by_multi(kernel) &&
	       features__has(kernel__features(kernel), FEATURE_UPROBE_MULTI_PID);
}

/* The facts, into the instance's read-only data. */
static int fill_rodata(const struct plan *plan, struct gospan_bpf *bpf)
{
	size_t size;
	uint8_t *rodata = (uint8_t *)bpf_map__initial_value(bpf->maps.rodata, &size);

	if (!rodata)
		return -EINVAL;
	for (size_t i = 0; i < plan->declarations->value_cnt; i++) {
		const struct planned_value *v = &plan->values[i];
		const struct declared_value *d = v->declared;

		if (!v->found)
			continue; /* stays as declared: absent */
		if (d->rodata_off + d->size > size || d->size > sizeof(v->value))
			return -EINVAL;
		if (d->size == 2 && v->value >= 0xffff) {
			log_warn("executable: %s is out of reach at %llu", d->path,
				 (unsigned long long)v->value);
			continue;
		}
		memcpy(rodata + d->rodata_off, &v->value, d->size); /* little endian */
	}
	return 0;
}

/* Opens an instance of the BPF object for the executable, with its facts. */
static int open_instance(struct executable *e, const struct kernel *kernel)
{
	int err = kernel__open_instance(kernel, &e->bpf);

	if (err)
		return err;
	/* a link that knows its process needs no second look */
	e->bpf->rodata->only_targets = !e->all_processes && !by_pid(kernel);
	e->bpf->rodata->context_type_cnt =
		context_types__find(e->resolve, (struct context_type *)e->bpf->rodata->context_types);
	e->bpf->rodata->sdk_fills = kernel__config(kernel)->with_sdk == WITH_SDK_FILL;
	e->bpf->rodata->known_tracer_cnt =
		plan__known_tracers(e->plan, (uint64_t *)e->bpf->rodata->known_tracers);
	plan__settle(e->plan);
	return fill_rodata(e->plan, e->bpf);
}

static void set_types(struct gospan_bpf *bpf, const struct kernel *kernel)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, bpf->obj) {
		if (!strncmp(bpf_program__section_name(prog), "go_", 3))
			bpf_program__set_type(prog, BPF_PROG_TYPE_KPROBE);
		if (by_multi(kernel) && bpf_program__type(prog) == BPF_PROG_TYPE_KPROBE)
			bpf_program__set_expected_attach_type(
				prog, (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
	}
}

static struct bpf_program *program_of(const struct executable *e, const struct planned_probe *p)
{
	return bpf_object__find_program_by_name(e->bpf->obj, p->declared->program);
}

/* Opens an instance and loads the dispatcher and the programs that are on, or of them ONLY one. */
static int load(struct executable *e, const struct kernel *kernel, const struct planned_probe *only)
{
	int err = open_instance(e, kernel);

	if (err)
		return err;
	set_types(e->bpf, kernel);
	bpf_program__set_autoload(e->bpf->progs.dispatch, true);
	for (size_t i = 0; i < e->plan->probe_cnt; i++) {
		const struct planned_probe *p = &e->plan->probes[i];

		if (p->on && (!only || only == p))
			bpf_program__set_autoload(program_of(e, p), true);
	}
	return gospan_bpf__load(e->bpf);
}

/* Loads them one by one, and turns off what the kernel does not take: that alone, not all of it. */
static int drop_refused(struct executable *e, const struct kernel *kernel)
{
	for (size_t i = 0; i < e->plan->probe_cnt; i++) {
		const struct planned_probe *p = &e->plan->probes[i];
		char reason[120];
		struct why lost;
		int err;

		if (!p->on || (i && p[-1].on && p[-1].program == p->program))
			continue;
		executable__forget_object(e);
		err = load(e, kernel, p);
		if (!err)
			continue;
		if (!e->bpf)
			return err;
		snprintf(reason, sizeof(reason), "the kernel does not take the BPF program %.40s (%s)",
			 p->declared->program, strerror(-err));
		plan__refuse(e->plan, p->program, reason, &lost);
		log_warn("%s: %s: %s; --log-level debug shows why", e->path, reason, lost.text);
	}
	executable__forget_object(e);
	return plan__is_useful(e->plan) ? load(e, kernel, NULL) : -EACCES;
}

static int fill_program_array(struct executable *e)
{
	int err = 0;

	for (size_t i = 0; i < e->plan->probe_cnt && !err; i++) {
		const struct planned_probe *p = &e->plan->probes[i];
		uint32_t key = p->program;
		int fd;

		if (!p->on)
			continue;
		fd = bpf_program__fd(program_of(e, p));
		err = bpf_map_update_elem(bpf_map__fd(e->bpf->maps.programs), &key, &fd, BPF_ANY);
	}
	return err;
}

/* Else one program alone may well be taken, and the others be turned off for no fault of theirs. */
static bool is_short_of_something(int err)
{
	return err == -ENOMEM || err == -EMFILE || err == -ENFILE || err == -EAGAIN;
}

static int load_what_the_kernel_takes(struct executable *e, const struct kernel *kernel)
{
	int err = load(e, kernel, NULL);

	if (err && e->bpf && !is_short_of_something(err))
		err = drop_refused(e, kernel);
	return err ? err : fill_program_array(e);
}

/*
 * The file that PROCESS was found to run. It may have waited for its turn: -ESRCH when it has gone since
 * then, or has exec'ed another one, whose facts would be taken for this one's.
 */
static int open_file(const struct process *process, struct why *why)
{
	struct exe_id id = {};
	char path[64];
	struct stat st;
	int fd, err;

	snprintf(path, sizeof(path), "/proc/%d/exe", process->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		err = errno == ENOENT ? -ESRCH : -errno;
		snprintf(why->text, sizeof(why->text), "failed to open %s: %s", path, strerror(-err));
		return err;
	}
	if (!fstat(fd, &st))
		id = exe_id__of(&st);
	if (exe_id__equal(&id, &process->exe))
		return fd;
	close(fd);
	snprintf(why->text, sizeof(why->text), "it runs another program by now");
	return -ESRCH;
}

static int read_facts(struct executable *e, const struct kernel *kernel, const struct process *process,
		      struct why *why)
{
	int fd = open_file(process, why), err;

	if (fd < 0)
		return fd;
	err = resolve__open(fd, e->path, &e->resolve, why);
	close(fd);
	if (err)
		return err;
	err = plan__new(kernel__declarations(kernel), e->resolve, &e->plan);
	if (!err)
		plan__beside_sdk(e->plan, kernel__config(kernel)->with_sdk);
	if (!err && !plan__is_useful(e->plan)) {
		plan__why_useless(e->plan, e->path, why);
		err = -ENOTSUP;
	}
	return err;
}

/* Where headers cannot be written, client and server are joined by their connection instead. */
static void decide_on_writing(struct executable *e, const struct kernel *kernel)
{
	if (!kernel__config(kernel)->propagate_trace_context)
		plan__drop_writes(e->plan, "no trace context is propagated (OTEL_PROPAGATORS)");
	else if (plan__writes(e->plan))
		e->write_err = features__try_write();
	if (e->write_err)
		plan__drop_writes(e->plan, "the kernel lets no BPF program write into a process");
}

/* A table of programs is emptied when nobody has it open any more. */
static int keep_programs(struct executable *e)
{
	e->dispatch_fd = fcntl(bpf_program__fd(e->bpf->progs.dispatch), F_DUPFD_CLOEXEC, 0);
	e->programs_fd = fcntl(bpf_map__fd(e->bpf->maps.programs), F_DUPFD_CLOEXEC, 0);
	return e->dispatch_fd < 0 || e->programs_fd < 0 ? -errno : 0;
}

int executable__new(const struct kernel *kernel, const struct process *process, bool all_processes,
		    struct executable **out, struct why *why)
{
	uint64_t start_ns = loop__now_ns();
	struct executable *e = calloc(1, sizeof(*e));
	int err = -ENOMEM;

	if (!e)
		return err;
	e->dispatch_fd = e->programs_fd = -1;
	e->path = strdup(process->exe_path);
	if (!e->path)
		goto cleanup;
	e->id = process->exe;
	e->all_processes = all_processes;
	err = read_facts(e, kernel, process, why);
	if (err)
		goto cleanup;
	decide_on_writing(e, kernel);
	err = load_what_the_kernel_takes(e, kernel);
	if (!err)
		err = keep_programs(e);
	if (err) {
		snprintf(why->text, sizeof(why->text),
			 "%.80s: the kernel does not take the BPF programs (%s); --log-level debug shows why",
			 e->path, strerror(-err));
		goto cleanup;
	}
	resolve__rest(e->resolve);
	e->prepare_ns = loop__now_ns() - start_ns;
	*out = e;
	return 0;
cleanup:
	executable__free(e);
	return err;
}

static uint64_t cookie_of(const struct planned_probe *p, size_t site)
{
	return p->sites[site].addr | (uint64_t)p->program << COOKIE_PROGRAM_SHIFT |
	       (uint64_t)p->sites[site].flags << COOKIE_FLAGS_SHIFT;
}

/* All sites by one link, or, on older kernels, each by its own. */
static int link_sites(struct executable *e, const struct kernel *kernel, const char *path, int pid)
{
	size_t cnt = plan__site_cnt(e->plan), n = 0;
	uint64_t *offs = calloc(2 * cnt, sizeof(*offs)), *cookies = offs + cnt;
	int fd = 0;

	if (!offs)
		return -ENOMEM;
	for (size_t i = 0; i < e->plan->probe_cnt; i++)
		for (size_t s = 0; e->plan->probes[i].on && s < e->plan->probes[i].site_cnt; s++) {
			offs[n] = e->plan->probes[i].site_offs[s];
			cookies[n++] = cookie_of(&e->plan->probes[i], s);
		}
	if (by_multi(kernel)) {
		fd = uprobe__attach_multi(e->dispatch_fd, path, pid, offs, cookies, cnt);
		if (fd >= 0)
			fd = links__add(&e->links, fd, pid);
	} else {
		for (size_t i = 0; i < cnt && fd >= 0; i++) {
			fd = uprobe__attach_perf(e->dispatch_fd, path, offs[i], cookies[i]);
			if (fd >= 0)
				fd = links__add(&e->links, fd, 0);
		}
	}
	free(offs);
	return fd;
}

int executable__attach(struct executable *e, const struct kernel *kernel, int pid, struct why *why)
{
	bool shared = e->all_processes || !by_pid(kernel);
	char path[64];
	int err;

	if (!e->all_processes) {
		err = kernel__add_target(kernel, pid);
		if (err)
			return err;
	}
	if (shared && e->links.cnt)
		return 0;
	/* the very file that was read: the process may have exec'ed another one */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", resolve__fd(e->resolve));
	err = link_sites(e, kernel, path, shared ? 0 : pid);
	if (!err)
		return 0;
	snprintf(why->text, sizeof(why->text), "failed to attach %zu probes: %s",
		 plan__site_cnt(e->plan), strerror(-err));
	if (shared) /* some may be */
		executable__detach_all(e);
	if (!e->all_processes)
		kernel__remove_target(kernel, pid);
	return err;
}

void executable__detach(struct executable *e, int pid)
{
	links__close_of(&e->links, pid);
}

void executable__detach_all(struct executable *e)
{
	links__close_all(&e->links);
}

void executable__forget_object(struct executable *e)
{
	if (e->bpf)
		gospan_bpf__destroy(e->bpf);
	e->bpf = NULL;
}

void executable__free(struct executable *e)
{
	if (!e)
		return;
	links__free(&e->links);
	executable__forget_object(e);
	if (e->dispatch_fd >= 0)
		close(e->dispatch_fd);
	if (e->programs_fd >= 0)
		close(e->programs_fd);
	plan__free(e->plan);
	resolve__free(e->resolve);
	free(e->path);
	free(e);
}
