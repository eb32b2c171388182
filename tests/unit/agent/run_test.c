/* SPDX-License-Identifier: Apache-2.0 */
/* The command of `gospan run`: held back, let go, signalled, and what it inherits. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../agent/run.h"

static struct config config;
static struct run *run;
static char output[64];

static int set_up(void **state)
{
	int fd;

	config = (struct config){};
	run = NULL;
	signal(SIGPIPE, SIG_IGN); /* as the agent has it: a command that is held may be killed */
	strcpy(output, "/tmp/gospan-test-XXXXXX");
	fd = mkstemp(output);
	assert_true(fd >= 0);
	fchmod(fd, 0666);
	close(fd);
	return 0;
}

static int tear_down(void **state)
{
	run__free(run);
	unlink(output);
	return 0;
}

/* `sh -c "exec >OUTPUT; SCRIPT"`, not yet released. */
static void hold(const char *script)
{
	static char text[512];
	static char *argv[] = { "sh", "-c", text, NULL };

	snprintf(text, sizeof(text), "exec >%s; %s", output, script);
	config.run_argv = argv;
	assert_int_equal(run__start(&config, &run), 0);
	assert_true(run__pid(run) > 0);
}

static void let_run(void)
{
	assert_int_equal(run__release(run), 0);
	run__resume(run);
	run__resume(run); /* once more: no harm */
}

static const char *written(void)
{
	static char text[4096];
	FILE *file = fopen(output, "r");
	size_t len = fread(text, 1, sizeof(text) - 1, file);

	fclose(file);
	text[len] = '\0';
	return text;
}

static void wait_for_end(void)
{
	int i;

	for (i = 0; i < 500 && !run__reap(run); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	assert_true(run__reap(run));
}

static void wait_for_output(void)
{
	int i;

	for (i = 0; i < 500 && !*written(); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
	assert_true(*written());
}

static void test_is_held_back(void **state)
{
	hold("echo $$; exit 7");
	nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	assert_string_equal(written(), "");
	assert_false(run__reap(run));
	let_run();
	wait_for_end();
	assert_int_equal(run__status(run), 7);
	assert_int_equal(atoi(written()), run__pid(run));
}

static int tracer_of(int pid)
{
	char path[64], line[256];
	int tracer = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof(line), file))
		sscanf(line, "TracerPid: %d", &tracer);
	fclose(file);
	return tracer;
}

static void test_is_held_behind_exec(void **state)
{
	hold("echo $$; exit 8");
	if (tracer_of(run__pid(run)) != getpid())
		skip(); /* ptrace(2) is refused here */
	assert_int_equal(run__release(run), 0);
	nanosleep(&(struct timespec){ .tv_nsec = 50 * 1000 * 1000 }, NULL);
	assert_string_equal(written(), "");
	assert_false(run__reap(run));
	run__resume(run);
	wait_for_end();
	assert_int_equal(run__status(run), 8);
	assert_int_equal(atoi(written()), run__pid(run));
}

static void test_a_signal_before_exec_is_its_own(void **state)
{
	hold("echo ran");
	kill(run__pid(run), SIGKILL);
	run__release(run);
	run__resume(run);
	wait_for_end();
	assert_int_equal(run__status(run), 128 + 9);
	assert_string_equal(written(), "");
}

static void test_free_ends_no_command_that_is_held(void **state)
{
	int pid;

	hold("echo ran");
	pid = run__pid(run);
	assert_int_equal(run__release(run), 0);
	run__free(run);
	run = NULL;
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_string_equal(written(), "ran\n");
}

static void test_free_without_release_runs_nothing(void **state)
{
	int pid;

	hold("echo ran");
	pid = run__pid(run);
	run__free(run);
	run = NULL;
	assert_int_equal(kill(pid, 0), -1);
	assert_string_equal(written(), "");
}

static void test_signals_reach_the_group(void **state)
{
	hold("trap 'echo got; kill $!; exit 3' TERM; sleep 100 & echo on; wait");
	let_run();
	wait_for_output();
	run__signal(run, SIGTERM);
	wait_for_end();
	assert_int_equal(run__status(run), 3);
	assert_string_equal(written(), "on\ngot\n");
}

static void test_status_of_a_signal(void **state)
{
	hold("kill -9 $$");
	let_run();
	wait_for_end();
	assert_int_equal(run__status(run), 128 + 9);
	run__signal(run, SIGTERM); /* nobody there: no harm */
}

