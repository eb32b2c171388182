/* SPDX-License-Identifier: Apache-2.0 */
#include "pclntab.h"

#include <errno.h>
#include <stdlib.h>

#include "pclntab_table.h"
#include "why.h"

enum {
	NAME_MAX_LEN = 8192,  /* generic functions have long names */
	NAME_SHARING_MAX = 8, /* functions a name, on average: more means a forged table */
	FORGET_EVERY = 32768, /* functions */
};

static const struct pclntab_layout layout_1_16 = {8, 8, 20, 2, 12, 16, false};
static const struct pclntab_layout layout_1_18 = {4, 4, 20, 2, 12, 16, false};
static const struct pclntab_layout layout_1_20 = {4, 4, 16, 0, 4, 8, true};

/* -- records -- */

static struct cursor slice_cursor(const struct image *image, struct slice slice, uint64_t elem_sz)
{
	if (slice.len > image->size / elem_sz)
		return (struct cursor){.overrun = true};
	return image__cursor(image, slice.addr, slice.len * elem_sz);
}

/* Entry pc and _func offset of record I; I == cnt is the end. */
static bool read_ftab(const struct pclntab *p, size_t i, uint64_t *entry, uint64_t *func_off)
{
	size_t sz = 2 * p->layout->pc_sz;
	struct cursor c = cursor__window(&p->ftab, i * sz, i < p->cnt ? sz : sz / 2);

	if (p->layout->pc_sz == 8) {
		*entry = cursor__word(&c);
		*func_off = i < p->cnt ? cursor__u64(&c) : 0;
	} else {
		*entry = p->text + cursor__u32(&c);
		*func_off = i < p->cnt ? cursor__u32(&c) : 0;
	}
	return !c.overrun;
}

bool pclntab__read_func(const struct pclntab *p, size_t i, struct pclntab_func *f)
{
	const uint8_t *numbers, *bytes;
	uint32_t words[8];
	struct cursor c;
	uint64_t off;

	if (i >= p->cnt || !read_ftab(p, i, &f->entry, &off))
		return false;
	c = p->funcs;
	cursor__skip(&c, off + p->layout->pc_sz);
	numbers = cursor__bytes(&c, sizeof(words));
	cursor__skip(&c, p->layout->has_start_line ? 4 : 0);
	bytes = cursor__bytes(&c, 4);
	if (!numbers || !bytes)
		return false;
	memcpy(words, numbers, sizeof(words));
	f->name_off = words[0]; /* then args and deferreturn */
	f->pcsp = words[3];
	f->pcfile = words[4];
	f->pcln = words[5];
	f->npcdata = words[6];
	f->cu_off = words[7];
	f->id = bytes[0];
	f->nfuncdata = bytes[3];
	f->tail = c;
	return true;
}

const char *pclntab__read_string(const struct cursor *table, uint64_t off, size_t *len)
{
	struct cursor c = *table;
	const uint8_t *end;
	size_t left;

	cursor__skip(&c, off);
	left = c.overrun ? 0 : c.end - c.pos;
	end = left ? memchr(c.pos, 0, left < NAME_MAX_LEN ? left : NAME_MAX_LEN) : NULL;
	if (!end)
		return NULL;
	*len = end - c.pos;
	return (const char *)c.pos;
}

static const char *raw_name(const struct pclntab *p, size_t i, size_t *len)
{
	struct pclntab_func f;

	return pclntab__read_func(p, i, &f) ? pclntab__read_string(&p->names, f.name_off, len) : NULL;
}

struct pclntab_function pclntab__function(const struct pclntab *p, size_t i)
{
	struct pclntab_function f = {0};
	uint64_t off;

	if (!read_ftab(p, i, &f.entry, &off) || !read_ftab(p, i + 1, &f.end, &off) ||
	    f.end < f.entry)
		f.end = f.entry;
	return f;
}

