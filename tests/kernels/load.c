/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load OBJECT: loads every program of the BPF object into this kernel, each alone and with all of it
 * alive, and prints what the verifier makes of them. The agent itself loads only what an executable
 * needs. Where tracing is impossible nothing is expected to load.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "object.h"

/*
 * Does the program have a stack of the CPU's own, not the task's? (x86-64: "add %gs:this_cpu_off, %r9",
 * arch/x86/net/bpf_jit_comp.c, emit_priv_frame_ptr(), Linux 6.13.) A uprobe's program can be preempted;
 * its next call on that CPU would write over it.
 */
static bool shares_stack(int fd)
{
	static const uint8_t add_this_cpu[] = { 0x65, 0x4c, 0x03, 0x0c, 0x25 };
	static uint8_t code[1 << 20];
	struct bpf_prog_info info = {
		.jited_prog_insns = (uintptr_t)code,
		.jited_prog_len = sizeof(code),
	};
	uint32_t info_sz = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &info_sz))
		return true;
	return memmem(code, info.jited_prog_len, add_this_cpu, sizeof(add_this_cpu));
}

static int load_one(const char *path, const char *name, const struct features *f,
		    unsigned *verified)
{
	struct bpf_object *object = NULL;
	struct bpf_prog_info info = { 0 };
	struct bpf_program *program;
	uint32_t info_sz = sizeof(info);
	int err, fd;

	err = object__load(path, name, f, &object);
	if (err)
		return err;
	program = bpf_object__find_program_by_name(object, name);
	fd = bpf_program__fd(program);
	bpf_obj_get_info_by_fd(fd, &info, &info_sz);
	*verified = info.verified_insns;
	if (!strncmp(bpf_program__section_name(program), "go_", 3) && shares_stack(fd))
		err = -ENOTRECOVERABLE;
	bpf_object__close(object);
	return err;
}

/*
 * Refused only because it writes: where the kernel does not allow that (lockdown), the helper is
 * unknown to the verifier.
 */
static bool may_not_write(const struct features *f)
{
	return !features__has(f, FEATURE_WRITE_USER) &&
	       strstr(object__log(), "bpf_probe_write_user");
}

/* The verifier's last words but one: the last line is its statistics. */
static void print_verifier_reason(void)
{
	char *line, *last = "", *before = "";

	for (line = strtok(object__log(), "\n"); line; line = strtok(NULL, "\n")) {
		before = last;
		last = line;
	}
	printf("  %s\n  %s\n", before, last);
}

int main(int argc, char **argv)
{
	unsigned verified = 0, most = 0, loaded = 0, failed = 0, skipped = 0;
	struct bpf_program *program;
	struct bpf_object *object;
	struct features f;
	const char *name;
	int err;

	features__probe_all(&f);
	if (!features__can_trace(&f)) {
		printf("RESULT skip load: tracing does not work here\n");
		return 0;
	}
	libbpf_set_print(NULL);
	object = argc == 2 ? bpf_object__open_file(argv[1], NULL) : NULL;
	if (!object) {
		printf("RESULT fail load: cannot open the object\n");
		return 1;
	}
	bpf_object__for_each_program(program, object) {
		name = bpf_program__name(program);
		err = load_one(argv[1], name, &f, &verified);
		if (err && may_not_write(&f)) {
			skipped++;
			printf("  skipped %s: this kernel lets no BPF program write\n", name);
			continue;
		}
		if (err) {
			failed++;
			if (err == -ENOTRECOVERABLE)
				printf("  %s: its stack is the CPU's, where it may be preempted\n", name);
			else
				printf("  %s: %s\n", name, strerror(-err));
			print_verifier_reason();
			continue;
		}
		loaded++;
		most = verified > most ? verified : most;
		printf("  loaded %s: %u instructions verified\n", name, verified);
	}
	bpf_object__close(object);
	printf("RESULT %s load: %u programs loaded, %u refused, %u skipped for they write; at most %u "
	       "instructions verified\n",
	       failed || !loaded ? "fail" : "pass", loaded, failed, skipped, most);
	return 0;
}
