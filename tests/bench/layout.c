// SPDX-License-Identifier: Apache-2.0
/*
 * layout WAY PID OBJECT: traces a server with gospan's own programs, put where WAY says, to compare
 * places and nothing else:
 *
 *   full  as OBI and gospan's prototype of other tools: first bytes and RETs of the server's
 *         function, of the reader of header lines and of the maker of goroutines
 *   lean  as opentelemetry-go-instrumentation: of header lines only the RETs, no goroutines
 *   own   gospan's own sites, but each program attached by itself, so that the kernel's statistics
 *         tell them apart (the agent attaches one dispatcher)
 *
 * OBJECT is layout.bpf.o. Events are taken from the ring and thrown away. Prints a JSON line when
 * attached, ends when stdin closes.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../agent/executable.h"
#include "../../agent/uprobe.h"
#include "gospan.skel.h"

enum { LINKS_MAX = 128, LOOK_MS = 50 };

struct layout {
	const char *path; /* /proc/PID/exe */
	struct executable *executable;
	struct bpf_object *extra;
	int links[LINKS_MAX];
	size_t link_cnt, site_cnt;
};

static const char *name_at(void *ctx, uint64_t addr)
{
	struct function_fact f;
	const char *name = resolve__function_at(ctx, addr, &f);

	return name && f.addr == addr ? name : NULL;
}

static int attach_at(struct layout *l, const struct bpf_program *prog, const uint64_t *addrs,
		     size_t cnt)
{
	uint64_t offs[PLAN_SITES_MAX];
	int fd;

	if (!prog || l->link_cnt == LINKS_MAX)
		return -ENOENT;
	for (size_t i = 0; i < cnt; i++)
		if (resolve__file_off(l->executable->resolve, addrs[i], &offs[i]))
			return -EFAULT;
	/* the cookie's low bits are the site's address, as the programs expect */
	fd = uprobe__attach_multi(bpf_program__fd(prog), l->path, 0, offs, addrs, cnt);
	if (fd < 0)
		return fd;
	l->links[l->link_cnt++] = fd;
	l->site_cnt += cnt;
	return 0;
}

/* ENTRY at the first byte of FUNCTION, RETURN at its RETs; either may be NULL. */
static int attach_function(struct layout *l, const char *function, const struct bpf_program *entry,
			   const struct bpf_program *ret)
{
	const struct resolve *r = l->executable->resolve;
	struct sites_code code = {
		.arch = resolve__info(r)->arch, .function_at = name_at, .ctx = (void *)r};
	struct site sites[PLAN_SITES_MAX];
	uint64_t addrs[PLAN_SITES_MAX];
	struct function_fact f;
	struct why why = {""};
	int cnt, err = resolve__function(r, function, &f);

	if (!err && entry)
		err = attach_at(l, entry, &f.addr, 1);
	if (err || !ret)
		return err;
	code.bytes = resolve__bytes(r, f.addr, f.size);
	code.addr = f.addr;
	code.size = f.size;
	cnt = sites__find(&code, SITE_RETURN, NULL, 0, sites, PLAN_SITES_MAX, &why);
	if (cnt <= 0)
		return cnt ? cnt : -ENOENT;
	for (int i = 0; i < cnt; i++)
		addrs[i] = sites[i].addr;
	return attach_at(l, ret, addrs, cnt);
}

static int load_extra(struct layout *l, const char *object)
{
	struct bpf_program *prog;
	struct field_fact goid;
	struct bpf_map *map;
	struct why why = {""};
	uint16_t *rodata;
	size_t size;

	if (resolve__field(l->executable->resolve, "runtime.g.goid", &goid, &why))
		return -ENOENT;
	l->extra = bpf_object__open(object);
	if (!l->extra)
		return -errno;
	bpf_object__for_each_program(prog, l->extra)
		bpf_program__set_expected_attach_type(
			prog, (enum bpf_attach_type)UPROBE_MULTI_ATTACH_TYPE);
	bpf_object__for_each_map(map, l->extra)
		if (strstr(bpf_map__name(map), ".rodata")) {
			rodata = (uint16_t *)bpf_map__initial_value(map, &size);
			*rodata = goid.offset; /* goid_offset is all there is */
		}
	return bpf_object__load(l->extra);
}

