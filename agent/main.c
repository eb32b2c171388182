// SPDX-License-Identifier: Apache-2.0
/*
 * gospan: traces, for any Go program, from the outside.
 *
 *     discover -> image -> facts -> sites -> attach  |  events -> assemble -> batch -> export
 *     (once per executable)                          |  (per event)
 *
 * Left of the bar: discover finds a process; executable reads its facts (offsets/), plans its probes
 * (plan, sites) and attaches them. The bar is the kernel (bpf/). Right of it: events takes records
 * from the ring buffer, assemble makes spans of them (semconv_*), batch collects them for the
 * exporters (otlp/), the console shows them. session holds it all together.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "doctor.h"
#include "inspect.h"
#include "library_names.h"
#include "log.h"
#include "ps.h"
#include "session.h"

static int run_command(const struct config *config)
{
	switch (config->command) {
	case COMMAND_VERSION:
		printf("gospan %s\n", GOSPAN_VERSION);
		return 0;
	case COMMAND_DOCTOR:
		return doctor__run(config->json, stdout);
	case COMMAND_PS:
		return ps__print(config, library_names(), stdout) ? 1 : 0;
	case COMMAND_INSPECT:
		return inspect__run(config, stdout);
	case COMMAND_TRACE:
		if (!config->pid_cnt && !config->exes.cnt && !config->port_cnt) {
			ps__print(config, library_names(), stdout);
			fputs("gospan: trace: say which: --pid PID, --exe PATTERN or :PORT\n", stderr);
			return 2;
		}
		return session__run(config);
	default:
		return session__run(config);
	}
}

/* Closed ones would be taken by the next files we open, and messages written into those. */
static void keep_standard_fds(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* What was printed must have arrived for success. */
static int close_stdout(int status)
{
	if (!ferror(stdout) && !fflush(stdout))
		return status;
	log_error("failed to write to stdout: %s", strerror(errno));
	return status ? status : 1;
}

int main(int argc, char **argv)
{
	struct config *config;
	int status;

	keep_standard_fds();
	if (config__parse(argc, argv, &config, &status))
		return close_stdout(status);
	status = run_command(config);
	config__free(config);
	return close_stdout(status);
}