int pclntab__at(const struct pclntab *p, uint64_t addr, size_t *i)
{
	size_t low = 0, high = p->cnt;
	uint64_t entry, off;

	/* the last record whose entry is not behind ADDR */
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (!read_ftab(p, mid, &entry, &off))
			return -ENOENT;
		if (entry <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || addr >= pclntab__function(p, low - 1).end)
		return -ENOENT;
	*i = low - 1;
	return 0;
}

const char *pclntab__name(struct pclntab *p, size_t i)
{
	char buf[NAME_MAX_LEN];
	const char *name;
	size_t len;

	name = raw_name(p, i, &len);
	if (!name || !memchr(name, '%', len))
		return name ? name + name__vendor_prefix(name, len) : NULL;
	if (!p->unescaped)
		p->unescaped = calloc(p->cnt, sizeof(*p->unescaped));
	if (!p->unescaped)
		return NULL;
	if (!p->unescaped[i] && name__normalise(name, len, buf, sizeof(buf)) >= 0)
		p->unescaped[i] = strdup(buf);
	return p->unescaped[i];
}

/* -- the index -- */

/* Neighbours are mostly of one package: this is name__package_len() for that case, but short. */
static bool is_of_package(const char *name, size_t len, const struct pclntab_package *package)
{
	size_t i = package->len;

	if (len <= i || name[i] != '.' || memcmp(name, package->name, i))
		return false;
	while (i < len && name[i] != '(' && name[i] != '[' && name[i] != '/')
		i++;
	return i == len || name[i] != '/';
}

/* Remembers NAME's package unless the function before was of the same one. */
static int note_package(struct pclntab *p, const char *name, size_t len, size_t *cap)
{
	size_t package_len;

	if (p->package_cnt && is_of_package(name, len, &p->packages[p->package_cnt - 1]))
		return 0;
	package_len = name__package_len(name, len);
	if (!package_len)
		return 0;
	if (p->package_cnt == *cap) {
		size_t wider = *cap ? *cap * 2 : 256;
		struct pclntab_package *packages = realloc(p->packages, wider * sizeof(*packages));

		if (!packages)
			return -ENOMEM;
		p->packages = packages;
		*cap = wider;
	}
	p->packages[p->package_cnt++] = (struct pclntab_package){
		name, package_len, name__tail_hash(name, package_len, "/")};
	return 0;
}

/* They are a third of the file: the index needs each page of them once only. */
static void forget_tables(const struct pclntab *p)
{
	image__forget(p->image, p->names.addr, p->names.end - p->names.pos);
	image__forget(p->image, p->funcs.addr, p->funcs.end - p->funcs.pos);
}

static int build_index(struct pclntab *p)
{
	uint64_t budget = (uint64_t)(p->names.end - p->names.pos) * NAME_SHARING_MAX;
	size_t package_cap = 0;
	int err = name_index__init(&p->by_name, p->cnt);

	for (size_t i = 0; !err && i < p->cnt; i++) {
		const char *name;
		struct pclntab_func f;
		size_t len;

		if (!pclntab__read_func(p, i, &f))
			return -EIO;
		name = pclntab__read_string(&p->names, f.name_off, &len);
		if (name && len > budget)
			return -EIO;
		if (!name)
			continue;
		budget -= len;
		if (f.id > p->wrapper_id)
			p->wrapper_id = f.id;
		name_index__add(&p->by_name, name__tail_hash(name, len, "/"), i);
		err = note_package(p, name, len, &package_cap);
		if (i % FORGET_EVERY == 0)
			forget_tables(p);
	}
	forget_tables(p);
	return err;
}

int pclntab__ensure_index(struct pclntab *p)
{
	if (!p->indexed) {
		p->indexed = true;
		p->index_err = build_index(p);
	}
	return p->index_err;
}

/* Candidates of one name, best rank first: the ABIInternal body is an ordinary function. */
enum { RANK_ORDINARY, RANK_SPECIAL, RANK_WRAPPER, RANK_CNT };

struct candidates {
	size_t cnt[RANK_CNT];
	size_t function[RANK_CNT];
};

