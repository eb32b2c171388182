// SPDX-License-Identifier: Apache-2.0
/* inspect: see inspect.h. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "build_span.h"
#include "features.h"
#include "gospan.skel.h"
#include "inspect.h"
#include "loop.h"
#include "packages.h"

struct inspection {
	const char *path;
	struct gospan_bpf *bpf;
	struct declarations *declarations;
	struct resolve *resolve;
	struct plan *plan;
	struct package *packages;
	size_t package_cnt;
	double elapsed_ms;
};

static const char *const kind_names[] = {
	[SITE_ENTRY] = "entry", [SITE_CALL] = "call", [SITE_AFTER] = "return", [SITE_RETURN] = "return",
	[SITE_JOIN] = "return",
};

static const char *const cost_names[] = {
	[SITE_EMULATED] = "emulated", [SITE_STEPPED] = "stepped", [SITE_SIMULATED] = "simulated",
};

/* What every start of the agent reads of an executable. */
static int read_facts(struct inspection *in, int fd)
{
	uint64_t start_ns = loop__now_ns();
	struct why why = {""};
	int err = resolve__open(fd, in->path, &in->resolve, &why);

	if (err) {
		log_error("inspect: %s", why.text);
		return err;
	}
	err = plan__new(in->declarations, in->resolve, &in->plan);
	in->elapsed_ms = (loop__now_ns() - start_ns) / 1e6;
	return err;
}

static int open_inspection(struct inspection *in)
{
	int fd = open(in->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	if (fd < 0)
		return log_err(-errno, "inspect: failed to open '%s'", in->path);
	in->bpf = gospan_bpf__open();
	if (in->bpf)
		err = declarations__read(in->bpf->obj, &in->declarations);
	else
		err = log_err(-errno, "inspect: failed to read the embedded BPF object");
	if (!err)
		err = read_facts(in, fd);
	close(fd);
	if (!err && plan__writes(in->plan))
		plan__judge_writes(in->plan, features__try_write());
	if (!err) {
		in->packages = packages__of(in->plan, in->resolve, &in->package_cnt);
		err = in->packages ? 0 : log_err(-ENOMEM, "inspect: no memory");
	}
	return err;
}

static void close_inspection(struct inspection *in)
{
	free(in->packages);
	plan__free(in->plan);
	resolve__free(in->resolve);
	declarations__free(in->declarations);
	if (in->bpf)
		gospan_bpf__destroy(in->bpf);
}

static const char *library_of(const struct planned_probe *p, const struct declarations *d)
{
	return p->declared->library < 0 ? "all" : d->libraries[p->declared->library].name;
}

static json_t *site_json(const struct planned_probe *p, size_t i)
{
	const struct site *site = &p->sites[i];
	char address[32];

	snprintf(address, sizeof(address), "0x%llx", (unsigned long long)site->addr);
	return json_pack("{s:s, s:I, s:s, s:s}", "address", address, "offset",
			 (json_int_t)p->site_offs[i], "instruction", site->instruction, "cost",
			 cost_names[site->cost]);
}

static json_t *probes_json(const struct inspection *in)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < in->plan->probe_cnt; i++) {
		const struct planned_probe *p = &in->plan->probes[i];

		for (size_t s = 0; s < (p->on ? p->site_cnt : 1); s++) {
			json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s}", "library",
						library_of(p, in->declarations), "program",
						p->declared->program, "function", p->function, "kind",
						kind_names[p->declared->kind], "status",
						p->on ? "on" : "off");

			if (p->on)
				json_object_set_new(row, "site", site_json(p, s));
			if (!p->on || *p->reason)
				json_object_set_new(row, p->on ? "note" : "reason",
						    json_string(p->reason));
			json_array_append_new(rows, row);
		}
	}
	return rows;
}

static json_t *fields_json(const struct inspection *in)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < in->declarations->value_cnt; i++) {
		const struct planned_value *v = &in->plan->values[i];

		if (v->declared->what != DECLARED_FIELD || !v->found)
			continue;
		json_array_append_new(rows, json_pack("{s:s, s:I, s:s, s:s}", "name", v->declared->path,
						      "offset", (json_int_t)v->value, "kind",
						      v->declared->kind, "source",
						      v->source == FACT_DWARF ? "dwarf" : "type data"));
	}
	return rows;
}

static json_t *libraries_json(const struct inspection *in)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < in->package_cnt; i++) {
		const struct package *p = &in->packages[i];

		json_array_append_new(rows, json_pack("{s:s, s:s, s:s}", "name", p->name, "status",
						      p->on ? "on" : "off", "reason", p->reason));
	}
	return rows;
}

/* Of the file's own words: they need not be UTF-8. */
static json_t *text_json(const char *text)
{
	char clean[PATH_MAX];
	size_t len = build__clean_into(clean, sizeof(clean), text_of(text));

	return json_stringn(clean, len);
}

