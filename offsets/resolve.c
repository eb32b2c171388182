/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "buildinfo.h"
#include "dwarf.h"
#include "image.h"
#include "itab.h"
#include "moduledata.h"
#include "pclntab.h"
#include "rtype.h"
#include "symtab.h"
#include "why.h"

enum { GO_MINOR_MIN = 17 }; /* fully from 1.19; 1.17 and 1.18 as far as they are like it */

struct resolve {
	struct image *image;
	struct buildinfo build;
	struct moduledata md;
	struct pclntab *functions;
	struct rtype *types;
	struct dwarf *dwarf; /* opened by the first field that type data does not have */
	bool dwarf_tried;
	struct go_info info;
};

/* -- life -- */

static int check_version(const struct buildinfo *build, struct why *why)
{
	if (build->go_minor && build->go_minor < GO_MINOR_MIN)
		return why__set(why, -ENOEXEC, "built with %s: Go 1.19 or newer is needed",
				build->go_version);
	return 0;
}

/* Not finding the function table means something else for a file that names a Go version. */
static int find_go(struct resolve *r, struct why *why)
{
	struct why reason = {""};
	int err = moduledata__find(r->image, &r->md, &r->types, &reason);

	if (err == -ENOEXEC && !r->build.go_version[0])
		return why__set(why, err, "not a Go program");
	if (err == -ENOEXEC)
		return why__set(why, err, "built with %s, but %s (gccgo, TinyGo or damaged)",
				r->build.go_version, reason.text);
	if (err && r->build.go_version[0])
		return why__set(why, err, "%s (built with %s)", reason.text, r->build.go_version);
	return err ? why__set(why, err, "%s", reason.text) : 0;
}

static void fill_info(struct resolve *r)
{
	r->info = (struct go_info){
		.go_version = r->build.go_version,
		.build_id = r->build.build_id,
		.main_path = r->build.main_path,
		.module = r->build.module,
		.module_version = r->build.module_version,
		.vcs_revision = r->build.vcs_revision,
		.arch = r->image->arch,
		.pie = r->image->pie,
		.stripped = !symtab__present(r->image),
		.function_cnt = pclntab__cnt(r->functions),
		.type_cnt = r->types->struct_cnt,
	};
}

int resolve__open(int fd, const char *name, struct resolve **out, struct why *why)
{
	struct resolve *r = calloc(1, sizeof(*r));
	struct why reason = {"out of memory"};
	int err = r ? image__open(fd, &r->image, &reason) : -ENOMEM;

	if (!err)
		err = buildinfo__read(r->image, &r->build);
	if (!err)
		err = check_version(&r->build, &reason);
	if (!err)
		err = find_go(r, &reason);
	if (!err)
		err = pclntab__open(r->image, &r->md, &r->functions, &reason);
	if (err) {
		resolve__free(r);
		return why__set(why, err, "%s: %s", name, reason.text);
	}
	fill_info(r);
	*out = r;
	return 0;
}

void resolve__free(struct resolve *r)
{
	if (!r)
		return;
	dwarf__free(r->dwarf);
	pclntab__free(r->functions);
	rtype__free(r->types);
	buildinfo__free(&r->build);
	image__free(r->image);
	free(r);
}

void resolve__rest(const struct resolve *r)
{
	image__forget_all(r->image);
}

bool resolve__is_intact(const struct resolve *r)
{
	return image__is_intact(r->image);
}

bool resolve__is_there(const struct resolve *r)
{
	return image__is_there(r->image);
}

int resolve__fd(const struct resolve *r)
{
	return r->image->fd;
}

const struct go_info *resolve__info(const struct resolve *r)
{
	return &r->info;
}

/* -- bytes -- */

int resolve__read(const struct resolve *r, uint64_t addr, void *buf, size_t sz)
{
	return image__read(r->image, addr, buf, sz);
}

const void *resolve__bytes(const struct resolve *r, uint64_t addr, size_t sz)
{
	return image__at(r->image, addr, sz);
}

int resolve__file_off(const struct resolve *r, uint64_t addr, uint64_t *out)
{
	const struct segment *s = image__segment(r->image, addr);

	if (!s)
		return -EFAULT;
	*out = s->file_off + (addr - s->addr);
	return 0;
}

uint64_t resolve__end(const struct resolve *r)
{
	return r->image->end;
}

uint64_t resolve__constants_end(const struct resolve *r)
{
	return r->image->read_only_end < r->image->end ? r->image->read_only_end : r->image->end;
}

void resolve__text(const struct resolve *r, uint64_t *start, uint64_t *end)
{
	*start = r->md.text;
	*end = r->md.etext;
}

/* -- functions -- */

/*
 * Functions are padded to their alignment: with int3 on amd64, where a final "jmp rel8" may end in
 * the same byte, with zero words on arm64.
 */
