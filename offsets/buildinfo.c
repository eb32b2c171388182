/* SPDX-License-Identifier: Apache-2.0 */
#include "buildinfo.h"

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static const uint8_t magic[] = "\xff Go buildinf:";

enum {
	MAGIC_SIZE = sizeof(magic) - 1,
	HEADER_SIZE = 32,
	FLAGS_OFF = 15,
	INLINE_STRINGS = 2,
	MODINFO_GUARD = 16, /* bytes before and after the module text (runtime/debug/mod.go) */
	VERSION_MAX = 256,
	MODINFO_MAX = 1 << 20,
	BUILD_ID_MAX = 256,
};

struct text {
	const char *start;
	size_t len;
};

static struct text inline_string(struct cursor *c, size_t max)
{
	size_t len = cursor__varint(c);
	const uint8_t *bytes = len <= max ? cursor__bytes(c, len) : NULL;

	return bytes ? (struct text){(const char *)bytes, len} : (struct text){"", 0};
}

/* The Go string whose header is at ADDR (pointer, length). */
static struct text header_string(const struct image *image, uint64_t addr, size_t max)
{
	struct cursor c = image__cursor(image, addr, 16);
	uint64_t start = cursor__word(&c), len = cursor__u64(&c);
	const char *bytes = !c.overrun && len <= max ? image__at(image, start, len) : NULL;

	return bytes ? (struct text){bytes, len} : (struct text){"", 0};
}

static void read_strings(const struct image *image, uint64_t addr, struct text *version,
			 struct text *modinfo)
{
	struct cursor c = image__cursor_to_end(image, addr);
	uint8_t flags;

	cursor__skip(&c, FLAGS_OFF);
	flags = cursor__u8(&c);
	if (flags & INLINE_STRINGS) {
		cursor__skip(&c, HEADER_SIZE - FLAGS_OFF - 1);
		*version = inline_string(&c, VERSION_MAX);
		*modinfo = inline_string(&c, MODINFO_MAX);
	} else {
		uint64_t version_addr = cursor__word(&c), modinfo_addr = cursor__word(&c);

		*version = header_string(image, version_addr, VERSION_MAX);
		*modinfo = header_string(image, modinfo_addr, MODINFO_MAX);
	}
	if (modinfo->len >= 2 * MODINFO_GUARD) {
		modinfo->start += MODINFO_GUARD;
		modinfo->len -= 2 * MODINFO_GUARD;
	}
}

static bool starts_with(struct text text, const char *prefix)
{
	size_t len = strlen(prefix);

	return text.len >= len && !memcmp(text.start, prefix, len);
}

/* Programs that read build info hold the magic as data: only a sensible version makes it real. */
static bool is_buildinfo(void *ctx, uint64_t addr, const uint8_t *bytes)
{
	struct text version, modinfo;

	/* of millions of places: the call is worth it for few */
	if (bytes[0] != magic[0] || memcmp(bytes, magic, MAGIC_SIZE))
		return false;
	read_strings(ctx, addr, &version, &modinfo);
	return starts_with(version, "go1") || starts_with(version, "devel");
}

/* Text up to the next tab or line end; advances REST behind it. */
static struct text next_word(struct text *rest)
{
	struct text word = {rest->start, 0};

	while (word.len < rest->len && word.start[word.len] != '\t' && word.start[word.len] != '\n')
		word.len++;
	rest->start += word.len;
	rest->len -= word.len;
	if (rest->len && *rest->start == '\t') {
		rest->start++;
		rest->len--;
	}
	return word;
}

static int keep(char **out, struct text text)
{
	char *copy = strndup(text.start, text.len);

	if (!copy)
		return -ENOMEM;
	free(*out);
	*out = copy;
	return 0;
}

/* One line: "path\tP", "mod\tPATH\tVERSION\tSUM", "build\tKEY=VALUE"; "dep" lines are read_deps()'s. */
static int read_modinfo_line(struct text line, struct buildinfo *out)
{
	static const char vcs_revision[] = "vcs.revision=";
	struct text key = next_word(&line);
	int err = 0;

	if (key.len == 4 && starts_with(key, "path"))
		return keep(&out->main_path, next_word(&line));
	if (key.len == 3 && starts_with(key, "mod")) {
		err = keep(&out->module, next_word(&line));
		if (!err)
			err = keep(&out->module_version, next_word(&line));
	} else if (key.len == 5 && starts_with(key, "build") && starts_with(line, vcs_revision)) {
		struct text value = next_word(&line);

		value.start += strlen(vcs_revision);
		value.len -= strlen(vcs_revision);
		err = keep(&out->vcs_revision, value);
	}
	return err;
}

/* Text up to the next line end; advances REST behind it. */
static struct text next_line(struct text *rest)
{
	const char *end = memchr(rest->start, '\n', rest->len);
	struct text line = {rest->start, end ? (size_t)(end - rest->start) : rest->len};

