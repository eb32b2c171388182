/* SPDX-License-Identifier: Apache-2.0 */
/* probe_point: the two functions, and their place in our executable by /proc/self/maps. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "probe_point.h"

#if defined(__x86_64__)
#define EMULATED "push %rbp\n mov %rdi, %rax\n pop %rbp\n ret\n"
#define STEPPED ".byte 0x48, 0x8d, 0x47, 0x01\n ret\n" /* lea 1(%rdi), %rax */
#elif defined(__aarch64__)
#define EMULATED "b 1f\n 1: ret\n"
#define STEPPED "add x0, x0, #1\n ret\n"
#else
#error "gospan knows x86-64 and arm64"
#endif

__asm__(".pushsection .text\n"
	".globl probe_point_emulated, probe_point_stepped\n"
	".type probe_point_emulated, STT_FUNC\n"
	".type probe_point_stepped, STT_FUNC\n"
	".balign 16\n"
	"probe_point_emulated:\n" EMULATED
	".size probe_point_emulated, . - probe_point_emulated\n"
	".balign 16\n"
	"probe_point_stepped:\n" STEPPED
	".size probe_point_stepped, . - probe_point_stepped\n"
	".popsection\n");

int probe_point__offset(uint64_t (*function)(uint64_t), uint64_t *offset)
{
	uint64_t start, end, file_off, address = (uintptr_t)function;
	FILE *maps = fopen("/proc/self/maps", "re");
	int err = -ENOENT;
	char line[512];

	if (!maps)
		return -errno;
	while (err && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64, &start, &end, &file_off) != 3)
			continue;
		if (address >= start && address < end) {
			*offset = address - start + file_off;
			err = 0;
		}
	}
	fclose(maps);
	return err;
}
