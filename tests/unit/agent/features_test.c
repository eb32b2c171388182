/* SPDX-License-Identifier: Apache-2.0 */
/* The explanations are tested on made-up answers of kernels; the trial itself on this one. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../../../agent/features.h"

static struct features made_up(uint64_t capabilities)
{
	struct features f = { .release = "5.15.0-1", .capabilities = capabilities };

	return f;
}

static const char *explain(const struct features *f)
{
	static char line[256];

	return features__explain(f, line, sizeof(line)) ? NULL : line;
}

static void test_all_works(void **state)
{
	struct features f = made_up(0);

	assert_true(features__can_trace(&f));
	assert_null(explain(&f));
}

static void test_either_way_of_attaching_is_enough(void **state)
{
	struct features f = made_up(0);

	f.err[FEATURE_UPROBE_MULTI] = -EINVAL;
	assert_true(features__can_trace(&f));
	f.err[FEATURE_UPROBE_MULTI] = 0;
	f.err[FEATURE_UPROBE_PERF] = -ENODATA;
	assert_true(features__can_trace(&f));
}

static void test_lost_extras_do_not_forbid_tracing(void **state)
{
	struct features f = made_up(0);

	f.err[FEATURE_WRITE_REGS] = -EACCES;
	f.err[FEATURE_WRITE_USER] = -EINVAL;
	f.err[FEATURE_EXEC_TRACEPOINTS] = -EPERM;
	f.err[FEATURE_UPROBE_MULTI_PID] = -EIO;
	assert_true(features__can_trace(&f));
}

static void test_missing_capabilities_are_named(void **state)
{
	struct features f = made_up(0);

	f.err[FEATURE_RING_BUFFER] = f.err[FEATURE_ATTACH_COOKIE] = -EPERM;
	assert_string_equal(explain(&f), "missing CAP_BPF and CAP_PERFMON (or root)");
	f.capabilities = 1ull << CAP_BPF;
	assert_string_equal(explain(&f), "missing CAP_PERFMON (or root)");
	f.capabilities = 1ull << CAP_PERFMON;
	assert_string_equal(explain(&f), "missing CAP_BPF (or root)");
	f.capabilities = 1ull << CAP_SYS_ADMIN;
	assert_non_null(strstr(explain(&f), "although the capabilities are there"));
}

static void test_root_is_not_told_to_be_root(void **state)
{
	struct features f = made_up(0);

	f.is_root = true;
	f.err[FEATURE_RING_BUFFER] = f.err[FEATURE_ATTACH_COOKIE] = -EPERM;
	assert_string_equal(explain(&f),
			    "missing CAP_BPF and CAP_PERFMON, which root lacks here");
	assert_string_equal(features__advise_refused(&f, FEATURE_RING_BUFFER),
			    "grant CAP_BPF: root lacks it here");
}

/* To the verifier it is the same. */
static void test_why_nothing_is_written(void **state)
{
	struct features f = made_up(1ull << CAP_SYS_ADMIN);

	assert_string_equal(features__why_no_writing(&f), "this kernel is locked down");
	f = made_up(1ull << CAP_BPF | 1ull << CAP_PERFMON);
	assert_string_equal(features__why_no_writing(&f), "missing CAP_SYS_ADMIN");
}