static int settle(const struct candidates *c, size_t *i)
{
	for (int rank = 0; rank < RANK_CNT; rank++) {
		if (c->cnt[rank] > 1)
			return -ENOTUNIQ;
		if (c->cnt[rank]) {
			*i = c->function[rank];
			return 0;
		}
	}
	return -ENOENT;
}

int pclntab__find(struct pclntab *p, const char *name, size_t *i)
{
	struct candidates exact = {0}, normalised = {0};
	size_t len = strlen(name);
	int err = pclntab__ensure_index(p);
	uint32_t hash = name__tail_hash(name, len, "/");

	if (err)
		return err;
	for (uint32_t e = name_index__first(&p->by_name, hash); e;
	     e = name_index__next(&p->by_name, e)) {
		struct candidates *c;
		const char *found;
		size_t found_len;
		struct pclntab_func f;
		int rank;

		if (!pclntab__read_func(p, e - 1, &f))
			continue;
		found = pclntab__read_string(&p->names, f.name_off, &found_len);
		if (!found || !name__equal(found, found_len, name, len))
			continue;
		c = found_len == len && !memcmp(found, name, len) ? &exact : &normalised;
		rank = f.id ? RANK_SPECIAL : RANK_ORDINARY;
		if (f.id && f.id == p->wrapper_id)
			rank = RANK_WRAPPER;
		c->cnt[rank]++;
		c->function[rank] = e - 1;
	}
	err = settle(&exact, i);
	return err == -ENOENT ? settle(&normalised, i) : err;
}

bool pclntab__has_package(struct pclntab *p, const char *path)
{
	size_t len = strlen(path);
	uint32_t hash = name__tail_hash(path, len, "/");

	if (pclntab__ensure_index(p))
		return false;
	for (size_t i = 0; i < p->package_cnt; i++) {
		const struct pclntab_package *package = &p->packages[i];

		if (package->hash == hash &&
		    name__equal(package->name, package->len, path, len))
			return true;
	}
	return false;
}

size_t pclntab__cnt(const struct pclntab *p)
{
	return p->cnt;
}

/* -- life -- */

static const struct pclntab_layout *layout_of(uint32_t magic)
{
	switch (magic) {
	case PCLNTAB_GO_1_16:
		return &layout_1_16;
	case PCLNTAB_GO_1_18:
		return &layout_1_18;
	default:
		return &layout_1_20;
	}
}

int pclntab__open(const struct image *image, const struct moduledata *md, struct pclntab **out,
		  struct why *why)
{
	struct pclntab *p = calloc(1, sizeof(*p));
	uint64_t first, off;

	if (!p)
		return why__set(why, -ENOMEM, "out of memory");
	p->image = image;
	p->layout = layout_of(md->magic);
	p->text = p->layout->pc_sz == 8 ? 0 : md->text;
	p->gofunc = md->gofunc;
	p->min_lc = md->min_lc;
	p->funcs = slice_cursor(image, md->pclntable, 1);
	p->names = slice_cursor(image, md->funcnametab, 1);
	p->cutab = slice_cursor(image, md->cutab, 4);
	p->filetab = slice_cursor(image, md->filetab, 1);
	p->pctab = slice_cursor(image, md->pctab, 1);
	p->cnt = md->ftab.len ? md->ftab.len - 1 : 0;
	/* the last record of the slice is only the end pc: half a record in the file */
	p->ftab = image__cursor_to_end(image, md->ftab.addr);
	if (p->cnt > UINT32_MAX - 1 || p->funcs.overrun || p->names.overrun || p->cutab.overrun ||
	    p->filetab.overrun || p->pctab.overrun || !p->cnt ||
	    !read_ftab(p, p->cnt, &first, &off) || !read_ftab(p, 0, &first, &off)) {
		pclntab__free(p);
		return why__set(why, -EIO, "the Go function table (pclntab) is damaged");
	}
	*out = p;
	return 0;
}

void pclntab__free(struct pclntab *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->unescaped && i < p->cnt; i++)
		free(p->unescaped[i]);
	free(p->unescaped);
	free(p->packages);
	name_index__free(&p->by_name);
	free(p);
}
