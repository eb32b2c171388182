/* SPDX-License-Identifier: Apache-2.0 */
#include "moduledata.h"

#include <errno.h>
#include <stdlib.h>

#include "why.h"

enum {
	WORDS_MAX = 96,	       /* of moduledata: 75 in Go 1.24 */
	FIRST_TYPES_WORD = 24, /* header, six slices, findfunctab and text bounds come before */
	TYPES_SPAN_MAX = 2,    /* etypes is the next word, or the one after it (1.27) */
	SCANS_PER_FILE = 4,    /* bytes looked at for descriptors, in sizes of the file */
	REGION_MIN = 80,       /* one struct descriptor */
};

/* -- where it is -- */

static bool is_known_magic(uint32_t magic)
{
	return magic == PCLNTAB_GO_1_16 || magic == PCLNTAB_GO_1_18 || magic == PCLNTAB_GO_1_20;
}

static bool read_pc_header(const struct image *image, uint64_t addr, uint32_t *magic,
			   uint8_t *min_lc)
{
	struct cursor c = image__cursor(image, addr, 8);
	uint16_t pad;
	uint8_t ptr_sz;

	*magic = cursor__u32(&c);
	pad = cursor__u16(&c);
	*min_lc = cursor__u8(&c);
	ptr_sz = cursor__u8(&c);
	return !c.overrun && is_known_magic(*magic) && !pad && ptr_sz == 8 &&
	       (*min_lc == 1 || *min_lc == 2 || *min_lc == 4);
}

/* Words 0-3: pcHeader and the funcnametab slice, whose length equals its capacity. */
static bool is_moduledata(void *ctx, uint64_t addr, const uint8_t *bytes)
{
	const struct image *image = ctx;
	uint64_t words[4], header, names;
	struct cursor c;
	uint32_t magic;
	uint8_t min_lc;

	memcpy(words, bytes, sizeof(words));
	if (!words[2] || words[2] != words[3] || words[2] > image->size)
		return false;
	c = image__cursor(image, addr, sizeof(words));
	header = cursor__word(&c);
	names = cursor__word(&c);
	if (!header || names <= header || names - header > image->size)
		return false;
	return read_pc_header(image, header, &magic, &min_lc) &&
	       image__at(image, names, words[2]) != NULL;
}

/* -- what it says -- */

/* Offset of the field NAME, or -1. */
static int64_t field_offset(const struct rtype *types, uint64_t descriptor, const char *name)
{
	struct rtype_field field;

	if (rtype__field_named(types, descriptor, name, strlen(name), &field))
		return -1;
	return field.offset;
}

/* Two words of moduledata that could be types and etypes. */
struct region {
	uint64_t addr;
	uint64_t size;
	int rank;
};

/* The words known to be used so far come first. Only the order of trying depends on it. */
static int rank_of(size_t types_word, size_t etypes_word)
{
	static const uint8_t known[][2] = {
		{35, 36}, /* Go <= 1.19 */
		{37, 38}, /* Go <= 1.26 */
		{37, 39}, /* Go 1.27 */
	};
	int rank = 0, cnt = sizeof(known) / sizeof(known[0]);

	while (rank < cnt && (known[rank][0] != types_word || known[rank][1] != etypes_word))
		rank++;
	return rank;
}

static int compare_regions(const void *a, const void *b)
{
	const struct region *x = a, *y = b;

	if (x->rank != y->rank)
		return x->rank - y->rank;
	return (x->size > y->size) - (x->size < y->size);
}

/* Behind the known words the smallest first: what is no type data is then cheap to try. */
static size_t list_regions(const struct image *image, const uint64_t words[static WORDS_MAX],
			   struct region *regions)
{
	size_t cnt = 0;

	for (size_t i = FIRST_TYPES_WORD; i < WORDS_MAX; i++) {
		for (size_t j = i + 1; j < WORDS_MAX && j <= i + TYPES_SPAN_MAX; j++) {
			uint64_t size = words[j] - words[i];

			if (words[j] > words[i] && size >= REGION_MIN &&
			    image__at(image, words[i], size))
				regions[cnt++] = (struct region){words[i], size, rank_of(i, j)};
		}
	}
	qsort(regions, cnt, sizeof(*regions), compare_regions);
	return cnt;
}

/*
 * Looks for runtime.moduledata in TYPES, and gives the region that its words types and etypes
 * span. Go <= 1.18 keeps field offsets shifted: the second field then seems to start at 16.
 */
static bool described_region(struct rtype *types, const uint64_t words[static WORDS_MAX],
			     uint64_t *descriptor, struct region *out)
{
	static const char name[] = "runtime.moduledata";
	int64_t second, start, end;

	if (rtype__find(types, name, sizeof(name) - 1, descriptor))
		return false;
	types->offset_shift = 0;
	second = field_offset(types, *descriptor, "funcnametab");
	if (second == 16)
		types->offset_shift = 1;
	else if (second != 8)
		return false;
	start = field_offset(types, *descriptor, "types");
	end = field_offset(types, *descriptor, "etypes");
	if (start < 0 || start >= WORDS_MAX * 8 || end < 0 || end >= WORDS_MAX * 8)
		return false;
	*out = (struct region){words[start / 8], words[end / 8] - words[start / 8], 0};
	return true;
}