/* A kernel that lets nobody try does not deserve to be called old. */
static void test_refused_features_ask_for_capabilities(void **state)
{
	struct features f = made_up(0);
	int i;

	for (i = 0; i < FEATURE_CNT; i++)
		f.err[i] = -EPERM;
	f.err[FEATURE_BTF] = -EACCES;
	assert_null(features__advise_refused(&f, FEATURE_BTF));
	assert_string_equal(features__advise_refused(&f, FEATURE_RING_BUFFER),
			    "grant CAP_BPF, or run as root");
	assert_string_equal(features__advise_refused(&f, FEATURE_UPROBE_MULTI_PID),
			    "grant CAP_BPF and CAP_PERFMON, or run as root");
	assert_string_equal(features__advise_refused(&f, FEATURE_WRITE_USER),
			    "grant CAP_SYS_ADMIN, or run as root");
	f.capabilities = 1ull << CAP_BPF;
	assert_string_equal(features__advise_refused(&f, FEATURE_UPROBE_MULTI),
			    "grant CAP_PERFMON, or run as root");
	f.capabilities |= 1ull << CAP_PERFMON;
	assert_non_null(strstr(features__advise_refused(&f, FEATURE_UPROBE_MULTI), "seccomp"));
	assert_string_equal(features__advise_refused(&f, FEATURE_UPROBE_PERF),
			    "grant CAP_SYS_ADMIN, or run as root");
	f.err[FEATURE_WRITE_REGS] = -EACCES; /* the verifier's answer before 7.0 */
	assert_null(features__advise_refused(&f, FEATURE_WRITE_REGS));
	f.err[FEATURE_UPROBE_MULTI] = -EINVAL;
	assert_null(features__advise_refused(&f, FEATURE_UPROBE_MULTI));
}

static void test_old_kernel_is_named(void **state)
{
	struct features f = made_up(1ull << CAP_SYS_ADMIN);

	strcpy(f.release, "5.10.0-32-cloud-amd64");
	f.err[FEATURE_ATTACH_COOKIE] = f.err[FEATURE_UPROBE_MULTI] = -EINVAL;
	f.err[FEATURE_UPROBE_PERF] = -EINVAL;
	assert_string_equal(explain(&f), "kernel 5.10.0-32-cloud-amd64 is too old: 5.15 or newer is "
					 "needed (BPF attach cookies)");
}

static void test_perf_without_admin_is_explained(void **state)
{
	struct features f = made_up(1ull << CAP_BPF | 1ull << CAP_PERFMON);

	f.err[FEATURE_UPROBE_MULTI] = -EINVAL;
	f.err[FEATURE_UPROBE_PERF] = -EACCES;
	assert_non_null(strstr(explain(&f), "missing CAP_SYS_ADMIN"));
	assert_non_null(strstr(explain(&f), "5.15.0-1 has no uprobe_multi"));
}

static void test_missing_btf_is_explained(void **state)
{
	struct features f = made_up(1ull << CAP_SYS_ADMIN);

	f.err[FEATURE_BTF] = -ENOENT;
	assert_non_null(strstr(explain(&f), "/sys/kernel/btf/vmlinux: No such file"));
}

/* Whatever this machine allows, verdict and explanation agree, and nothing hangs or crashes. */
static void test_trial_on_this_machine(void **state)
{
	struct features quick, all;
	int i;

	features__probe(&quick);
	features__probe_all(&all);
	assert_true(*quick.release);
	assert_int_equal(features__can_trace(&quick), !explain(&quick));
	assert_int_equal(features__can_trace(&all), features__can_trace(&quick));
	for (i = 0; i < FEATURE_CNT; i++) {
		assert_int_not_equal(all.err[i], -ENODATA);
		if (quick.err[i] != -ENODATA)
			assert_int_equal(quick.err[i], all.err[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_works),
		cmocka_unit_test(test_either_way_of_attaching_is_enough),
		cmocka_unit_test(test_lost_extras_do_not_forbid_tracing),
		cmocka_unit_test(test_missing_capabilities_are_named),
		cmocka_unit_test(test_root_is_not_told_to_be_root),
		cmocka_unit_test(test_why_nothing_is_written),
		cmocka_unit_test(test_refused_features_ask_for_capabilities),
		cmocka_unit_test(test_old_kernel_is_named),
		cmocka_unit_test(test_perf_without_admin_is_explained),
		cmocka_unit_test(test_missing_btf_is_explained),
		cmocka_unit_test(test_trial_on_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
