/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exercise: asks every question of resolve.h of whatever opens. Shared by the hostile-input test
 * and the fuzz targets; what counts is that nothing crashes, hangs or breaks the contract.
 */
#ifndef GOSPAN_TESTS_EXERCISE_H
#define GOSPAN_TESTS_EXERCISE_H

#include <stdlib.h>
#include <string.h>

#include "../../../offsets/resolve.h"

enum { EXERCISE_FIELDS = 64, EXERCISE_FRAMES = 16 };

/* What grows with the executable. */
struct exercise_effort {
	uint64_t types; /* places behind each type found that are taken for one */
	uint64_t step;	/* between addresses that are read */
};

/* Inlined ones, then the one with a body; their texts are read to the end. */
static void exercise__frames(const struct frame_fact *frames, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++)
		if (frames[i].inlined != (i + 1 < cnt) || strlen(frames[i].function) > 1 << 16 ||
		    strlen(frames[i].file) > 1 << 16)
			abort();
}

static void exercise__functions(const struct resolve *r)
{
	static const char *const names[] = {"main.main",       "runtime.gopanic",
					    "runtime.memmove", "net/http.(*conn).serve",
					    "nothing.here",    ""};
	struct frame_fact frames[EXERCISE_FRAMES];
	struct function_fact f;
	const char *file;
	uint32_t frame;
	int line;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (resolve__function(r, names[i], &f))
			continue;
		resolve__function_at(r, f.addr + f.size / 2, &f);
		for (uint64_t addr = f.addr; addr < f.addr + f.size && addr < f.addr + 64; addr++) {
			resolve__line(r, addr, &file, &line);
			resolve__frame_size(r, addr, &frame);
			exercise__frames(frames, resolve__frames(r, addr, frames, EXERCISE_FRAMES));
		}
		resolve__bytes(r, f.addr, f.size);
	}
	resolve__has_package(r, "runtime");
}

static void exercise__type(const struct resolve *r, uint64_t addr)
{
	struct type_fact type;
	struct field_fact field;
	const char *name;
	size_t name_len;
	char buf[128];

	resolve__type_at(r, addr, &type);
	resolve__type_name(r, addr, buf, sizeof(buf));
	resolve__includes(r, addr, addr + 8);
	for (size_t i = 0; i < EXERCISE_FIELDS; i++) {
		if (resolve__type_field(r, addr, i, &name, &name_len, &field))
			break;
		resolve__type_at(r, field.type_addr, &type);
	}
}

static int exercise__implementer(void *ctx, const struct type_fact *type)
{
	int *left = ctx;

	if (!type->addr)
		abort();
	return --*left == 0;
}

static void exercise__types(const struct resolve *r, const struct exercise_effort *effort)
{
	static const char *const names[] = {"runtime.g",
					    "*runtime.g",
					    "runtime.moduledata",
					    "context.Context",
					    "**errors.errorString",
					    "*",
					    ""};
	static const char *const fields[] = {"runtime.g.goid",
					     "runtime.g.sched.sp",
					     "runtime.iface.data",
					     "os.File.file",
					     "runtime.g.m.nothing",
					     "a.b.c.d",
					     "map.group[string][]string.ctrl"};
	struct type_fact type;
	struct field_fact field;
	int left = effort->types;
	struct why why;
	uint64_t itab;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (resolve__type(r, names[i], &type))
			continue;
		for (uint64_t off = 0; off < effort->types * 8; off += 8)
			exercise__type(r, type.addr + off);
	}
	resolve__itab(r, "error", "*runtime.boundsError", &itab);
	resolve__each_implementer(r, "context.Context", exercise__implementer, &left);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		resolve__stack_field(r, fields[i], &field, &why);
}

/* The result of resolve__open(). MORE, unless NULL, asks what is no part of resolve.h. */
static inline int exercise(int fd, struct exercise_effort effort,
			   void (*more)(const struct resolve *r))
{
	struct resolve *r = NULL;
	struct why why = {""};
	uint64_t word, off;
	int err = resolve__open(fd, "image", &r, &why);

	if (err) {
		if (r || !why.text[0] || (err != -8 && err != -5 && err != -12))
			abort(); /* ENOEXEC, EIO, ENOMEM, and a reason */
		return err;
	}
	if (!resolve__info(r)->go_version)
		abort();
	exercise__functions(r);
	exercise__types(r, &effort);
	if (more)
		more(r);
	for (uint64_t addr = 16; addr < 0x2000000; addr += effort.step) {
		resolve__read(r, addr, &word, sizeof(word));
		resolve__file_off(r, addr, &off);
	}
	resolve__free(r);
	return 0;
}

#endif
