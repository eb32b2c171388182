// SPDX-License-Identifier: Apache-2.0
/* declarations: see declarations.h. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "declarations.h"
#include "log.h"

static const struct {
	const char *prefix;
	enum site_kind kind;
} sections[] = {
	{"go_entry/", SITE_ENTRY},
	{"go_call/", SITE_CALL},
	{"go_after/", SITE_AFTER},
	{"go_join/", SITE_JOIN},
	{"go_return/", SITE_RETURN},
};

/* What a tag begins with, and how many words follow before the path. */
static const struct {
	const char *prefix;
	enum declared_what what;
	int words;
	bool needed, on_stack;
} value_tags[] = {
	{"go:field ", DECLARED_FIELD, 1, false, false},
	{"go:stack ", DECLARED_FIELD, 1, false, true},
	{"go:need ", DECLARED_FIELD, 2, true, false},
	{"go:type ", DECLARED_TYPE, 0, false, false},
	{"go:itab ", DECLARED_ITAB, 1, false, false},
	{"go:size ", DECLARED_SIZE, 0, false, false},
	{"go:end", DECLARED_END, 0, false, false},
	{"go:constants-end", DECLARED_CONSTANTS_END, 0, false, false},
	{"go:text-start", DECLARED_TEXT_START, 0, false, false},
	{"go:text-end", DECLARED_TEXT_END, 0, false, false},
	{"go:function ", DECLARED_FUNCTION, 0, false, false},
	{"go:frame ", DECLARED_FRAME, 0, false, false},
	{"go:span ", DECLARED_LIBRARY, 2, false, false},
	{"go:children", DECLARED_CHILDREN, 0, false, false},
	{"go:attached ", DECLARED_ATTACHED, 0, false, false},
	{"go:sdk", DECLARED_SDK, 0, false, false},
};

static const char *const span_kinds[] = {
	[SPAN_INTERNAL] = "INTERNAL", [SPAN_SERVER] = "SERVER",	    [SPAN_CLIENT] = "CLIENT",
	[SPAN_PRODUCER] = "PRODUCER", [SPAN_CONSUMER] = "CONSUMER",
};

/* What a word in GO_FIELD stands for. */
static const struct {
	const char *word;
	enum go_kind from, to;
} kinds[] = {
	{"bool", GO_KIND_BOOL, GO_KIND_BOOL},
	{"int", GO_KIND_INT, GO_KIND_UINTPTR},
	{"array", GO_KIND_ARRAY, GO_KIND_ARRAY},
	{"func", GO_KIND_FUNC, GO_KIND_FUNC},
	{"interface", GO_KIND_INTERFACE, GO_KIND_INTERFACE},
	{"map", GO_KIND_MAP, GO_KIND_MAP},
	{"pointer", GO_KIND_POINTER, GO_KIND_POINTER},
	{"pointer", GO_KIND_UNSAFE_POINTER, GO_KIND_UNSAFE_POINTER},
	{"slice", GO_KIND_SLICE, GO_KIND_SLICE},
	{"string", GO_KIND_STRING, GO_KIND_STRING},
	{"struct", GO_KIND_STRUCT, GO_KIND_STRUCT},
};

enum { KIND_CNT = sizeof(kinds) / sizeof(kinds[0]) };

static bool is_kind_word(const char *word)
{
	for (size_t i = 0; i < KIND_CNT; i++)
		if (!strcmp(kinds[i].word, word))
			return true;
	return false;
}

/* Text behind PREFIX, or NULL. */
static const char *after(const char *text, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(text, prefix, len) ? NULL : text + len;
}

/* Splits the next word off *TEXT into a copy that lives with the process's declarations. */
static char *take_word(const char **text)
{
	size_t len = strcspn(*text, " ");
	char *word = strndup(*text, len);

	*text += len + ((*text)[len] == ' ');
	return word;
}

static int wrong(const char *where, const char *what)
{
	return log_err(-EINVAL, "declarations: %s: unknown %s", where, what);
}

static int add_probe(struct declarations *d, const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);
	struct declared_probe *probes;

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		const char *function = after(section, sections[i].prefix);

		if (!function)
			continue;
		probes = reallocarray(d->probes, d->probe_cnt + 1, sizeof(*probes));
		if (!probes)
			return -ENOMEM;
		d->probes = probes;
		probes[d->probe_cnt++] = (struct declared_probe){
			.program = bpf_program__name(prog),
			.kind = sections[i].kind,
			.function = {function},
			.library = -1,
		};
	}
	return 0;
}

static struct declared_probe *find_probe(struct declarations *d, const char *program)
{
	for (size_t i = 0; i < d->probe_cnt; i++)
		if (!strcmp(d->probes[i].program, program))
			return &d->probes[i];
	return NULL;
}