static uint64_t size_without_padding(const uint8_t *code, uint64_t size, enum go_arch arch)
{
	static const uint8_t zeros[4];
	uint64_t all = size;

	if (arch == GO_ARCH_ARM64) {
		while (size >= 4 && !memcmp(code + size - 4, zeros, 4))
			size -= 4;
		return size;
	}
	while (size && code[size - 1] == 0xcc)
		size--;
	if (size && size < all && code[size - 1] == 0xeb)
		size++;
	return size;
}

static int function_fact(const struct resolve *r, size_t i, struct function_fact *out)
{
	struct pclntab_function f = pclntab__function(r->functions, i);
	struct function_fact fact = {.addr = f.entry, .size = f.end - f.entry};
	const uint8_t *code = resolve__bytes(r, f.entry, fact.size);
	int err = resolve__file_off(r, f.entry, &fact.file_off);

	if (err || !code)
		return -ENOENT;
	fact.size = size_without_padding(code, fact.size, r->info.arch);
	*out = fact;
	return 0;
}

int resolve__function(const struct resolve *r, const char *name, struct function_fact *out)
{
	size_t i;
	int err = pclntab__find(r->functions, name, &i);

	return err ? err : function_fact(r, i, out);
}

const char *resolve__function_at(const struct resolve *r, uint64_t addr, struct function_fact *out)
{
	size_t i;

	if (pclntab__at(r->functions, addr, &i) || (out && function_fact(r, i, out)))
		return NULL;
	return pclntab__name(r->functions, i);
}

int resolve__line(const struct resolve *r, uint64_t addr, const char **file, int *line)
{
	size_t i;
	int err = pclntab__at(r->functions, addr, &i);

	return err ? err : pclntab__line(r->functions, i, addr, file, line);
}

size_t resolve__frames(const struct resolve *r, uint64_t addr, struct frame_fact *out, size_t cap)
{
	size_t i;

	return pclntab__at(r->functions, addr, &i) ? 0 :
	       pclntab__frames(r->functions, i, addr, out, cap);
}

bool resolve__has_package(const struct resolve *r, const char *path)
{
	return pclntab__has_package(r->functions, path);
}

int resolve__frame_size(const struct resolve *r, uint64_t addr, uint32_t *out)
{
	size_t i;
	int err = pclntab__at(r->functions, addr, &i);

	return err ? err : pclntab__frame_size(r->functions, i, addr, out);
}

/* -- types -- */

int resolve__type(const struct resolve *r, const char *name, struct type_fact *out)
{
	uint64_t addr;
	int err = rtype__find(r->types, name, strlen(name), &addr);

	return err ? err : rtype__at(r->types, addr, out);
}

int resolve__type_at(const struct resolve *r, uint64_t addr, struct type_fact *out)
{
	return rtype__at(r->types, addr, out);
}

int resolve__type_name(const struct resolve *r, uint64_t addr, char *buf, size_t buf_sz)
{
	return rtype__name(r->types, addr, buf, buf_sz);
}

static int field_fact(const struct resolve *r, const struct rtype_field *field, uint64_t base,
		      struct field_fact *out)
{
	struct type_fact type;
	int err = rtype__at(r->types, field->type, &type);

	if (err)
		return err;
	if (base + field->offset > UINT32_MAX || type.size > UINT32_MAX)
		return -EIO;
	*out = (struct field_fact){
		.offset = base + field->offset,
		.size = type.size,
		.kind = type.kind,
		.source = FACT_TYPE_DATA,
		.type_addr = field->type,
		.embedded = field->embedded,
	};
	return 0;
}

int resolve__type_field(const struct resolve *r, uint64_t addr, size_t i, const char **name,
			size_t *name_len, struct field_fact *out)
{
	struct rtype_field field;
	int err = rtype__field(r->types, addr, i, &field);

	if (!err)
		err = field_fact(r, &field, 0, out);
	if (err)
		return err;
	*name = field.name;
	*name_len = field.name_len;
	return 0;
}

int resolve__itab(const struct resolve *r, const char *interface, const char *type, uint64_t *addr)
{
	struct type_fact held_in, held;
	struct itab_walk walk = {0};
	struct itab itab;
	int err = resolve__type(r, interface, &held_in);

	if (!err)
		err = resolve__type(r, type, &held);
	if (err)
		return err;
	while (itab__next(r->image, &r->md, &walk, &itab)) {
		if (itab.interface == held_in.addr && itab.type == held.addr) {
			*addr = itab.addr;
			return 0;
		}
	}
	return -ENOENT;
}

bool resolve__includes(const struct resolve *r, uint64_t wide, uint64_t narrow)
{
	return wide == narrow || itab__includes(r->image, wide, narrow);
}