static int print_json(const struct inspection *in, FILE *out)
{
	const struct go_info *info = resolve__info(in->resolve);
	json_t *all = json_pack(
		"{s:o, s:o, s:o, s:s, s:b, s:b, s:o, s:o, s:f, s:I, s:I, s:o, s:o, s:o}", "path",
		text_json(in->path), "go_version", text_json(info->go_version), "build_id",
		text_json(info->build_id), "arch", info->arch == GO_ARCH_AMD64 ? "amd64" : "arm64",
		"pie", info->pie, "stripped", info->stripped, "module", text_json(info->module),
		"module_version", text_json(info->module_version), "elapsed_ms", in->elapsed_ms, "functions", (json_int_t)info->function_cnt, "types",
		(json_int_t)info->type_cnt, "libraries", libraries_json(in), "probes",
		probes_json(in), "fields", fields_json(in));

	if (!all)
		return log_err(-ENOMEM, "inspect: failed to describe '%s'", in->path);
	json_dumpf(all, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(all);
	return 0;
}

/* A line for each that is linked, and one for all others. */
static void print_libraries(const struct inspection *in, FILE *out)
{
	const char *before = "\n";

	for (size_t i = 0; i < in->package_cnt; i++) {
		const struct package *p = &in->packages[i];

		if (!p->linked)
			continue;
		fprintf(out, "%s%-36s %s%s%s\n", before, p->name, p->on ? "on" : "off",
			p->on ? "" : ": ", p->reason);
		before = "";
	}
	before = "\nnot linked: ";
	for (size_t i = 0; i < in->package_cnt; i++) {
		if (in->packages[i].linked)
			continue;
		fprintf(out, "%s%s", before, in->packages[i].name);
		before = ", ";
	}
	fputs(*before == ',' ? "\n\n" : "\n", out);
}

/* That a probe is off needs a word, unless its whole package is missing. */
static bool is_off_for_a_reason(const struct inspection *in, const struct planned_probe *p)
{
	const struct package *package = packages__of_function(in->packages, in->package_cnt, p->function);

	if (p->on)
		return false;
	if (p->declared->library < 0)
		return plan__is_useful(in->plan);
	return !package || package->linked;
}

static void print_text(const struct inspection *in, FILE *out)
{
	const struct go_info *info = resolve__info(in->resolve);
	char text[PATH_MAX], version[256];

	fprintf(out, "%s: %s %s%s%s, %zu functions, %zu struct types, read in %.1f ms\n",
		log__escaped(in->path, text, sizeof(text)),
		log__escaped(info->go_version, version, sizeof(version)), info->arch == GO_ARCH_AMD64 ? "amd64" : "arm64",
		info->pie ? ", PIE" : "", info->stripped ? ", stripped" : "", info->function_cnt,
		info->type_cnt, in->elapsed_ms);
	if (*info->module)
		fprintf(out, "module %s %s\n", log__escaped(info->module, text, sizeof(text)),
			log__escaped(info->module_version, version, sizeof(version)));
	print_libraries(in, out);
	for (size_t i = 0; i < in->plan->probe_cnt; i++) {
		const struct planned_probe *p = &in->plan->probes[i];

		for (size_t s = 0; p->on && s < p->site_cnt; s++)
			fprintf(out, "  on   %-10s 0x%-10llx %-24s %-6s %s\n",
				cost_names[p->sites[s].cost], (unsigned long long)p->sites[s].addr,
				p->sites[s].instruction, kind_names[p->declared->kind], p->function);
		if (p->on && *p->reason)
			fprintf(out, "       (%s)\n", p->reason);
	}
	for (size_t i = 0; i < in->plan->probe_cnt; i++) {
		const struct planned_probe *p = &in->plan->probes[i];

		if (is_off_for_a_reason(in, p))
			fprintf(out, "  off  %s %s: %s\n", kind_names[p->declared->kind], p->function,
				p->reason);
	}
}

/* Is everything on that --require names? */
static int check_required(const struct inspection *in, const struct config *config)
{
	int status = 0;

	for (size_t r = 0; r < config->require.cnt; r++) {
		const char *want = config->require.at[r];
		const struct package *p = packages__find(in->packages, in->package_cnt, want);

		if (p && p->on)
			continue;
		log_error("inspect: %s would not be traced in '%s': %s", want, in->path,
			  p ? p->reason : "gospan does not know it");
		status = 1;
	}
	return status;
}

int inspect__run(const struct config *config, FILE *out)
{
	struct inspection in = {.path = config->path};
	char path[64];
	int status = 1;

	if (config->pid_cnt) {
		snprintf(path, sizeof(path), "/proc/%d/exe", config->pids[0]);
		in.path = path;
	}
	if (!open_inspection(&in)) {
		int err = 0;

		if (config->json)
			err = print_json(&in, out);
		else
			print_text(&in, out);
		status = err ? 1 : check_required(&in, config);
	}
	close_inspection(&in);
	return status;
}