/*
 * Opens the types in REGION, or in the region that is named by the descriptor found there; *OUT is
 * NULL when neither agrees with itself.
 */
static int try_region(const struct image *image, const uint64_t words[static WORDS_MAX],
		      struct region region, struct rtype **out, uint64_t *descriptor)
{
	struct rtype *types = NULL;
	int err = 0;

	for (int tries = 0; tries < 2; tries++) {
		struct region described;

		err = rtype__open(image, region.addr, region.addr + region.size, &types);
		if (err)
			return err == -EIO ? 0 : err;
		if (!described_region(types, words, descriptor, &described))
			break;
		if (described.addr == region.addr && described.size == region.size) {
			*out = types;
			return 0;
		}
		rtype__free(types);
		types = NULL;
		region = described;
	}
	rtype__free(types);
	return 0;
}

static int find_types(const struct image *image, uint64_t addr, struct rtype **out,
		      uint64_t *descriptor, struct why *why)
{
	struct region regions[WORDS_MAX * TYPES_SPAN_MAX];
	struct cursor c = image__cursor_to_end(image, addr);
	uint64_t budget = SCANS_PER_FILE * image->size;
	uint64_t words[WORDS_MAX] = {0};
	struct rtype *types = NULL;
	size_t cnt;

	for (size_t i = 0; i < WORDS_MAX && !c.overrun; i++)
		words[i] = cursor__word(&c);
	cnt = list_regions(image, words, regions);
	for (size_t i = 0; i < cnt && regions[i].size <= budget && !types; i++) {
		int err = try_region(image, words, regions[i], &types, descriptor);

		if (err)
			return why__set(why, err, "type data: %s", strerror(-err));
		budget -= regions[i].size;
	}
	if (!types)
		return why__set(why, -EIO, "Go type data not found: damaged, or of an unknown Go");
	*out = types;
	return 0;
}

struct fields {
	const struct image *image;
	const struct rtype *types;
	uint64_t descriptor;
	uint64_t addr;
	const char *missing; /* first required field that is not there */
};

static uint64_t word_field(struct fields *f, const char *name, bool required)
{
	int64_t off = field_offset(f->types, f->descriptor, name);
	struct cursor c;

	if (off >= 0 && off < WORDS_MAX * 8) {
		c = image__cursor(f->image, f->addr + off, 8);
		if (!c.overrun)
			return cursor__word(&c);
	}
	if (required && !f->missing)
		f->missing = name;
	return 0;
}

static struct slice slice_field(struct fields *f, const char *name, bool required)
{
	int64_t off = field_offset(f->types, f->descriptor, name);
	struct slice slice = {0};
	struct cursor c;

	if (off >= 0 && off < WORDS_MAX * 8) {
		c = image__cursor(f->image, f->addr + off, 16);
		slice.addr = cursor__word(&c);
		slice.len = cursor__u64(&c);
		if (!c.overrun)
			return slice;
	}
	if (required && !f->missing)
		f->missing = name;
	return (struct slice){0};
}

static int read_fields(struct fields *f, struct moduledata *md, struct why *why)
{
	md->header = word_field(f, "pcHeader", true);
	md->text = word_field(f, "text", true);
	md->etext = word_field(f, "etext", true);
	md->gofunc = word_field(f, "gofunc", false);
	md->funcnametab = slice_field(f, "funcnametab", true);
	md->cutab = slice_field(f, "cutab", true);
	md->filetab = slice_field(f, "filetab", true);
	md->pctab = slice_field(f, "pctab", true);
	md->pclntable = slice_field(f, "pclntable", true);
	md->ftab = slice_field(f, "ftab", true);
	md->itablinks = slice_field(f, "itablinks", false);
	md->itabs = word_field(f, "itaboffset", false);
	md->itabs_size = word_field(f, "itabsize", false);
	if (md->itabs)
		md->itabs += f->types->data.types;
	if (f->missing)
		return why__set(why, -EIO, "runtime.moduledata has no field %s", f->missing);
	if (!md->text || md->etext <= md->text)
		return why__set(why, -EIO, "runtime.moduledata gives no text");
	return 0;
}

int moduledata__find(const struct image *image, struct moduledata *out, struct rtype **types,
		     struct why *why)
{
	struct fields fields = {.image = image};
	struct moduledata md = {0};
	struct rtype *found = NULL;
	int err;

	md.addr = image__search(image, 8, 32, is_moduledata, (void *)image);
	if (!md.addr)
		return why__set(why, -ENOEXEC, "no Go function table (pclntab) found");
	err = find_types(image, md.addr, &found, &fields.descriptor, why);
	if (err)
		return err;
	fields.types = found;
	fields.addr = md.addr;
	err = read_fields(&fields, &md, why);
	if (!err && !read_pc_header(image, md.header, &md.magic, &md.min_lc))
		err = why__set(why, -EIO, "the Go function table (pclntab) is damaged");
	if (err) {
		rtype__free(found);
		return err;
	}
	*out = md;
	*types = found;
	return 0;
}
