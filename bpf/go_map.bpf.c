// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * go_map: where the fields of maps are; see go_map.bpf.h.
 * src/internal/runtime/maps/{map,table}.go from Go 1.24, src/runtime/map.go before.
 */
#include "go_map.bpf.h"

GO_FIELD(map_dir_ptr, pointer, "internal/runtime/maps.Map.dirPtr");
GO_FIELD(map_dir_len, int, "internal/runtime/maps.Map.dirLen");
GO_FIELD(table_groups, pointer, "internal/runtime/maps.table.groups.data");
GO_FIELD(table_length_mask, int, "internal/runtime/maps.table.groups.lengthMask");
GO_FIELD(hmap_b, int, "runtime.hmap.B");
GO_FIELD(hmap_buckets, pointer, "runtime.hmap.buckets");
GO_FIELD(hmap_old_buckets, pointer, "runtime.hmap.oldbuckets");

static __always_inline __u32 classic_overflow_off(__u32 elem_size)
{
	return CLASSIC_ELEMS_OFF + GROUP_SLOTS * elem_size;
}

static __always_inline __u32 go_map_group_size(const struct go_map_walk *walk)
{
	return walk->swiss ? SWISS_SLOTS_OFF + GROUP_SLOTS * (STRING_SIZE + walk->elem_size) :
			     classic_overflow_off(walk->elem_size) + 8;
}

static __always_inline void swiss_begin(__u64 map, struct go_map_walk *walk)
{
	/* dirPtr and dirLen are neighbours, as a string's two words are: one read */
	struct go_string both = go_string_at(map + map_dir_ptr);
	bool neighbours = map_dir_len == map_dir_ptr + 8;
	__u64 dir = both.ptr;

	walk->swiss = true;
	walk->cnt = 1;
	if (neighbours ? both.len : go_word(map + map_dir_len)) {
		/* Several tables only beyond 896 entries: more than is searched anyway. */
		__u64 table = go_word(dir);

		dir = go_word(table + table_groups);
		walk->cnt = go_word(table + table_length_mask) + 1;
	}
	walk->groups = dir;
}

static __always_inline void classic_begin(__u64 map, struct go_map_walk *walk)
{
	__u8 b = go_byte(map + hmap_b) & 15;

	walk->groups = go_word(map + hmap_buckets);
	walk->cnt = 1 << b;
	walk->old = go_word(map + hmap_old_buckets);
	/* growing: from half the size (or from the same size, to tidy up: then the rest is cut) */
	walk->old_cnt = walk->old ? (b ? 1 << (b - 1) : 1) : 0;
}

__weak int go_map_begin(struct in_flight *span, __u64 map, __u32 elem_size)
{
	struct go_map_walk *walk;

	if (!span)
		return 0;
	walk = &((struct go_map_scratch *)span_scratch(span))->walk;
	__builtin_memset(walk, 0, sizeof(*walk));
	walk->elem_size = elem_size;
	if (!map)
		return false;
	if (map_dir_ptr != GO_ABSENT)
		swiss_begin(map, walk);
	else if (hmap_buckets != GO_ABSENT)
		classic_begin(map, walk);
	walk->next = walk->groups;
	return walk->next != 0;
}

__weak int go_map_next(struct in_flight *span)
{
	struct go_map_scratch *scratch;
	struct go_map_walk *walk;
	__u64 overflow = 0;
	__u32 at;

	if (!span)
		return 0;
	scratch = (void *)span_scratch(span);
	walk = &scratch->walk;

	at = classic_overflow_off(walk->elem_size) & 511;
	barrier_var(at);
	if (!walk->swiss)
		overflow = *(const __u64 *)(scratch->group + at);
	if (overflow) {
		walk->next = overflow;
		return 1;
	}
	walk->index++;
	if (walk->index >= walk->cnt) {
		if (!walk->old)
			return 0;
		walk->groups = walk->old;
		walk->cnt = walk->old_cnt;
		walk->index = 0;
		walk->old = 0;
	}
	walk->next = walk->groups + walk->index * go_map_group_size(walk);
	return 1;
}

/*
 * A group that was just allocated may end on a page that nobody has touched, which cannot be read
 * from here: there are zeros, as the failed read leaves them.
 */
__weak int go_map_read(struct in_flight *span)
{
	struct go_map_scratch *scratch;
	__u32 size, here;
	__u64 addr;

	if (!span)
		return 1;
	scratch = (void *)span_scratch(span);
	size = go_map_group_size(&scratch->walk);
	addr = scratch->walk.next;
	here = 4096 - (addr & 4095);
	if (!bpf_probe_read_user(scratch->group, size & 511, (void *)addr))
		return 0;
	if (here >= size)
		return 1;
	return bpf_probe_read_user(scratch->group, here & 511, (void *)addr) != 0;
}

_Static_assert(CLASSIC_BUCKET_SIZE <= 511 && 511 <= SCRATCH_MAX, "no group is larger, and it fits");

__weak int go_map_take(struct in_flight *span, __u32 i)
{
	struct go_map_scratch *scratch;
	__u32 key, elem, elem_size;

	if (!span)
		return 0;
	i &= GROUP_SLOTS - 1;
	barrier_var(i); /* one register: 6.1's verifier loses the bound of a copy; so below */
	scratch = (void *)span_scratch(span);
	elem_size = scratch->walk.elem_size & 31;
	if (scratch->walk.swiss) {
		if (scratch->group[i] & 0x80)
			return 0;
		key = SWISS_SLOTS_OFF + i * (STRING_SIZE + elem_size);
		elem = key + STRING_SIZE;
	} else {
		if (scratch->group[i] < CLASSIC_MIN_TOPHASH)
			return 0;
		key = CLASSIC_KEYS_OFF + i * STRING_SIZE;
		elem = CLASSIC_ELEMS_OFF + i * elem_size;
	}
	key &= 511;
	barrier_var(key);
	__builtin_memcpy(&scratch->slot.key, scratch->group + key, STRING_SIZE);
	elem &= 511;
	barrier_var(elem);
	__builtin_memcpy(&scratch->slot.elem, scratch->group + elem, STRING_SIZE);
	return 1;
}
