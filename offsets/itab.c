/* SPDX-License-Identifier: Apache-2.0 */
#include "itab.h"

enum { HEADER_SIZE = 24, METHODS_LEN_OFF = 64 /* of an interface's descriptor */ };

static bool read_itab(const struct image *image, uint64_t addr, struct itab *out)
{
	struct cursor c = image__cursor(image, addr, HEADER_SIZE);

	*out = (struct itab){.addr = addr};
	out->interface = cursor__word(&c);
	out->type = cursor__word(&c);
	return !c.overrun;
}

static bool next_link(const struct image *image, const struct moduledata *md,
		      struct itab_walk *walk, struct itab *out)
{
	struct cursor c;

	if (walk->pos >= md->itablinks.len)
		return false;
	c = image__cursor(image, md->itablinks.addr + walk->pos++ * 8, 8);
	return read_itab(image, cursor__word(&c), out);
}

static bool next_in_row(const struct image *image, const struct moduledata *md,
			struct itab_walk *walk, struct itab *out)
{
	struct cursor c;
	uint64_t methods;

	if (walk->pos >= md->itabs_size || !read_itab(image, md->itabs + walk->pos, out))
		return false;
	c = image__cursor(image, out->interface + METHODS_LEN_OFF, 8);
	methods = cursor__u64(&c);
	if (c.overrun || methods > image->size / 8) /* also keeps POS from wrapping around */
		return false;
	walk->pos += HEADER_SIZE + 8 * (methods ? methods : 1);
	return true;
}

bool itab__next(const struct image *image, const struct moduledata *md, struct itab_walk *walk,
		struct itab *out)
{
	if (md->itablinks.len)
		return next_link(image, md, walk, out);
	return next_in_row(image, md, walk, out);
}
