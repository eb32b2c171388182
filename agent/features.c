/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: one trial loads and attaches everything, hits the probes once from a second thread,
 * looks at what came of it, and closes all links together (closing is what takes time: tens of
 * milliseconds, however many they are).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "features.h"
#include "insn.h"
#include "probe_point.h"
#include "uprobe.h"

/* Helpers by number, as <linux/bpf.h> may be older than the running kernel. */
enum {
	HELPER_MAP_LOOKUP_ELEM = 1,
	HELPER_PROBE_WRITE_USER = 36,
	HELPER_GET_ATTACH_COOKIE = 174,
};

#if defined(__x86_64__)
enum {
	IP_OFF = offsetof(struct user_regs_struct, rip),
	RESULT_OFF = offsetof(struct user_regs_struct, rax),
};
#elif defined(__aarch64__)
enum {
	IP_OFF = offsetof(struct user_regs_struct, pc),
	RESULT_OFF = offsetof(struct user_regs_struct, regs),
};
#endif

/* Cookies, which are also the indices in the map of hits. */
enum hit { HIT_NONE, HIT_MULTI, HIT_PERF, HIT_CNT };

/* What the program puts in the place of probe_point_stepped()'s result. */
enum { WRITTEN_RESULT = 4242 };

enum { MAX_LINKS = 8 };

struct trial {
	struct features *out;
	int hits_fd;
	int counter_fd; /* the counting program for perf events */
	uint64_t emulated_off;
	uint64_t stepped_off;
	int links[MAX_LINKS];
	size_t link_cnt;
	uint64_t stepped_result;
};

static const char own_exe[] = "/proc/self/exe";

/* Keeps LINK_FD to be closed at the end; returns 0 or the error that it is. */
static int keep_link(struct trial *t, int link_fd)
{
	if (link_fd < 0)
		return link_fd;
	t->links[t->link_cnt++] = link_fd;
	return 0;
}

static int load(enum bpf_prog_type type, int attach_type, const struct bpf_insn *insns, size_t cnt)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = attach_type);

	return bpf_prog_load(type, "gospan_try", "GPL", insns, cnt, &opts);
}

/* hits[bpf_get_attach_cookie()] += 1. Added in: commit 7adfc6c9b315, 5.15. */
static int load_counter(const struct trial *t, int attach_type)
{
	const struct bpf_insn insns[] = {
		INSN_CALL(HELPER_GET_ATTACH_COOKIE),
		INSN_STORE_32(BPF_REG_10, -4, BPF_REG_0),
		INSN_MAP(BPF_REG_1, t->hits_fd),
		INSN_MOVE(BPF_REG_2, BPF_REG_10),
		INSN_ADD(BPF_REG_2, -4),
		INSN_CALL(HELPER_MAP_LOOKUP_ELEM),
		INSN_SKIP_IF_ZERO(BPF_REG_0, 2),
		INSN_SET(BPF_REG_1, 1),
		INSN_ATOMIC_ADD(BPF_REG_0, 0, BPF_REG_1),
		INSN_SET(BPF_REG_0, 0),
		INSN_EXIT,
	};

	if (t->hits_fd < 0)
		return t->hits_fd;
	return load(BPF_PROG_TYPE_KPROBE, attach_type, insns, sizeof(insns) / sizeof(*insns));
}

/*
 * Does the probed instruction's work with another result and skips it.
 * Added in: commit 7384893d970e ("bpf: Allow uprobe program to change context registers"), 7.0.
 */
static int load_register_writer(void)
{
	const struct bpf_insn insns[] = {
		INSN_SET(BPF_REG_2, WRITTEN_RESULT),
		INSN_STORE(BPF_REG_1, RESULT_OFF, BPF_REG_2),
		INSN_LOAD(BPF_REG_2, BPF_REG_1, IP_OFF),
		INSN_ADD(BPF_REG_2, PROBE_POINT_STEPPED_SIZE),
		INSN_STORE(BPF_REG_1, IP_OFF, BPF_REG_2),
		INSN_SET(BPF_REG_0, 0),
		INSN_EXIT,
	};

	return load(BPF_PROG_TYPE_KPROBE, UPROBE_MULTI_ATTACH_TYPE, insns,
		    sizeof(insns) / sizeof(*insns));
}

