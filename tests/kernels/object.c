/* SPDX-License-Identifier: Apache-2.0 */
/* object: see object.h. */
#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "object.h"
#include "../../agent/uprobe.h"

/* Old kernels take a full log for a failure of its own. */
static char verifier_log[128 << 20];

/* SEC("go_entry/...") and such are known to the agent only: uprobes, as far as the kernel cares. */
static void set_types(struct bpf_object *object, const char *wanted, const struct features *f)
{
	bool multi = features__has(f, FEATURE_UPROBE_MULTI);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, !strcmp(bpf_program__name(program), wanted));
		bpf_program__set_log_buf(program, verifier_log, sizeof(verifier_log));
		if (!strncmp(bpf_program__section_name(program), "raw_tp", 6))
			continue;
		bpf_program__set_type(program, BPF_PROG_TYPE_KPROBE);
		bpf_program__set_expected_attach_type(program, multi ? UPROBE_MULTI_ATTACH_TYPE : 0);
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

int object__load(const char *path, const char *name, const struct features *f,
		 struct bpf_object **out)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	int err;

	if (!object)
		return -errno;
	*verifier_log = '\0';
	set_types(object, name, f);
	set_facts(object, features__has(f, FEATURE_WRITE_REGS));
	err = bpf_object__load(object);
	if (err)
		bpf_object__close(object);
	else
		*out = object;
	return err;
}

char *object__log(void)
{
	return verifier_log;
}