static int library_index(const struct declarations *d, const char *variable)
{
	for (size_t i = 0; i < d->library_cnt; i++)
		if (!strcmp(d->libraries[i].variable, variable))
			return i;
	return -1;
}

static int add_library(struct declarations *d, const char *variable, char *kind, char *domain,
		       const char *name)
{
	struct declared_library *libraries;
	char *scope;

	libraries = reallocarray(d->libraries, d->library_cnt + 1, sizeof(*libraries));
	if (!libraries)
		return -ENOMEM;
	d->libraries = libraries;
	if (asprintf(&scope, "gospan/%s", name) < 0)
		return -ENOMEM;
	libraries[d->library_cnt] = (struct declared_library){
		.variable = variable, .name = name, .scope = scope, .domain = domain};
	for (size_t i = SPAN_INTERNAL; i <= SPAN_CONSUMER; i++)
		if (!strcmp(kind, span_kinds[i]))
			libraries[d->library_cnt].kind = i;
	free(kind);
	return libraries[d->library_cnt++].kind ? 0 : wrong(variable, "span kind");
}

static int add_value(struct declarations *d, const struct btf *btf, const struct btf_type *var,
		     size_t tag, const char *text)
{
	const char *variable = btf__name_by_offset(btf, var->name_off);
	char *words[2] = {NULL, NULL};
	struct declared_value *values;

	for (int i = 0; i < value_tags[tag].words; i++)
		words[i] = take_word(&text);
	values = reallocarray(d->values, d->value_cnt + 1, sizeof(*values));
	if (!values)
		return -ENOMEM;
	d->values = values;
	values[d->value_cnt++] = (struct declared_value){
		.what = value_tags[tag].what,
		.variable = variable,
		.path = text,
		.needed = value_tags[tag].needed,
		.on_stack = value_tags[tag].on_stack,
		.size = btf__resolve_size(btf, var->type),
		.library = -1,
	};
	if (value_tags[tag].what == DECLARED_LIBRARY)
		return add_library(d, variable, words[0], words[1], text);
	if (value_tags[tag].needed) {
		values[d->value_cnt - 1].library = library_index(d, words[0]);
		values[d->value_cnt - 1].kind = words[1];
		if (values[d->value_cnt - 1].library < 0 && strcmp(words[0], "all"))
			return wrong(variable, "library");
		free(words[0]);
	} else {
		values[d->value_cnt - 1].kind = words[0];
	}
	if (value_tags[tag].what == DECLARED_FIELD && !is_kind_word(values[d->value_cnt - 1].kind))
		return wrong(variable, "kind of field");
	return 0;
}

/* The NULL that ends LIST stays, at LIST[MAX] at the latest. */
static int append(const struct declared_probe *probe, const char **list, int max, const char *text)
{
	for (int i = 0; i < max; i++)
		if (!list[i]) {
			list[i] = text;
			return 0;
		}
	return log_err(-EINVAL, "declarations: %s has more than %d functions", probe->program, max);
}

static int tag_probe(struct declarations *d, struct declared_probe *probe, const char *tag)
{
	const char *rest;

	if ((rest = after(tag, "go:of "))) {
		probe->library = library_index(d, rest);
		if (probe->library < 0)
			return wrong(probe->program, "library");
	}
	if ((rest = after(tag, "go:when ")))
		probe->when = rest;
	else if ((rest = after(tag, "go:unless ")))
		probe->unless = rest;
	else if ((rest = after(tag, "go:results ")))
		probe->results = strtoul(rest, NULL, 0);
	else if (!strcmp(tag, "go:needed"))
		probe->needed = true;
	else if (!strcmp(tag, "go:children"))
		probe->children = true;
	else if (!strcmp(tag, "go:sdk"))
		probe->sdk = true;
	else if (!strcmp(tag, "go:writes"))
		probe->writes = true;
	else if ((rest = after(tag, "go:also ")))
		return append(probe, probe->function, DECLARED_ALSO_MAX, rest);
	else if ((rest = after(tag, "go:except ")))
		return append(probe, probe->except, DECLARED_EXCEPT_MAX, rest);
	return 0;
}

/* GO_INSTRUMENTED, before the GO_SPAN of its library: VARIABLE is that one's. */
static int read_instrumented(struct declarations *d, const struct btf *btf)
{
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id), *on;
		const char *variable, *what;
		int library, i = 0;

		if (BTF_INFO_KIND(t->info) != BTF_KIND_DECL_TAG)
			continue;
		on = btf__type_by_id(btf, t->type);
		what = after(btf__name_by_offset(btf, t->name_off), "go:instrumented ");
		if (!what)
			continue;
		variable = btf__name_by_offset(btf, on->name_off);
		library = library_index(d, variable);
		if (library < 0)
			return wrong(variable, "library");
		while (d->libraries[library].instrumented[i])
			i++;
		if (i == DECLARED_INSTRUMENTED_MAX)
			return wrong(variable, "instrumentation: there are too many");
		d->libraries[library].instrumented[i] = what;
	}
	return 0;
}