/* Refused under lockdown since commit 51e1bb9eeaf7, 5.15. It is only loaded, never run. */
static int load_user_writer(void)
{
	const struct bpf_insn insns[] = {
		INSN_SET(BPF_REG_1, 0),
		INSN_STORE(BPF_REG_10, -8, BPF_REG_1),
		INSN_MOVE(BPF_REG_2, BPF_REG_10),
		INSN_ADD(BPF_REG_2, -8),
		INSN_SET(BPF_REG_3, 8),
		INSN_CALL(HELPER_PROBE_WRITE_USER),
		INSN_SET(BPF_REG_0, 0),
		INSN_EXIT,
	};

	return load(BPF_PROG_TYPE_KPROBE, 0, insns, sizeof(insns) / sizeof(*insns));
}

static int load_empty(enum bpf_prog_type type, int attach_type)
{
	const struct bpf_insn insns[] = { INSN_SET(BPF_REG_0, 0), INSN_EXIT };

	return load(type, attach_type, insns, sizeof(insns) / sizeof(*insns));
}

/* Closes FD and returns 0, or the error that it is. */
static int close_or_err(int fd)
{
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int try_btf(void)
{
	int fd = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);

	return close_or_err(fd < 0 ? -errno : fd);
}

/* Added in: commit 457f44363a88, 5.8. */
static int try_ring_buffer(void)
{
	return close_or_err(
		bpf_map_create(BPF_MAP_TYPE_RINGBUF, "gospan_try", 0, 0, getpagesize(), NULL));
}

static int try_uprobe_multi(struct trial *t)
{
	const uint64_t cookie = HIT_MULTI;
	int err, fd;

	fd = load_counter(t, UPROBE_MULTI_ATTACH_TYPE);
	if (fd < 0)
		return fd;
	err = keep_link(t, uprobe__attach_multi(fd, own_exe, getpid(), &t->emulated_off, &cookie, 1));
	close(fd);
	return err;
}

static int try_uprobe_perf(struct trial *t)
{
	return keep_link(t, uprobe__attach_perf(t->counter_fd, own_exe, t->emulated_off, HIT_PERF));
}

static int try_write_regs(struct trial *t)
{
	int err, fd;

	fd = load_register_writer();
	if (fd < 0)
		return fd;
	err = keep_link(t, uprobe__attach_multi(fd, own_exe, getpid(), &t->stepped_off, NULL, 1));
	close(fd);
	return err;
}

static int try_exec_tracepoints(struct trial *t)
{
	int err, fd;

	fd = load_empty(BPF_PROG_TYPE_RAW_TRACEPOINT, 0);
	if (fd < 0)
		return fd;
	err = keep_link(t, bpf_raw_tracepoint_open("sched_process_exec", fd));
	if (!err)
		err = keep_link(t, bpf_raw_tracepoint_open("sched_process_exit", fd));
	close(fd);
	return err;
}

static void *hit_probes(void *arg)
{
	struct trial *t = arg;

	probe_point_emulated(0);
	t->stepped_result = probe_point_stepped(0);
	return NULL;
}

/*
 * Hits from a thread that is not the process's first: early uprobe_multi compared the thread, and
 * so would see nothing. Fixed in: commit 46ba0e49b642, 6.10 and its stable backports.
 */
static int hit_from_thread(struct trial *t)
{
	pthread_t thread;
	int err;

	err = pthread_create(&thread, NULL, hit_probes, t);
	if (err)
		return -err;
	return -pthread_join(thread, NULL);
}

static int check_hit(const struct trial *t, uint32_t index)
{
	uint64_t hits = 0;
	int err;

	err = bpf_map_lookup_elem(t->hits_fd, &index, &hits);
	if (err)
		return err;
	return hits ? 0 : -EIO; /* more: another gospan tries at the same time */
}

/* Attached is not working: look whether the hits arrived. */
static void check_results(struct trial *t)
{
	int *err = t->out->err;

	if (!err[FEATURE_UPROBE_MULTI])
		err[FEATURE_UPROBE_MULTI_PID] = check_hit(t, HIT_MULTI);
	if (!err[FEATURE_UPROBE_PERF])
		err[FEATURE_UPROBE_PERF] = check_hit(t, HIT_PERF);
	if (!err[FEATURE_WRITE_REGS] && t->stepped_result != WRITTEN_RESULT)
		err[FEATURE_WRITE_REGS] = -EIO;
}

