/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load OBJECT: loads every program of the BPF object into this kernel, each alone and with all of it
 * alive, and prints what the verifier makes of them. The agent itself loads only what an executable
 * needs. Where tracing is impossible nothing is expected to load.
 */
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../agent/features.h"
#include "../../agent/uprobe.h"

/* Old kernels take a full log for a failure of its own. */
static char verifier_log[128 << 20];

/* SEC("go_entry/...") and such are known to the agent only: uprobes, as far as the kernel cares. */
static void set_types(struct bpf_object *object, const struct features *f, const char *wanted)
{
	bool multi = features__has(f, FEATURE_UPROBE_MULTI);
	struct bpf_program *program;
	bool is_uprobe;

	bpf_object__for_each_program(program, object) {
		is_uprobe = strncmp(bpf_program__section_name(program), "raw_tp", 6) != 0;
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), wanted));
		if (!is_uprobe)
			continue;
		bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
		bpf_program__set_expected_attach_type(program, multi ? UPROBE_MULTI_ATTACH_TYPE : 0);
		bpf_program__set_log_buf(program, verifier_log, sizeof(verifier_log));
	}
}

static struct bpf_map *rodata_of(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			return map;
	return NULL;
}

/* What the agent would find for the variable of id VAR, declared by GO_... in bpf/go.bpf.h. */
static uint64_t made_up_value(const struct btf *btf, __u32 var, bool *declared)
{
	const struct btf_type *type;
	const char *tag;
	__u32 id;

	*declared = false;
	for (id = 1; id < btf__type_cnt(btf); id++) {
		type = btf__type_by_id(btf, id);
		if (!btf_is_decl_tag(type) || type->type != var)
			continue;
		tag = btf__name_by_offset(btf, type->name_off);
		*declared = !strncmp(tag, "go:", 3);
		return strncmp(tag, "go:type", 7) && strncmp(tag, "go:function", 11) ? 8 : 0x400000;
	}
	return 0;
}

/* As for an executable that has everything: the verifier skips what is done with absent things. */
static void set_facts(struct bpf_object *object, bool write_regs)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_type *section =
		btf__type_by_id(btf, btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC));
	struct bpf_map *map = rodata_of(object);
	const struct btf_var_secinfo *variable;
	static char rodata[1 << 16];
	const char *name;
	uint64_t value;
	bool declared;
	size_t size;
	int i;

	assert(map && section && bpf_map__value_size(map) <= sizeof(rodata));
	memcpy(rodata, bpf_map__initial_value(map, &size), bpf_map__value_size(map));
	for (i = 0; i < btf_vlen(section); i++) {
		variable = btf_var_secinfos(section) + i;
		value = made_up_value(btf, variable->type, &declared);
		if (declared)
			memcpy(rodata + variable->offset, &value, variable->size);
		name = btf__name_by_offset(btf, btf__type_by_id(btf, variable->type)->name_off);
		if (!strcmp(name, "may_write_registers"))
			rodata[variable->offset] = write_regs;
	}
	bpf_map__set_initial_value(map, rodata, size);
}

static int load_one(const char *path, const struct features *f, const char *name, unsigned *verified)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_prog_info info = { 0 };
	uint32_t info_sz = sizeof(info);
	int err;

	if (!object)
		return -errno;
	*verifier_log = '\0';
	set_types(object, f, name);
	set_facts(object, features__has(f, FEATURE_WRITE_REGS));
	err = bpf_object__load(object);
	if (!err) {
		bpf_obj_get_info_by_fd(
			bpf_program__fd(bpf_object__find_program_by_name(object, name)), &info,
			&info_sz);
		*verified = info.verified_insns;
	}
	bpf_object__close(object);
	return err;
}

/* The verifier's last words but one: the last line is its statistics. */
static void print_verifier_reason(void)
{
	char *line, *last = "", *before = "";

	for (line = strtok(verifier_log, "\n"); line; line = strtok(NULL, "\n")) {
		before = last;
		last = line;
	}
	printf("  %s\n  %s\n", before, last);
}

int main(int argc, char **argv)
{
	unsigned verified = 0, most = 0, loaded = 0, failed = 0;
	struct bpf_program *program;
	struct bpf_object *object;
	struct features f;
	const char *name;
	int err;

	features__probe(&f);
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
		err = load_one(argv[1], &f, name, &verified);
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
	printf("RESULT %s load: %u programs loaded, %u refused; at most %u instructions verified\n",
	       failed || !loaded ? "fail" : "pass", loaded, failed, most);
	return 0;
}
