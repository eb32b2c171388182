/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target: puts a process's names and resource together. Later layers replace earlier ones: what
 * was found out, the target's own OTEL_RESOURCE_ATTRIBUTES, ours (the Operator's k8s.* come this
 * way), the names, telemetry.*.
 */
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pairs.h"
#include "proc.h"
#include "resource.h"
#include "service_name.h"
#include "uuid.h"

enum { ENVIRON_MAX = 1024 * 1024 };

/* The target's environment: what of it we want. */
struct their_environment {
	char *text;
	size_t len;
};

/* All pairs of TEXT; returns how many entries were malformed. Their service.name is read apart. */
static size_t add_pairs(struct attributes *a, const char *text)
{
	char *key, *value;
	size_t bad = 0;
	int more;

	while (text && (more = pairs__next(&text, &key, &value)) != 0 && more != -ENOMEM) {
		if (more < 0) {
			bad++;
			continue;
		}
		attributes__set_text(a, key, value);
		free(key);
		free(value);
	}
	return bad;
}

static void add_all(struct attributes *to, const struct attributes *from)
{
	size_t i;

	for (i = 0; i < from->cnt; i++)
		attributes__set_text(to, from->at[i].key, from->at[i].text.at);
}

/* service.version: of the main module, as `go version -m` shows it. */
static void add_version(struct attributes *a, const struct go_info *info)
{
	if (*info->module_version && strcmp(info->module_version, "(devel)"))
		attributes__set_text(a, "service.version", info->module_version);
	else
		attributes__set_text(a, "service.version", info->vcs_revision);
}

/*
 * Stable while the process lives and the same for every agent that looks at it. Namespace:
 * semantic conventions 1.44, service.instance.id.
 */
static char *derive_instance_id(const struct process *p)
{
	static const uint8_t namespace[16] = { 0x4d, 0x63, 0x00, 0x9a, 0x8d, 0x0f, 0x11, 0xee,
					       0xaa, 0xd7, 0x4c, 0x79, 0x6e, 0xd8, 0xe3, 0x20 };
	char origin[ORIGIN_SIZE], name[ORIGIN_SIZE + 48], id[UUID_TEXT_SIZE];
	int len;

	resource__origin(p, origin);
	len = snprintf(name, sizeof(name), "%s:%d:%llu", origin, p->pid,
		       (unsigned long long)p->start_time);
	uuid__v5(namespace, name, len, id);
	return strdup(id);
}

static int pack(struct target *t, struct attributes *a)
{
	struct bytes packed = {};
	int err;

	attributes__set_text(a, "service.name", t->service_name);
	attributes__set_text(a, "service.instance.id", t->instance_id);
	err = a->err ? a->err : otlp__pack_resource(&packed, a->at, a->cnt);
	if (err) {
		bytes__free(&packed);
		return err;
	}
	bytes__free(&t->resource);
	t->resource = packed;
	return 0;
}

static int choose_names(struct target *t, const struct config *config, const struct go_info *info,
			bool several, const struct attributes *own, const struct attributes *theirs,
			const char *their_name)
{
	const char *given = attributes__text(own, "service.instance.id");
	struct name_sources sources = {
		.flag = config->service_name,
		.own_name = several ? NULL : config->own_service_name,
		.own_attribute = several ? NULL : attributes__text(own, "service.name"),
		.their_name = their_name,
		.their_attribute = attributes__text(theirs, "service.name"),
		.exe_path = t->process.exe_path,
		.main_path = info->main_path,
	};

	t->service_name = service_name__choose(&sources);
	if (!given)
		given = attributes__text(theirs, "service.instance.id");
	t->instance_id = given ? strdup(given) : derive_instance_id(&t->process);
	t->instance_id_given = given;
	return t->service_name && t->instance_id ? 0 : -ENOMEM;
}

static int build(struct target *t, const struct config *config, const struct go_info *info,
		 bool several)
{
	struct attributes all = {}, own = {}, theirs = {};
	char *environment = NULL;
	const char *their_name;
	size_t len = 0, bad;
	int err;

	/* unreadable: not fatal, the names then come from the executable */
	proc__read(t->process.pid, "environ", ENVIRON_MAX, &environment, &len);
	their_name = environ__get(environment, len, "OTEL_SERVICE_NAME");
	bad = add_pairs(&theirs, environ__get(environment, len, "OTEL_RESOURCE_ATTRIBUTES"));
	if (bad)
		log_warn("target: pid %d: left out %zu malformed entries of its "
			 "OTEL_RESOURCE_ATTRIBUTES", t->process.pid, bad);
	add_pairs(&own, config->resource_attributes);

	resource__add_process(&all, &t->process, info, config->process_args);
	resource__add_host(&all, &t->process);
	add_version(&all, info);
	add_all(&all, &theirs);
	add_all(&all, &own);
	resource__add_telemetry(&all);
	err = own.err ? own.err : theirs.err;
	if (!err)
		err = choose_names(t, config, info, several, &own, &theirs, their_name);
	if (!err)
		err = pack(t, &all);
	t->attributes = all.at;
	t->attribute_cnt = all.cnt;
	attributes__free(&own);
	attributes__free(&theirs);
	free(environment);
	return err;
}

int target__new(const struct config *config, const struct go_info *info, struct process *process,
		bool several, struct target **out)
{
	struct target *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->process = *process;
	err = build(t, config, info, several);
	if (err) {
		t->process.exe_path = NULL; /* still the caller's */
		target__free(t);
		return err;
	}
	*process = (struct process){};
	*out = t;
	return 0;
}

int target__derive_instance_id(struct target *t)
{
	struct attributes all = { .at = t->attributes, .cnt = t->attribute_cnt,
				  .cap = t->attribute_cnt };
	char *given = t->instance_id;
	int err;

	if (!t->instance_id_given)
		return 0;
	t->instance_id = derive_instance_id(&t->process);
	err = t->instance_id ? pack(t, &all) : -ENOMEM;
	t->attributes = all.at;
	t->attribute_cnt = all.cnt;
	if (err) {
		free(t->instance_id);
		t->instance_id = given;
		return err;
	}
	t->instance_id_given = false;
	free(given);
	return 0;
}

void target__free(struct target *t)
{
	struct attributes all;

	if (!t)
		return;
	all = (struct attributes){ .at = t->attributes, .cnt = t->attribute_cnt };
	attributes__free(&all);
	bytes__free(&t->resource);
	process__clear(&t->process);
	free(t->service_name);
	free(t->instance_id);
	free(t);
}
