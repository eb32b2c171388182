// SPDX-License-Identifier: Apache-2.0
/* kernel: see kernel.h. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gospan.skel.h"
#include "kernel.h"
#include "log.h"

struct kernel {
	const struct config *config;
	const struct features *features;
	struct gospan_bpf *bpf;
	struct declarations *declarations;
	uint32_t pid_level;
	uint64_t pid_namespace;
	bool tells_processes;
};

/*
 * libbpf's own messages at our level debug, a verifier's log line by line; not its own debugging, some
 * 9,000 lines in which ours would drown.
 */
static int print_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	char *text, *rest, *line;

	if (level == LIBBPF_DEBUG || log__level() < LOG_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (*line)
			log_debug("libbpf: %s", line);
	free(text);
	return 0;
}

/* No program of this kind is loaded in an instance unless it is asked for. */
static void load_none(struct gospan_bpf *bpf)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, bpf->obj)
		bpf_program__set_autoload(prog, false);
}

static struct gospan_bpf *open_bpf(void)
{
	struct gospan_bpf *bpf = gospan_bpf__open();

	if (bpf)
		load_none(bpf);
	return bpf;
}

static void set_sizes(struct gospan_bpf *bpf, uint32_t ring_bytes, uint32_t max_in_flight)
{
	bpf_map__set_max_entries(bpf->maps.events, ring_bytes);
	bpf_map__set_max_entries(bpf->maps.in_flight, max_in_flight);
	bpf_map__set_max_entries(bpf->maps.goroutines, max_in_flight);
	/* what is listed twice, streams and spans by hand, may take half the room, and leaves the rest */
	bpf_map__set_max_entries(bpf->maps.objects, max_in_flight);
}

/*
 * A program run in our own context reads our pid namespace: pids that BPF sees are of the initial one,
 * ours may be nested (a sidecar's).
 */
static int find_pid_namespace(struct kernel *k, struct gospan_bpf *bpf)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int err = bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.agent_position), &opts);

	if (err)
		return log_err(err, "kernel: failed to find our pid namespace");
	k->pid_level = bpf->bss->found_pid_level;
	k->pid_namespace = bpf->bss->found_pid_namespace;
	return 0;
}

static void follow_processes(struct kernel *k, struct gospan_bpf *bpf)
{
	bpf->links.process_exec = bpf_program__attach(bpf->progs.process_exec);
	bpf->links.process_exit = bpf_program__attach(bpf->progs.process_exit);
	k->tells_processes = bpf->links.process_exec && bpf->links.process_exit;
}

static int load_shared(struct kernel *k, bool with_tracepoints)
{
	struct gospan_bpf *bpf = open_bpf();
	int err;

	if (!bpf)
		return -errno;
	set_sizes(bpf, k->config->ring_bytes, k->config->max_in_flight);
	/*
	 * 4,096 spans under way are 14 MB, nearly all of which is never used. Hash maps that are not
	 * preallocated have an allocator made for probes (bpf_mem_alloc) since 6.1, commit
	 * fba1a1c6c912; uprobe_multi is later, so where that is, this is as well.
	 */
	if (features__has(k->features, FEATURE_UPROBE_MULTI))
		bpf_map__set_map_flags(bpf->maps.in_flight, BPF_F_NO_PREALLOC);
	bpf_program__set_autoload(bpf->progs.process_exec, with_tracepoints);
	bpf_program__set_autoload(bpf->progs.process_exit, with_tracepoints);
	bpf_program__set_autoload(bpf->progs.agent_position, true);
	err = gospan_bpf__load(bpf);
	if (err)
		log_err(err, "kernel: failed to create the BPF maps");
	else
		err = find_pid_namespace(k, bpf);
	if (err) {
		gospan_bpf__destroy(bpf);
		return err;
	}
	if (with_tracepoints)
		follow_processes(k, bpf);
	k->bpf = bpf;
	return 0;
}

int kernel__new(const struct config *config, const struct features *features, struct kernel **out)
{
	struct kernel *k = calloc(1, sizeof(*k));
	struct failure_counts none = {};
	uint32_t nobody = 0;
	int err;

	if (!k)
		return -ENOMEM;
	libbpf_set_print(print_libbpf);
	k->config = config;
	k->features = features;
	err = load_shared(k, features__has(features, FEATURE_EXEC_TRACEPOINTS));
	if (err)
		goto cleanup;
	if (!k->tells_processes)
		log_info("kernel: no exec tracepoint here; looking through /proc each second instead");
	err = declarations__read(k->bpf->obj, &k->declarations);
	if (err)
		goto cleanup;
	/* a row for what cannot be told apart must always be there */
	err = bpf_map_update_elem(bpf_map__fd(k->bpf->maps.failures), &nobody, &none, BPF_ANY);
	if (err)
		goto cleanup;
	*out = k;
	return 0;
cleanup:
	kernel__free(k);
	return err;
}

void kernel__free(struct kernel *k)
{
	if (!k)
		return;
	declarations__free(k->declarations);
	if (k->bpf)
		gospan_bpf__destroy(k->bpf);
	free(k);
}

const struct declarations *kernel__declarations(const struct kernel *k)
{
	return k->declarations;
}

const struct config *kernel__config(const struct kernel *k)
{
	return k->config;
}

const struct features *kernel__features(const struct kernel *k)
{
	return k->features;
}