/* An except for a function that its program does not attach to would do nothing, unnoticed. */
static int check_excepts(const struct declarations *d)
{
	for (size_t i = 0; i < d->probe_cnt; i++) {
		const struct declared_probe *probe = &d->probes[i];

		for (const char *const *except = probe->except; *except; except++) {
			const char *const *f = probe->function;

			while (*f && !declared_call_is_in(*except, *f))
				f++;
			if (probe->kind != SITE_RETURN || !*f)
				return log_err(-EINVAL, "declarations: %s has no RETs for GO_EXCEPT(\"%s\")",
					       probe->program, *except);
		}
	}
	return 0;
}

/* One pass over the decl tags: ONLY libraries first, since the others refer to them. */
static int read_tags(struct declarations *d, const struct btf *btf, bool libraries)
{
	for (__u32 id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id), *on;
		const char *tag;
		int err = 0;

		if (BTF_INFO_KIND(t->info) != BTF_KIND_DECL_TAG)
			continue;
		on = btf__type_by_id(btf, t->type);
		tag = btf__name_by_offset(btf, t->name_off);
		if (BTF_INFO_KIND(on->info) == BTF_KIND_FUNC && !libraries) {
			struct declared_probe *probe =
				find_probe(d, btf__name_by_offset(btf, on->name_off));

			err = probe ? tag_probe(d, probe, tag) : 0;
		}
		for (size_t i = 0; i < sizeof(value_tags) / sizeof(value_tags[0]) && !err; i++)
			if (BTF_INFO_KIND(on->info) == BTF_KIND_VAR &&
			    after(tag, value_tags[i].prefix) &&
			    (value_tags[i].what == DECLARED_LIBRARY) == libraries)
				err = add_value(d, btf, on, i, after(tag, value_tags[i].prefix));
		if (err)
			return err;
	}
	return 0;
}

/* Where in .rodata each variable lies. */
static int place_values(struct declarations *d, const struct btf *btf)
{
	int sec_id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	const struct btf_type *sec = sec_id < 0 ? NULL : btf__type_by_id(btf, sec_id);
	const struct btf_var_secinfo *info;

	if (!sec)
		return log_err(-ENOENT, "declarations: the BPF object has no read-only data");
	info = (const void *)(sec + 1);
	for (size_t i = 0; i < d->value_cnt; i++) {
		size_t n, cnt = BTF_INFO_VLEN(sec->info);

		for (n = 0; n < cnt; n++) {
			const struct btf_type *var = btf__type_by_id(btf, info[n].type);

			if (!strcmp(btf__name_by_offset(btf, var->name_off), d->values[i].variable))
				break;
		}
		if (n == cnt)
			return log_err(-ENOENT, "declarations: %s is not read-only data",
				       d->values[i].variable);
		d->values[i].rodata_off = info[n].offset;
	}
	return 0;
}

int declarations__read(const struct bpf_object *obj, struct declarations **out)
{
	const struct btf *btf = bpf_object__btf(obj);
	struct declarations *d = calloc(1, sizeof(*d));
	struct bpf_program *prog;
	int err = 0;

	if (!d)
		return -ENOMEM;
	bpf_object__for_each_program(prog, (struct bpf_object *)obj)
	{
		err = add_probe(d, prog);
		if (err)
			goto cleanup;
	}
	err = read_tags(d, btf, true);
	if (!err)
		err = read_tags(d, btf, false);
	if (!err)
		err = read_instrumented(d, btf);
	if (!err)
		err = place_values(d, btf);
	if (!err)
		err = check_excepts(d);
	if (err)
		goto cleanup;
	*out = d;
	return 0;
cleanup:
	declarations__free(d);
	return err;
}

void declarations__free(struct declarations *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->value_cnt; i++)
		free((char *)d->values[i].kind);
	for (size_t i = 0; i < d->library_cnt; i++) {
		free((char *)d->libraries[i].domain);
		free(d->libraries[i].scope);
	}
	free(d->libraries);
	free(d->probes);
	free(d->values);
	free(d);
}

const char *declared_callee(const char *function, char *buf, size_t buf_sz)
{
	const char *split = strchr(function, '>');

	snprintf(buf, buf_sz, "%.*s", split ? (int)(split - function) : (int)strlen(function),
		 function);
	return split ? split + 1 : NULL;
}

bool declared_call_is_in(const char *calls, const char *caller)
{
	const char *callee = after(calls, caller);

	return callee && *callee == '>';
}

bool kind_is(enum go_kind kind, const char *word)
{
	for (size_t i = 0; i < KIND_CNT; i++)
		if (!strcmp(kinds[i].word, word) && kind >= kinds[i].from && kind <= kinds[i].to)
			return true;
	return false;
}