static void try_programs(struct trial *t, bool all)
{
	int *err = t->out->err;

	t->counter_fd = load_counter(t, 0);
	err[FEATURE_ATTACH_COOKIE] = t->counter_fd < 0 ? t->counter_fd : 0;
	err[FEATURE_UPROBE_MULTI] = try_uprobe_multi(t);
	if (!err[FEATURE_UPROBE_MULTI])
		err[FEATURE_WRITE_REGS] = try_write_regs(t);
	else
		err[FEATURE_WRITE_REGS] = err[FEATURE_UPROBE_MULTI_PID] = err[FEATURE_UPROBE_MULTI];
	if (err[FEATURE_ATTACH_COOKIE])
		err[FEATURE_UPROBE_PERF] = err[FEATURE_ATTACH_COOKIE];
	else if (all || err[FEATURE_UPROBE_MULTI])
		err[FEATURE_UPROBE_PERF] = try_uprobe_perf(t);
	err[FEATURE_EXEC_TRACEPOINTS] = try_exec_tracepoints(t);
	if (all)
		err[FEATURE_WRITE_USER] = features__try_write();
}

/* The mode in brackets of "none [integrity] confidentiality"; often securityfs is not mounted. */
static void read_lockdown(char lockdown[static 16])
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");

	snprintf(lockdown, 16, "unknown");
	if (!file)
		return;
	if (fscanf(file, "%*[^[][%15[a-z]", lockdown) != 1) {
		rewind(file);
		if (fscanf(file, "[%15[a-z]", lockdown) != 1)
			snprintf(lockdown, 16, "unknown");
	}
	fclose(file);
}

static uint64_t read_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &header, data))
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

static void read_facts(struct features *out)
{
	struct utsname name;

	if (!uname(&name))
		snprintf(out->release, sizeof(out->release), "%s", name.release);
	read_lockdown(out->lockdown);
	out->capabilities = read_capabilities();
	out->is_root = geteuid() == 0;
}

static void probe(bool all, struct features *out)
{
	struct trial t = { .out = out, .hits_fd = -1, .counter_fd = -1 };
	int err, i;

	memset(out, 0, sizeof(*out));
	for (i = 0; i < FEATURE_CNT; i++)
		out->err[i] = -ENODATA;
	read_facts(out);
	out->err[FEATURE_BTF] = try_btf();
	out->err[FEATURE_RING_BUFFER] = try_ring_buffer();

	err = probe_point__offset(probe_point_emulated, &t.emulated_off);
	if (!err)
		err = probe_point__offset(probe_point_stepped, &t.stepped_off);
	if (err) {
		out->err[FEATURE_UPROBE_MULTI] = out->err[FEATURE_UPROBE_PERF] = err;
		return;
	}
	t.hits_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "gospan_hits", sizeof(uint32_t),
				   sizeof(uint64_t), HIT_CNT, NULL);
	try_programs(&t, all);
	if (!hit_from_thread(&t))
		check_results(&t);
	uprobe__close_all(t.links, t.link_cnt);
	close_or_err(t.counter_fd);
	close_or_err(t.hits_fd);
}

int features__try_write(void)
{
	return close_or_err(load_user_writer());
}

void features__probe(struct features *out)
{
	probe(false, out);
}

void features__probe_all(struct features *out)
{
	probe(true, out);
}

bool features__can_trace(const struct features *f)
{
	return features__has(f, FEATURE_BTF) && features__has(f, FEATURE_RING_BUFFER) &&
	       features__has(f, FEATURE_ATTACH_COOKIE) &&
	       (features__has(f, FEATURE_UPROBE_MULTI) || features__has(f, FEATURE_UPROBE_PERF));
}

/* Without the capability, and under lockdown, the helper is unknown to the verifier. */
const char *features__why_no_writing(const struct features *f)
{
	return features__has_capability(f, CAP_SYS_ADMIN) ? "this kernel is locked down" :
							    "missing CAP_SYS_ADMIN";
}

static bool is_refused(int err)
{
	return err == -EPERM || err == -EACCES;
}

/* To be root is not enough where capabilities were taken from it. */
static const char *or_root(const struct features *f)
{
	return f->is_root ? ", which root lacks here" : " (or root)";
}

enum { MISSING_BPF = 1, MISSING_PERFMON = 2, MISSING_ADMIN = 4 };

