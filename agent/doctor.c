/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor: runs all checks, then prints them. A check that is not ok says what is lost, not that
 * tracing is impossible: that is one verdict over all, the same as trace's own
 * (features__can_trace).
 */
#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <jansson.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"
#include "doctor_host.h"
#include "features.h"
#include "hit_cost.h"

enum {
	MAX_CHECKS = 32,
	COST_CALLS = 2000,
	DEFAULT_RING_BYTES = 8 << 20,
};

struct report {
	struct features features;
	char reason[256]; /* why tracing cannot work; empty when it does */
	char advice[FEATURE_CNT][160];
	struct check checks[MAX_CHECKS];
	size_t check_cnt;
};

/* A row a feature: its name, what it is for, what has it (unless it is refused), what serves without. */
static const struct {
	const char *name, *needed_for, *has_it, *without;
} feature_texts[FEATURE_CNT] = {
	[FEATURE_BTF] = {
		"btf", "all tracing: BPF programs adapt to this kernel's structures by it",
		"a kernel with CONFIG_DEBUG_INFO_BTF, and /sys mounted", "",
	},
	[FEATURE_RING_BUFFER] = {
		"ring_buffer", "all tracing: spans come from the kernel through it",
		"kernel 5.8 or newer", "",
	},
	[FEATURE_ATTACH_COOKIE] = {
		"attach_cookie", "all tracing: tells probes apart", "kernel 5.15 or newer", "",
	},
	[FEATURE_UPROBE_MULTI] = {
		"uprobe_multi", "attaching without CAP_SYS_ADMIN and detaching in one step",
		"kernel 6.6 or newer", "; without it perf events are used",
	},
	[FEATURE_UPROBE_MULTI_PID] = {
		"uprobe_multi_pid", "probes that cost other processes of the same file nothing",
		"kernel 6.10 or a newer stable release of 6.6",
		"; without it processes are told apart in BPF",
	},
	[FEATURE_UPROBE_PERF] = {
		"uprobe_perf", "attaching where there is no uprobe_multi",
		"a kernel with CONFIG_UPROBE_EVENTS", "; not needed where uprobe_multi works",
	},
	[FEATURE_WRITE_REGS] = {
		"write_regs", "cheap probes on RET instructions",
		"kernel 7.0 or newer", "; without it such probes are single-stepped",
	},
	[FEATURE_WRITE_USER] = {
		"write_user", "writing trace headers into outgoing requests",
		"a kernel that is not locked down", "",
	},
	[FEATURE_EXEC_TRACEPOINTS] = {
		"exec_tracepoints", "noticing new processes at once",
		"a kernel with CONFIG_TRACEPOINTS", "; without it /proc is read each second",
	},
};

static const char trial_passed[] = "works";

static struct check *add_check(struct report *r)
{
	assert(r->check_cnt < MAX_CHECKS);
	return &r->checks[r->check_cnt++];
}

/* The version decides nothing when trying gave an answer; it does when trying was not allowed. */
static bool is_kernel_new_enough(const struct features *f)
{
	int err = f->err[FEATURE_ATTACH_COOKIE];
	unsigned major = 0, minor = 0;

	if (err != -EPERM && err != -EACCES)
		return !err;
	sscanf(f->release, "%u.%u", &major, &minor);
	return major > 5 || (major == 5 && minor >= 15);
}

static void check_kernel(struct report *r)
{
	struct check *c = add_check(r);
	struct utsname name = { 0 };

	*c = (struct check){
		.name = "kernel",
		.ok = is_kernel_new_enough(&r->features),
		.needed_for = "all tracing",
		.advice = "Linux 5.15 or newer",
	};
	uname(&name);
	snprintf(c->value, sizeof(c->value), "%s %s", r->features.release, name.machine);
}

static const char *describe(enum feature feature, int err)
{
	if (!err)
		return trial_passed;
	if (err == -ENODATA)
		return "not tried";
	if (feature == FEATURE_WRITE_REGS && err == -EACCES)
		return "not in this kernel";
	return strerror(-err);
}

static void check_features(struct report *r)
{
	const char *refused;
	struct check *c;
	int i, err;

	for (i = 0; i < FEATURE_CNT; i++) {
		err = r->features.err[i];
		refused = features__advise_refused(&r->features, i);
		c = add_check(r);
		*c = (struct check){
			.name = feature_texts[i].name,
			.ok = !err,
			.needed_for = feature_texts[i].needed_for,
			.advice = r->advice[i],
		};
		snprintf(r->advice[i], sizeof(r->advice[i]), "%s%s",
			 refused ? refused : feature_texts[i].has_it, feature_texts[i].without);
		if (i == FEATURE_WRITE_USER && err == -EINVAL)
			snprintf(c->value, sizeof(c->value), "refused: %s",
				 features__why_no_writing(&r->features));
		else
			snprintf(c->value, sizeof(c->value), "%s", describe(i, err));
	}
}