static void set_sampler(const struct config *config, struct gospan_bpf *bpf)
{
	const uint64_t always = 1ULL << 63;

	bpf->rodata->sampler_parent_based = config->sampler_parent_based;
	if (config->sampler == SAMPLER_ALWAYS_ON)
		bpf->rodata->sampler_threshold = always;
	else if (config->sampler == SAMPLER_ALWAYS_OFF)
		bpf->rodata->sampler_threshold = 0;
	else
		bpf->rodata->sampler_threshold = config->sampler_ratio * always;
}

/* As many and as long as fit: config has seen to that. */
static void set_excluded_paths(const struct config *config, struct gospan_bpf *bpf)
{
	size_t cnt = config->exclude_paths.cnt;

	for (size_t i = 0; i < cnt; i++)
		memcpy((char *)bpf->bss->exclude_globs[i], config->exclude_paths.at[i],
		       strlen(config->exclude_paths.at[i]) + 1);
	bpf->rodata->exclude_cnt = cnt;
}

/* A map of an instance's own: its read-only data and variables, and what its dispatcher jumps to. */
static bool is_own(const struct bpf_map *map)
{
	return bpf_map__is_internal(map) || bpf_map__type(map) == BPF_MAP_TYPE_PROG_ARRAY;
}

static int share_maps(const struct kernel *k, struct gospan_bpf *bpf)
{
	struct bpf_map *map;
	int err;

	bpf_object__for_each_map(map, bpf->obj) {
		if (is_own(map))
			continue;
		err = bpf_map__reuse_fd(map, bpf_object__find_map_fd_by_name(k->bpf->obj,
									     bpf_map__name(map)));
		if (err)
			return err;
	}
	return 0;
}

int kernel__open_instance(const struct kernel *k, struct gospan_bpf **out)
{
	struct gospan_bpf *bpf = open_bpf();
	int err;

	if (!bpf)
		return -errno;
	err = share_maps(k, bpf);
	if (err) {
		gospan_bpf__destroy(bpf);
		return err;
	}
	bpf->rodata->agent_pid_level = k->pid_level;
	bpf->rodata->agent_pid_namespace = k->pid_namespace;
	bpf->rodata->ring_wakeup_bytes = k->config->ring_bytes / 8;
	bpf->rodata->propagate_trace_context = k->config->propagate_trace_context;
	bpf->rodata->join_calls = k->config->propagate_trace_context;
	bpf->rodata->capture_body_size = k->config->http_body_size;
	bpf->rodata->may_write_registers = features__has(k->features, FEATURE_WRITE_REGS);
	set_sampler(k->config, bpf);
	set_excluded_paths(k->config, bpf);
	*out = bpf;
	return 0;
}

int kernel__events_fd(const struct kernel *k)
{
	return bpf_map__fd(k->bpf->maps.events);
}

int kernel__process_events_fd(const struct kernel *k)
{
	return bpf_map__fd(k->bpf->maps.process_events);
}

bool kernel__tells_processes(const struct kernel *k)
{
	return k->tells_processes;
}

int kernel__add_target(const struct kernel *k, int pid)
{
	uint32_t key = pid;
	uint8_t yes = 1;

	return bpf_map_update_elem(bpf_map__fd(k->bpf->maps.targets), &key, &yes, BPF_ANY);
}

void kernel__remove_target(const struct kernel *k, int pid)
{
	uint32_t key = pid;

	bpf_map_delete_elem(bpf_map__fd(k->bpf->maps.targets), &key);
}

void kernel__failures(const struct kernel *k, int pid, struct failure_counts *out)
{
	uint32_t key = pid;

	if (bpf_map_lookup_elem(bpf_map__fd(k->bpf->maps.failures), &key, out))
		memset(out, 0, sizeof(*out));
}

/* Takes a span under way, its goroutine and its objects out of the maps. */
static void remove_span(const struct kernel *k, uint64_t id, const struct in_flight_owner *owner)
{
	struct goroutine_key key = {.process = owner->process, .goid = owner->goid};
	struct object_key object = {.process = owner->process};

	for (size_t i = 0; i < sizeof(owner->listed) / sizeof(owner->listed[0]); i++) {
		object.object = owner->listed[i];
		if (object.object)
			bpf_map_delete_elem(bpf_map__fd(k->bpf->maps.objects), &object);
	}
	bpf_map_delete_elem(bpf_map__fd(k->bpf->maps.in_flight), &id);
	bpf_map_delete_elem(bpf_map__fd(k->bpf->maps.goroutines), &key);
}

/* PID -1: every process, EXCEPT: but that (as in keys; 0: none). */
static size_t forget(const struct kernel *k, int pid, uint32_t except)
{
	int fd = bpf_map__fd(k->bpf->maps.in_flight);
	struct in_flight_owner *value = malloc(bpf_map__value_size(k->bpf->maps.in_flight));
	uint64_t id, next;
	size_t cnt = 0;
	bool more = value && !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		id = next;
		/* before the deletion: after it the walk would begin anew */
		more = !bpf_map_get_next_key(fd, &id, &next);
		if (bpf_map_lookup_elem(fd, &id, value) || (pid >= 0 && (int)value->pid != pid) ||
		    (except && value->process == except))
			continue;
		cnt += !value->silent;
		remove_span(k, id, value);
	}
	free(value);
	return cnt;
}

size_t kernel__forget(const struct kernel *k, int pid, uint32_t execed_to)
{
	uint32_t key = pid;
	size_t cnt = forget(k, pid, execed_to);

	bpf_map_delete_elem(bpf_map__fd(k->bpf->maps.failures), &key);
	bpf_map_delete_elem(bpf_map__fd(k->bpf->maps.sdk_users), &key);
	return cnt;
}

size_t kernel__forget_all(const struct kernel *k)
{
	return forget(k, -1, 0);
}
