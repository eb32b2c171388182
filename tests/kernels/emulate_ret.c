/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emulate_ret OBJECT: puts the dispatcher on a RET of our own and calls the function many times:
 * the results must be right, and where doctor finds that registers may be written the kernel must
 * not have stepped any (it maps a page "[uprobes]" into the process to do so); elsewhere it must.
 */
#include <assert.h>
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "object.h"
#include "../../agent/probe_point.h"
#include "../../agent/uprobe.h"
#include "../../bpf/span.h"

enum { CALLS = 1000 };

#ifndef __x86_64__
#error "arm64 kernels simulate RET themselves"
#endif

uint64_t returning(uint64_t x);
uint64_t returning_ret(uint64_t x); /* its RET, only to be probed */

__asm__(".pushsection .text\n"
	".globl returning, returning_ret\n"
	".type returning, STT_FUNC\n"
	"returning: lea 1(%rdi), %rax\n"
	"returning_ret: ret\n"
	".popsection\n");

static bool was_stepped(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[512];

	assert(maps);
	while (fgets(line, sizeof(line), maps))
		found |= strstr(line, "[uprobes]") != NULL;
	fclose(maps);
	return found;
}

static int attach(const struct bpf_object *object, const struct features *f)
{
	int prog_fd = bpf_program__fd(bpf_object__find_program_by_name(object, "dispatch"));
	uint64_t offset, cookie;
	int err;

	err = probe_point__offset(returning_ret, &offset);
	if (err)
		return err;
	/* No program to go on to: the dispatcher's tail call finds none, and it returns. */
	cookie = (uint64_t)COOKIE_IS_RET << COOKIE_FLAGS_SHIFT | (uintptr_t)returning_ret;
	cookie &= ~(0xffull << COOKIE_PROGRAM_SHIFT);
	if (features__has(f, FEATURE_UPROBE_MULTI))
		return uprobe__attach_multi(prog_fd, "/proc/self/exe", getpid(), &offset, &cookie, 1);
	return uprobe__attach_perf(prog_fd, "/proc/self/exe", offset, cookie);
}

/* How many calls gave the wrong result. */
static unsigned call_many(void)
{
	unsigned i, wrong = 0;

	for (i = 0; i < CALLS; i++)
		wrong += returning(i) != i + 1;
	return wrong;
}

int main(int argc, char **argv)
{
	struct bpf_object *object = NULL;
	bool write_regs, stepped;
	struct features f;
	unsigned wrong;
	int err, link;

	features__probe(&f);
	if (!features__can_trace(&f)) {
		printf("RESULT skip ret: tracing does not work here\n");
		return 0;
	}
	libbpf_set_print(NULL);
	write_regs = features__has(&f, FEATURE_WRITE_REGS);
	err = object__load(argc == 2 ? argv[1] : "", "dispatch", &f, &object);
	link = err ? err : attach(object, &f);
	if (link < 0) {
		printf("RESULT fail ret: not attached: %s\n", strerror(-link));
		return 1;
	}
	wrong = call_many();
	stepped = was_stepped();
	printf("RESULT %s ret: write_regs %s; %d calls, %u wrong; RET was %s\n",
	       !wrong && stepped == !write_regs ? "pass" : "fail", write_regs ? "yes" : "no", CALLS,
	       wrong, stepped ? "stepped" : "emulated");
	close(link);
	bpf_object__close(object);
	return 0;
}