int resolve__each_implementer(const struct resolve *r, const char *interface,
			      int (*fn)(void *ctx, const struct type_fact *type), void *ctx)
{
	struct itab_walk walk = {0};
	struct type_fact held_in, held;
	struct itab itab;
	int err = resolve__type(r, interface, &held_in);

	while (!err && itab__next(r->image, &r->md, &walk, &itab)) {
		if (resolve__includes(r, itab.interface, held_in.addr) &&
		    !rtype__at(r->types, itab.type, &held))
			err = fn(ctx, &held);
	}
	return err;
}

/* -- fields -- */

/*
 * Length of PATH up to the first dot behind FROM that ends a type's name: dots in the directories
 * of an import path and in type arguments do not. 0 when there is none.
 */
static size_t next_split(const char *path, size_t from)
{
	size_t dot = 0, depth = 0;

	for (size_t i = 0; path[i]; i++) {
		if (path[i] == '[')
			depth++;
		if (path[i] == ']' && depth)
			depth--;
		if (path[i] == '/' && !depth)
			dot = 0;
		if (path[i] == '.' && !depth && !dot && i > from)
			dot = i;
	}
	return dot;
}

/* Where the struct's name ends in PATH ("gopkg.in/yaml.v3.Node.Kind"): the first that exists. */
static int find_root(const struct resolve *r, const char *path, uint64_t *type, size_t *len)
{
	for (*len = next_split(path, 0); *len; *len = next_split(path, *len)) {
		int err = rtype__find(r->types, path, *len, type);
		struct type_fact fact;

		if (!err && (rtype__at(r->types, *type, &fact) || fact.kind != GO_KIND_STRUCT))
			err = -ENOENT;
		if (err != -ENOENT)
			return err;
	}
	return -ENOENT;
}

/* Follows REST ("cw.wroteHeader") from the struct at TYPE. */
static int walk(const struct resolve *r, uint64_t type, const char *path, const char *rest,
		struct field_fact *out, struct why *why)
{
	uint64_t base = 0;

	for (;;) {
		size_t len = strcspn(rest, ".");
		struct rtype_field field;
		struct field_fact fact;

		if (rtype__field_named(r->types, type, rest, len, &field))
			return why__set(why, -ENOENT, "%.*s has no field %.*s",
					(int)(rest - path - 1), path, (int)len, rest);
		if (field_fact(r, &field, base, &fact))
			return why__set(why, -ENOENT, "%.*s: its type is damaged",
					(int)(rest + len - path), path);
		if (!rest[len]) {
			*out = fact;
			return 0;
		}
		if (fact.kind != GO_KIND_STRUCT)
			return why__set(why, -ENOENT, "%.*s is no struct", (int)(rest + len - path),
					path);
		base = fact.offset;
		type = field.type;
		rest += len + 1;
	}
}

static struct dwarf *ensure_dwarf(const struct resolve *r)
{
	struct resolve *lazy = (struct resolve *)r;

	if (!r->dwarf_tried)
		dwarf__open(r->image, &lazy->dwarf);
	lazy->dwarf_tried = true;
	return r->dwarf;
}

/*
 * The types that live only on stacks or in globals. Opening DWARF costs far more than everything
 * else here: it is not done for packages that are not linked, whose types cannot be in it.
 */
static int find_in_dwarf(const struct resolve *r, const char *path, struct field_fact *out,
			 struct why *why)
{
	size_t package_len = name__package_len(path, strlen(path));
	int err = -ENOENT;
	char package[256];

	if (!package_len || package_len >= sizeof(package))
		return err;
	memcpy(package, path, package_len);
	package[package_len] = '\0';
	if (r->info.stripped || !resolve__has_package(r, package) || !ensure_dwarf(r))
		return err;
	for (size_t len = next_split(path, 0); len && err == -ENOENT; len = next_split(path, len)) {
		err = dwarf__field(r->dwarf, path, len, path + len + 1, out);
		if (err == -ESRCH)
			return why__set(why, -ENOENT, "no field of that path: %s", path);
	}
	return err == -ENOTUNIQ ? why__set(why, err, "%s: several types of this name", path) : err;
}

int resolve__field(const struct resolve *r, const char *path, struct field_fact *out,
		   struct why *why)
{
	uint64_t type;
	size_t len;
	int err = find_root(r, path, &type, &len);

	if (!err)
		return walk(r, type, path, path + len + 1, out, why);
	if (err == -ENOENT)
		return why__set(why, err, "no type of %s in the executable", path);
	return why__set(why, err, "%.*s: several types of this name", (int)len, path);
}

int resolve__stack_field(const struct resolve *r, const char *path, struct field_fact *out,
			 struct why *why)
{
	struct why missing = {""};
	int err = resolve__field(r, path, out, &missing);

	if (err == -ENOENT)
		err = find_in_dwarf(r, path, out, &missing);
	return err ? why__set(why, err, "%s", missing.text) : 0;
}