static int attach_as_others(struct layout *l, const char *object, bool lean)
{
	const struct bpf_object *own = l->executable->bpf->obj;
	int err = load_extra(l, object);

#define OWN(name) bpf_object__find_program_by_name(own, name)
#define EXTRA(name) bpf_object__find_program_by_name(l->extra, name)
	if (!err)
		err = attach_function(l, "net/http.serverHandler.ServeHTTP", OWN("serve_entry"),
				      OWN("serve_exit"));
	if (!err)
		err = attach_function(l, "net/textproto.(*Reader).readContinuedLineSlice",
				      lean ? NULL : EXTRA("line_entry"), EXTRA("line_return"));
	if (!err && !lean)
		err = attach_function(l, "runtime.newproc1", EXTRA("goroutine_entry"),
				      EXTRA("goroutine_return"));
#undef OWN
#undef EXTRA
	return err;
}

static int attach_own(struct layout *l)
{
	const struct plan *plan = l->executable->plan;

	for (size_t i = 0; i < plan->probe_cnt; i++) {
		const struct planned_probe *p = &plan->probes[i];
		uint64_t addrs[PLAN_SITES_MAX];
		int err;

		if (!p->on)
			continue;
		for (size_t s = 0; s < p->site_cnt; s++)
			addrs[s] = p->sites[s].addr;
		err = attach_at(l, bpf_object__find_program_by_name(l->executable->bpf->obj,
								    p->declared->program),
				addrs, p->site_cnt);
		if (err)
			return err;
	}
	return 0;
}

static int ignore(void *ctx, void *data, size_t size)
{
	return 0;
}

/* Takes the events until stdin closes. */
static int drain(const struct kernel *kernel)
{
	struct ring_buffer *ring = ring_buffer__new(kernel__events_fd(kernel), ignore, NULL, NULL);
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};

	if (!ring)
		return -errno;
	while (!poll(&input, 1, LOOK_MS))
		ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return 0;
}

static int run(const struct config *config, const char *way, int pid, const char *object)
{
	struct layout l = {};
	struct process process = {};
	struct features features;
	struct kernel *kernel = NULL;
	struct why why = {""};
	char path[64];
	int err;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	l.path = path;
	features__probe(&features);
	err = kernel__new(config, &features, &kernel);
	if (!err)
		err = process__read(pid, &process);
	if (!err)
		err = executable__new(kernel, &process, true, &l.executable, &why);
	if (!err)
		err = strcmp(way, "own") ? attach_as_others(&l, object, !strcmp(way, "lean"))
					 : attach_own(&l);
	if (!err) {
		printf("{\"sites\": %zu}\n", l.site_cnt);
		fflush(stdout);
		err = drain(kernel);
	} else {
		fprintf(stderr, "layout: %s: %s\n", strerror(-err), why.text);
	}
	uprobe__close_all(l.links, l.link_cnt);
	bpf_object__close(l.extra);
	executable__free(l.executable);
	kernel__free(kernel);
	process__clear(&process);
	return err;
}

int main(int argc, char **argv)
{
	char *settings[] = {"gospan", "trace", "--pid", "1", NULL};
	struct config *config;
	int status, err;

	if (argc != 4) {
		fprintf(stderr, "usage: layout full|lean|own PID OBJECT\n");
		return 2;
	}
	if (config__parse(4, settings, &config, &status))
		return status;
	err = run(config, argv[1], atoi(argv[2]), argv[3]);
	config__free(config);
	return err ? 1 : 0;
}