static void test_what_cannot_be_executed(void **state)
{
	static char *missing[] = { "gospan-no-such-command", NULL };
	static char *directory[] = { "/etc", NULL };

	log__set_level(LOG_NONE);
	config.run_argv = missing;
	assert_int_equal(run__start(&config, &run), 0);
	assert_int_equal(run__release(run), -ENOENT);
	assert_true(run__reap(run));
	assert_int_equal(run__status(run), 127);
	run__free(run);
	config.run_argv = directory;
	assert_int_equal(run__start(&config, &run), 0);
	assert_int_equal(run__release(run), -EACCES);
	assert_int_equal(run__status(run), 126);
	log__set_level(LOG_INFO);
}

static void test_signals_are_as_they_were(void **state)
{
	sigset_t all, old;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	hold("grep -E 'SigBlk|SigIgn' /proc/self/status");
	let_run();
	wait_for_end();
	sigprocmask(SIG_SETMASK, &old, NULL);
	assert_non_null(strstr(written(), "SigBlk:\t0000000000000000"));
	assert_null(strstr(written(), "SigIgn:\t0000000000001")); /* 13 is SIGPIPE */
}

/* What whoever started us left open is the command's as well. */
static int count_inherited(void)
{
	int fd, flags, cnt = 0;

	for (fd = 0; fd < 1024; fd++) {
		flags = fcntl(fd, F_GETFD);
		cnt += flags >= 0 && !(flags & FD_CLOEXEC);
	}
	return cnt;
}

static void test_opens_nothing_of_ours(void **state)
{
	hold("ls /proc/self/fd | wc -l");
	let_run();
	wait_for_end();
	assert_int_equal(atoi(written()), count_inherited() + 1); /* and ls's own directory */
}

static void test_as_another_user(void **state)
{
	if (geteuid())
		skip();
	config.run_user = "nobody";
	hold("id -un; id -u; echo $USER; grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status");
	let_run();
	wait_for_end();
	assert_int_equal(strncmp(written(), "nobody\n65534\nnobody\n", 20), 0);
	assert_non_null(strstr(written(), "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(written(), "CapEff:\t0000000000000000"));
	assert_non_null(strstr(written(), "CapInh:\t0000000000000000"));
	run__free(run);
	run = NULL;
	log__set_level(LOG_NONE);
	config.run_user = "gospan-nobody-at-all";
	assert_int_equal(run__start(&config, &run), -ENOENT);
	log__set_level(LOG_INFO);
	config.run_user = "54321";
	hold("id -u; id -G");
	let_run();
	wait_for_end();
	assert_string_equal(written(), "54321\n54321\n");
}

/* An ordinary user who holds ambient capabilities, as a service manager gives them. */
static int become_capable(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	data[0].permitted = data[0].effective = data[0].inheritable = 1 << CAP_NET_RAW;
	return prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setuid(65534) ||
	       syscall(SYS_capset, &header, data) ||
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0);
}

static void test_hands_on_no_capability(void **state)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	int pid, status;

	if (geteuid() || syscall(SYS_capget, &header, data) ||
	    !(data[0].permitted & 1 << CAP_NET_RAW))
		skip();
	pid = fork(); /* one does not come back from this */
	if (!pid) {
		if (become_capable())
			_exit(1);
		hold("grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status");
		if (run__release(run))
			_exit(2);
		run__resume(run);
		while (!run__reap(run))
			;
		_exit(run__status(run));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_non_null(strstr(written(), "CapAmb:\t0000000000000000"));
	assert_non_null(strstr(written(), "CapEff:\t0000000000000000"));
	assert_non_null(strstr(written(), "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(written(), "CapInh:\t0000000000000000"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_is_held_back),
		TEST(test_is_held_behind_exec),
		TEST(test_a_signal_before_exec_is_its_own),
		TEST(test_free_ends_no_command_that_is_held),
		TEST(test_free_without_release_runs_nothing),
		TEST(test_signals_reach_the_group),
		TEST(test_status_of_a_signal),
		TEST(test_what_cannot_be_executed),
		TEST(test_signals_are_as_they_were),
		TEST(test_opens_nothing_of_ours),
		TEST(test_as_another_user),
		TEST(test_hands_on_no_capability),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