/* A missing CAP_SYS_PTRACE is the "processes" check's business: without others it is not missed. */
static void check_capabilities(struct report *r)
{
	static const struct {
		int capability;
		const char *name;
	} wanted[] = {
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN" },
		{ CAP_BPF, "CAP_BPF" },
		{ CAP_PERFMON, "CAP_PERFMON" },
		{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE" },
		{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH" },
	};
	const struct features *f = &r->features;
	struct check *c = add_check(r);
	size_t i, len = 0;

	*c = (struct check){
		.name = "capabilities",
		.ok = features__has_capability(f, CAP_SYS_ADMIN) ||
		      (features__has_capability(f, CAP_BPF) &&
		       features__has_capability(f, CAP_PERFMON)),
		.needed_for = "all tracing: CAP_BPF and CAP_PERFMON; CAP_SYS_ADMIN without uprobe_multi",
		.advice = f->is_root ? "grant CAP_BPF and CAP_PERFMON: root lacks them here" :
				       "run as root, or grant CAP_BPF and CAP_PERFMON",
		.value = "none of those that count",
	};
	for (i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (features__has_capability(f, wanted[i].capability))
			len += snprintf(c->value + len, sizeof(c->value) - len, "%s%s",
					len ? " " : "", wanted[i].name);
}

/* Lockdown is shown so that a refused write_user explains itself; the verdict is write_user's. */
static void check_lockdown(struct report *r)
{
	struct check *c = add_check(r);

	*c = (struct check){
		.name = "lockdown",
		.ok = strcmp(r->features.lockdown, "confidentiality") != 0,
		.needed_for = "reading kernel structures; write_user needs it to be none",
		.advice = "lockdown=integrity or none on the kernel's command line",
	};
	snprintf(c->value, sizeof(c->value), "%s", r->features.lockdown);
}

/* A ring buffer of full size: memory cgroups and, before 5.11, RLIMIT_MEMLOCK may refuse it. */
static void check_ring_memory(struct report *r)
{
	const char *refused = features__advise_refused(&r->features, FEATURE_RING_BUFFER);
	struct check *c = add_check(r);
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	char memlock[32] = "unlimited";
	int fd;

	*c = (struct check){
		.name = "ring_memory",
		.needed_for = "the buffer for spans in the kernel",
		.advice = refused ? refused :
				    "a higher memory limit, or a smaller GOSPAN_RING_BYTES",
	};
	fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "gospan_try", 0, 0, DEFAULT_RING_BYTES, NULL);
	c->ok = fd >= 0;
	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (limit.rlim_cur != RLIM_INFINITY)
		snprintf(memlock, sizeof(memlock), "%llu KiB",
			 (unsigned long long)limit.rlim_cur / 1024);
	snprintf(c->value, sizeof(c->value), "%d MiB: %s (memlock limit %s)",
		 DEFAULT_RING_BYTES >> 20, fd < 0 ? strerror(-fd) : trial_passed, memlock);
	if (fd >= 0)
		close(fd);
}

static void check_hit_cost(struct report *r)
{
	bool multi = features__has(&r->features, FEATURE_UPROBE_MULTI);
	struct check *cost = add_check(r), *detach = add_check(r);
	struct hit_cost measured = { 0 };
	int err;

	*cost = (struct check){
		.name = "hit_cost",
		.needed_for = "knowing what a probe costs the application",
		.advice = "see attach_cookie, uprobe_multi and uprobe_perf",
	};
	*detach = (struct check){
		.name = "detach",
		.needed_for = "ending quickly",
		.advice = "uprobe_multi: a perf event takes about 110 ms a probe",
	};
	err = hit_cost__measure(multi, COST_CALLS, &measured);
	if (err) {
		snprintf(cost->value, sizeof(cost->value), "not measured: %s", strerror(-err));
		snprintf(detach->value, sizeof(detach->value), "not measured: %s", strerror(-err));
		return;
	}
	cost->ok = true;
	snprintf(cost->value, sizeof(cost->value),
		 "%.2f us on an emulated instruction, %.2f us on a stepped one",
		 measured.emulated_ns / 1e3, measured.stepped_ns / 1e3);
	detach->ok = multi;
	snprintf(detach->value, sizeof(detach->value), "%.0f ms for %s", measured.detach_ms,
		 multi ? "all probes of a process" : "two probes by perf events");
}

static void examine(struct report *r)
{
	memset(r, 0, sizeof(*r));
	features__probe_all(&r->features);
	features__explain(&r->features, r->reason, sizeof(r->reason));
	check_kernel(r);
	check_capabilities(r);
	check_features(r);
	check_ring_memory(r);
	check_hit_cost(r);
	check_lockdown(r);
	check_user_namespace(add_check(r));
	check_seccomp(add_check(r));
	check_pid_namespace(add_check(r));
	check_proc(add_check(r));
	check_processes(add_check(r));
	check_cgroup(add_check(r));
	check_container(add_check(r));
}

static void print_table(const struct report *r, FILE *out)
{
	const struct check *c;

	for (c = r->checks; c < r->checks + r->check_cnt; c++) {
		fprintf(out, "  %-3s %-17s %s\n", c->ok ? "ok" : "no", c->name, c->value);
		if (!c->ok)
			fprintf(out, "      %-17s for %s\n      %-17s -> %s\n", "", c->needed_for, "",
				c->advice);
	}
	if (*r->reason)
		fprintf(out, "\ntracing does not work here: %s\n", r->reason);
	else
		fprintf(out, "\ntracing works here\n");
}

static int print_json(const struct report *r, FILE *out)
{
	json_t *checks = json_array();
	const struct check *c;
	json_t *object;
	int err;

	for (c = r->checks; c < r->checks + r->check_cnt; c++)
		json_array_append_new(checks, json_pack("{s:s, s:b, s:s, s:s, s:s}", "name", c->name,
							"ok", c->ok, "value", c->value,
							"needed_for", c->needed_for,
							"advice", c->ok ? "" : c->advice));
	object = json_pack("{s:b, s:s, s:o}", "works", !*r->reason, "reason", r->reason, "checks",
			   checks);
	err = object ? json_dumpf(object, out, JSON_INDENT(2)) : -ENOMEM;
	fputc('\n', out);
	json_decref(object);
	return err;
}

int doctor__run(bool json, FILE *out)
{
	struct report report;
	int err = 0;

	examine(&report);
	if (json)
		err = print_json(&report, out);
	else
		print_table(&report, out);
	return err || *report.reason ? 1 : 0;
}
