/* SPDX-License-Identifier: Apache-2.0 */
/* hit_cost: times calls of probed functions against the same calls without probes. */
#include <bpf/bpf.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "hit_cost.h"
#include "insn.h"
#include "probe_point.h"
#include "uprobe.h"

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e9 + now.tv_nsec;
}

/*
 * Time of one call, ns: the best of several rounds, as a single one may be interrupted. The
 * functions are assembly in another file, so the compiler cannot leave calls out.
 */
static double time_call(uint64_t (*function)(uint64_t), unsigned cnt)
{
	enum { ROUNDS = 8 };
	double start, best = 0;
	unsigned i, round;

	for (round = 0; round < ROUNDS; round++) {
		start = now_ns();
		for (i = 0; i < cnt / ROUNDS; i++)
			function(i);
		start = (now_ns() - start) / (cnt / ROUNDS);
		if (!round || start < best)
			best = start;
	}
	return best;
}

static int load_empty_program(bool multi)
{
	const struct bpf_insn insns[] = { INSN_SET(BPF_REG_0, 0), INSN_EXIT };
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = multi ? UPROBE_MULTI_ATTACH_TYPE : 0);

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "gospan_cost", "GPL", insns, 2, &opts);
}

static int attach(bool multi, int prog_fd, const uint64_t offsets[static 2], int links[static 2])
{
	if (multi) {
		links[0] = uprobe__attach_multi(prog_fd, "/proc/self/exe", getpid(), offsets, NULL,
						2);
		return links[0] < 0 ? links[0] : 0;
	}
	links[0] = uprobe__attach_perf(prog_fd, "/proc/self/exe", offsets[0], 0);
	if (links[0] < 0)
		return links[0];
	links[1] = uprobe__attach_perf(prog_fd, "/proc/self/exe", offsets[1], 0);
	return links[1] < 0 ? links[1] : 0;
}

int hit_cost__measure(bool multi, unsigned cnt, struct hit_cost *out)
{
	int err, prog_fd = -1, links[2] = { -1, -1 };
	double emulated_ns, stepped_ns, detach_ns;
	uint64_t offsets[2];

	err = probe_point__offset(probe_point_emulated, &offsets[0]);
	if (!err)
		err = probe_point__offset(probe_point_stepped, &offsets[1]);
	if (err)
		return err;
	prog_fd = load_empty_program(multi);
	if (prog_fd < 0)
		return prog_fd;

	emulated_ns = -time_call(probe_point_emulated, cnt);
	stepped_ns = -time_call(probe_point_stepped, cnt);
	err = attach(multi, prog_fd, offsets, links);
	if (err)
		goto cleanup;
	emulated_ns += time_call(probe_point_emulated, cnt);
	stepped_ns += time_call(probe_point_stepped, cnt);
cleanup:
	detach_ns = -now_ns();
	uprobe__close_all(links, 2);
	detach_ns += now_ns();
	close(prog_fd);
	if (!err)
		*out = (struct hit_cost){ emulated_ns, stepped_ns, detach_ns / 1e6 };
	return err;
}
