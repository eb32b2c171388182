/* SPDX-License-Identifier: Apache-2.0 */
/* pclntab_code: what pclntab knows of instructions: lines, frames, and what was inlined. */
#include <errno.h>

#include "pclntab_table.h"
#include "pctable.h"

enum {
	PCDATA_INLINE_INDEX = 2,
	FUNCDATA_INLINE_TREE = 3,
	STEPS_MAX = 1 << 18, /* through pc tables, a question: a forged one may be as long as the file */
};

/* -- pc tables -- */

/* *STEPS is what may still be read. */
static int value_at(const struct pclntab *p, const struct pclntab_func *f, uint32_t off, uint64_t addr,
		    uint32_t *steps, int32_t *value)
{
	struct pctable t = pctable__open(&p->pctab, off, f->entry, p->min_lc);

	for (; *steps && pctable__next(&t); --*steps) {
		if (addr < t.end) {
			*value = t.value;
			return 0;
		}
	}
	return -ENOENT;
}

static int line_of(const struct pclntab *p, const struct pclntab_func *f, uint64_t addr,
		   uint32_t *steps, const char **file, int *line)
{
	int32_t file_number, line_number;
	const char *name;
	struct cursor c;
	size_t len;

	if (value_at(p, f, f->pcfile, addr, steps, &file_number) ||
	    value_at(p, f, f->pcln, addr, steps, &line_number) || file_number < 0)
		return -ENOENT;
	c = cursor__window(&p->cutab, ((uint64_t)f->cu_off + file_number) * 4, 4);
	name = pclntab__read_string(&p->filetab, cursor__u32(&c), &len);
	if (c.overrun || !name)
		return -ENOENT;
	*file = name;
	*line = line_number;
	return 0;
}

int pclntab__line(const struct pclntab *p, size_t i, uint64_t addr, const char **file, int *line)
{
	uint32_t steps = STEPS_MAX;
	struct pclntab_func f;

	return pclntab__read_func(p, i, &f) ? line_of(p, &f, addr, &steps, file, line) : -ENOENT;
}

int pclntab__frame_size(const struct pclntab *p, size_t i, uint64_t addr, uint32_t *out)
{
	uint32_t steps = STEPS_MAX;
	struct pclntab_func f;
	int32_t value;

	if (!pclntab__read_func(p, i, &f) || value_at(p, &f, f.pcsp, addr, &steps, &value) || value < 0)
		return -ENOENT;
	*out = value;
	return 0;
}

/* -- the inline tree -- */

/* Where a function's tree is, and the pc table of indexes into it. */
struct inline_tree {
	uint64_t addr;
	uint32_t indexes;
};

static bool find_inline_tree(const struct pclntab *p, const struct pclntab_func *f,
			     struct inline_tree *tree)
{
	struct cursor c = f->tail;
	uint64_t data;

	if (f->npcdata <= PCDATA_INLINE_INDEX || f->nfuncdata <= FUNCDATA_INLINE_TREE)
		return false;
	cursor__skip(&c, 4 * PCDATA_INLINE_INDEX);
	tree->indexes = cursor__u32(&c);
	cursor__skip(&c, 4ULL * (f->npcdata - PCDATA_INLINE_INDEX - 1));
	if (p->layout->funcdata_sz == 8)
		cursor__skip(&c, -c.addr & 7);
	cursor__skip(&c, (uint64_t)p->layout->funcdata_sz * FUNCDATA_INLINE_TREE);
	data = p->layout->funcdata_sz == 8 ? cursor__word(&c) : cursor__u32(&c);
	if (c.overrun || !data || data == UINT32_MAX)
		return false;
	tree->addr = p->layout->funcdata_sz == 8 ? data : p->gofunc + data;
	return true;
}

/* The name of the tree's entry I, and the cursor at its beginning; NULL when damaged. */
static const char *inlined_name(const struct pclntab *p, const struct inline_tree *tree, int32_t i,
				struct cursor *entry, size_t *len)
{
	struct cursor c = image__cursor(p->image, tree->addr + (uint64_t)i * p->layout->inline_sz,
					p->layout->inline_sz);
	uint32_t name_off;

	*entry = c;
	cursor__skip(&c, p->layout->inline_name_off);
	name_off = cursor__u32(&c);
	return c.overrun ? NULL : pclntab__read_string(&p->names, name_off, len);
}

/* Replaces *ADDR, inside of an inlined function, by the place where that was inlined. */
static bool find_inlined(const struct pclntab *p, const struct pclntab_func *f,
			 const struct inline_tree *tree, uint64_t *addr, uint32_t *steps,
			 struct frame_fact *out)
{
	struct cursor entry, c;
	int32_t i;
	size_t len;
	uint8_t id;

	if (value_at(p, f, tree->indexes, *addr, steps, &i) || i < 0)
		return false;
	*out = (struct frame_fact){.inlined = true, .entry = f->entry, .file = "?"};
	out->function = inlined_name(p, tree, i, &entry, &len);
	if (!out->function)
		return false;
	line_of(p, f, *addr, steps, &out->file, &out->line);
	c = cursor__window(&entry, p->layout->inline_id_off, 1);
	id = cursor__u8(&c);
	out->wrapper = id && id == p->wrapper_id;
	c = cursor__window(&entry, p->layout->inline_pc_off, 4);
	*addr = f->entry + cursor__u32(&c);
	return true;
}

size_t pclntab__frames(struct pclntab *p, size_t i, uint64_t addr, struct frame_fact *out, size_t cap)
{
	uint32_t steps = STEPS_MAX;
	struct inline_tree tree;
	struct pclntab_func f;
	size_t cnt = 0, len;

	if (!cap || pclntab__ensure_index(p) || !pclntab__read_func(p, i, &f))
		return 0;
	if (find_inline_tree(p, &f, &tree))
		while (cnt < cap - 1 && find_inlined(p, &f, &tree, &addr, &steps, &out[cnt]))
			cnt++;
	out[cnt] = (struct frame_fact){.entry = f.entry, .file = "?"};
	out[cnt].function = pclntab__read_string(&p->names, f.name_off, &len);
	if (!out[cnt].function)
		return 0;
	line_of(p, &f, addr, &steps, &out[cnt].file, &out[cnt].line);
	out[cnt].wrapper = f.id && f.id == p->wrapper_id;
	return cnt + 1;
}
