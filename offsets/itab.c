/* SPDX-License-Identifier: Apache-2.0 */
#include "itab.h"

enum {
	HEADER_SIZE = 24,
	METHODS_OFF = 56, /* of an interface's descriptor */
	METHODS_LEN_OFF = 64,
	METHOD_SIZE = 8,
};

static bool read_itab(const struct image *image, uint64_t addr, struct itab *out)
{
	struct cursor c = image__cursor(image, addr, HEADER_SIZE), interface;

	*out = (struct itab){.addr = addr};
	out->interface = cursor__word(&c);
	out->type = cursor__word(&c);
	interface = image__cursor(image, out->interface + METHODS_LEN_OFF, 8);
	out->method_cnt = cursor__u64(&interface);
	return !c.overrun && !interface.overrun && out->method_cnt <= image->size / METHOD_SIZE;
}

static bool next_link(const struct image *image, const struct moduledata *md,
		      struct itab_walk *walk, struct itab *out)
{
	struct cursor c;
	uint64_t addr;

	if (walk->pos >= md->itablinks.len)
		return false;
	c = image__cursor(image, md->itablinks.addr + walk->pos++ * 8, 8);
	addr = cursor__word(&c); /* 0 behind a segment's end, and something may be mapped there */
	return !c.overrun && read_itab(image, addr, out);
}

static bool next_in_row(const struct image *image, const struct moduledata *md,
			struct itab_walk *walk, struct itab *out)
{
	if (walk->pos >= md->itabs_size || !read_itab(image, md->itabs + walk->pos, out))
		return false;
	walk->pos += HEADER_SIZE + 8 * (out->method_cnt ? out->method_cnt : 1);
	return true;
}

bool itab__next(const struct image *image, const struct moduledata *md, struct itab_walk *walk,
		struct itab *out)
{
	bool ok = md->itablinks.len ? next_link(image, md, walk, out) :
				      next_in_row(image, md, walk, out);

	/* each has a word for every method: together they cannot have more than the image has room for */
	if (ok)
		walk->method_cnt += out->method_cnt;
	return ok && walk->method_cnt <= image->size / 8;
}

static struct cursor methods_of(const struct image *image, uint64_t interface)
{
	struct cursor c = image__cursor(image, interface + METHODS_OFF, 16);
	uint64_t methods = cursor__word(&c), cnt = cursor__u64(&c);

	if (c.overrun || cnt > image->size / METHOD_SIZE)
		cnt = 0;
	return image__cursor(image, methods, cnt * METHOD_SIZE);
}

bool itab__includes(const struct image *image, uint64_t wide, uint64_t narrow)
{
	struct cursor all = methods_of(image, wide), wanted = methods_of(image, narrow);
	uint64_t method = cursor__u64(&wanted);

	if (wanted.overrun)
		return false; /* any or a damaged one */
	while (all.end - all.pos >= wanted.end - wanted.pos + METHOD_SIZE) {
		if (cursor__u64(&all) != method)
			continue;
		if (wanted.pos == wanted.end)
			return true;
		method = cursor__u64(&wanted);
	}
	return false;
}