/* Of what FEATURE needs, as MISSING_ bits. CAP_SYS_ADMIN has the other two in it. */
static unsigned missing_for(const struct features *f, enum feature feature)
{
	unsigned missing = 0;

	if (features__has_capability(f, CAP_SYS_ADMIN))
		return 0;
	if (feature == FEATURE_UPROBE_PERF || feature == FEATURE_WRITE_USER)
		return MISSING_ADMIN;
	if (!features__has_capability(f, CAP_BPF))
		missing |= MISSING_BPF;
	if (feature != FEATURE_RING_BUFFER && !features__has_capability(f, CAP_PERFMON))
		missing |= MISSING_PERFMON;
	return missing;
}

#define GRANT(what) { "grant " what ", or run as root", "grant " what ": root lacks it here" }

const char *features__advise_refused(const struct features *f, enum feature feature)
{
	static const char *const advice[][2] = {
		[MISSING_BPF] = GRANT("CAP_BPF"),
		[MISSING_PERFMON] = GRANT("CAP_PERFMON"),
		[MISSING_BPF | MISSING_PERFMON] = GRANT("CAP_BPF and CAP_PERFMON"),
		[MISSING_ADMIN] = GRANT("CAP_SYS_ADMIN"),
	};
	unsigned missing = missing_for(f, feature);

	/* the verifier's way to say that it does not know the helper */
	if (feature == FEATURE_WRITE_USER && f->err[feature] == -EINVAL && missing)
		return advice[missing][f->is_root];
	/* an unreadable file; a kernel before 7.0, which says it in this way */
	if (!is_refused(f->err[feature]) || feature == FEATURE_BTF ||
	    (feature == FEATURE_WRITE_REGS && f->err[feature] == -EACCES))
		return NULL;
	if (!missing)
		return "the capabilities are there: a user namespace, a seccomp filter or a security "
		       "module forbids it";
	return advice[missing][f->is_root];
}

/* BPF at large is refused: by capabilities or in spite of them. */
static void explain_refused(const struct features *f, char *line, size_t line_sz)
{
	unsigned missing = missing_for(f, FEATURE_ATTACH_COOKIE);

	if (!missing)
		snprintf(line, line_sz,
			 "the kernel refuses BPF although the capabilities are there: "
			 "a user namespace, a seccomp filter or a security module forbids it");
	else
		snprintf(line, line_sz, "missing %s%s%s%s", missing & MISSING_BPF ? "CAP_BPF" : "",
			 missing == (MISSING_BPF | MISSING_PERFMON) ? " and " : "",
			 missing & MISSING_PERFMON ? "CAP_PERFMON" : "", or_root(f));
}

static void explain_attach(const struct features *f, char *line, size_t line_sz)
{
	if (is_refused(f->err[FEATURE_UPROBE_PERF]) && !features__has_capability(f, CAP_SYS_ADMIN))
		snprintf(line, line_sz,
			 "missing CAP_SYS_ADMIN%s: kernel %s has no uprobe_multi (6.6), "
			 "and attaching without it needs that", or_root(f), f->release);
	else
		snprintf(line, line_sz,
			 "no way to attach probes works: uprobe_multi: %s; perf event: %s",
			 strerror(-f->err[FEATURE_UPROBE_MULTI]),
			 strerror(-f->err[FEATURE_UPROBE_PERF]));
}

int features__explain(const struct features *f, char *line, size_t line_sz)
{
	const int *err = f->err;

	snprintf(line, line_sz, "%s", "");
	if (features__can_trace(f))
		return 1;
	if (is_refused(err[FEATURE_RING_BUFFER]) || is_refused(err[FEATURE_ATTACH_COOKIE]))
		explain_refused(f, line, line_sz);
	else if (err[FEATURE_ATTACH_COOKIE] || err[FEATURE_RING_BUFFER])
		snprintf(line, line_sz,
			 "kernel %s is too old: 5.15 or newer is needed (%s)", f->release,
			 err[FEATURE_RING_BUFFER] ? "BPF ring buffer" : "BPF attach cookies");
	else if (err[FEATURE_BTF])
		snprintf(line, line_sz,
			 "/sys/kernel/btf/vmlinux: %s: tracing needs a kernel built with "
			 "CONFIG_DEBUG_INFO_BTF and /sys mounted", strerror(-err[FEATURE_BTF]));
	else
		explain_attach(f, line, line_sz);
	return 0;
}