	rest->start += line.len + (end ? 1 : 0);
	rest->len -= line.len + (end ? 1 : 0);
	return line;
}

/* Lines "dep\tPATH\tVERSION\tSUM". */
static int read_deps(struct text modinfo, struct buildinfo *out)
{
	char *deps = malloc(modinfo.len + 1), *to = deps, *shrunk;

	if (!deps)
		return -ENOMEM;
	while (modinfo.len) {
		struct text line = next_line(&modinfo), key = next_word(&line);

		if (key.len != 3 || !starts_with(key, "dep"))
			continue;
		key = next_word(&line);
		memcpy(to, key.start, key.len);
		to += key.len;
		*to++ = '\n'; /* in the place of the tab behind dep */
	}
	*to++ = '\0';
	shrunk = realloc(deps, to - deps);
	free(out->deps);
	out->deps = shrunk ? shrunk : deps;
	return 0;
}

static int read_modinfo(struct text modinfo, struct buildinfo *out)
{
	int err = read_deps(modinfo, out);

	while (!err && modinfo.len)
		err = read_modinfo_line(next_line(&modinfo), out);
	return err;
}

bool buildinfo__has_dep(const struct buildinfo *info, const char *path)
{
	const char *dep = info->deps;
	size_t len;

	for (; *dep; dep += len + (dep[len] == '\n')) {
		len = strcspn(dep, "\n");
		if (len == strlen(path) && !memcmp(dep, path, len))
			return true;
	}
	return false;
}

/* -- build ids: the GNU one, else Go's own (note "Go", type 4: cmd/internal/buildid) -- */

static int keep_hex(char **out, const uint8_t *bytes, size_t len)
{
	char *hex = calloc(len * 2 + 1, 1);

	if (!hex)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		snprintf(hex + i * 2, 3, "%02x", bytes[i]);
	free(*out);
	*out = hex;
	return 0;
}

/* 1 when the GNU build id was there, which is the best there is. */
static int read_notes(const struct image *image, const struct segment *notes, struct buildinfo *out)
{
	struct cursor c = image__cursor(image, notes->addr, notes->size);
	int err = 0;

	while (!c.overrun && !err) {
		uint32_t name_sz = cursor__u32(&c), desc_sz = cursor__u32(&c);
		uint32_t type = cursor__u32(&c);
		const uint8_t *name = cursor__bytes(&c, ((uint64_t)name_sz + 3) & ~3ULL);
		const uint8_t *desc = cursor__bytes(&c, ((uint64_t)desc_sz + 3) & ~3ULL);

		if (!desc || !name || name_sz != 4 || desc_sz > BUILD_ID_MAX)
			continue;
		if (type == NT_GNU_BUILD_ID && !memcmp(name, "GNU", 4))
			return keep_hex(&out->build_id, desc, desc_sz) ? -ENOMEM : 1;
		if (type == 4 && !memcmp(name, "Go\0", 4))
			err = keep(&out->build_id, (struct text){(const char *)desc, desc_sz});
	}
	return err;
}

static int read_build_id(const struct image *image, struct buildinfo *out)
{
	int err = 0;

	for (size_t i = 0; i < image->note_cnt && !err; i++)
		err = read_notes(image, &image->notes[i], out);
	return err < 0 ? err : 0;
}

static int minor_of(const char *version)
{
	int minor = 0;

	return sscanf(version, "go1.%3d", &minor) == 1 ? minor : 0;
}

static int init_empty(struct buildinfo *info)
{
	char **fields[] = {&info->go_version, &info->build_id,	     &info->main_path,
			   &info->module,     &info->module_version, &info->vcs_revision,
			   &info->deps};

	memset(info, 0, sizeof(*info));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		*fields[i] = strdup("");
		if (!*fields[i])
			return -ENOMEM;
	}
	return 0;
}

int buildinfo__read(const struct image *image, struct buildinfo *out)
{
	struct text version = {"", 0}, modinfo = {"", 0};
	struct buildinfo info;
	uint64_t addr;
	int err;

	err = init_empty(&info);
	if (err)
		goto cleanup;
	addr = image__search(image, 16, HEADER_SIZE, is_buildinfo, (void *)image);
	if (addr)
		read_strings(image, addr, &version, &modinfo);
	err = keep(&info.go_version, version);
	if (!err)
		err = read_modinfo(modinfo, &info);
	if (!err)
		err = read_build_id(image, &info);
	info.go_minor = minor_of(info.go_version);
cleanup:
	if (err)
		buildinfo__free(&info);
	else
		*out = info;
	return err;
}

void buildinfo__free(struct buildinfo *info)
{
	free(info->go_version);
	free(info->build_id);
	free(info->main_path);
	free(info->module);
	free(info->module_version);
	free(info->vcs_revision);
	free(info->deps);
	memset(info, 0, sizeof(*info));
}
