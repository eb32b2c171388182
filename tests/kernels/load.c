/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load OBJECT: loads every program of the BPF object into this kernel, each alone and with all of it
 * alive, and prints what the verifier makes of them. The agent itself loads only what an executable
 * needs. Where tracing is impossible nothing is expected to load.
 */
#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "object.h"

static int load_one(const char *path, const char *name, const struct features *f,
		    unsigned *verified)
{
	struct bpf_object *object = NULL;
	struct bpf_prog_info info = { 0 };
	uint32_t info_sz = sizeof(info);
	int err, fd;

	err = object__load(path, name, f, &object);
	if (err)
		return err;
	fd = bpf_program__fd(bpf_object__find_program_by_name(object, name));
	bpf_obj_get_info_by_fd(fd, &info, &info_sz);
	*verified = info.verified_insns;
	bpf_object__close(object);
	return 0;
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
