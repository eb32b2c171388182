/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Walks over a Go map[string][]string (http.Header, gRPC's metadata.MD) or map[string]string, group
 * by group, without knowing its hash seed.
 *
 * Swiss, Go >= 1.24: internal/runtime/maps/map.go, table.go, group.go. A map of at most 8 entries is
 * one group at dirPtr (dirLen 0); larger: dirPtr is an array of *table, a table has an array of
 * lengthMask + 1 groups. Group: 8 control bytes (top bit clear: full), 8 slots {string, []string}.
 *
 * Classic, to Go 1.23: runtime/map.go. 2^B buckets at buckets, each with an overflow chain; while
 * the map grows, those not moved yet at oldbuckets. Bucket: 8 tophash bytes (>= 5: full), 8 keys,
 * 8 values, overflow pointer.
 */
#ifndef GOSPAN_BPF_GO_MAP_H
#define GOSPAN_BPF_GO_MAP_H

#include "span.bpf.h"

enum {
	GROUP_SLOTS = 8,
	GROUP_MAX = 16, /* groups searched: 128 slots; beyond it is counted */
	STRING_SIZE = 16,
	SLICE_SIZE = 24,
	SWISS_SLOTS_OFF = 8,
	SWISS_GROUP_SIZE = SWISS_SLOTS_OFF + GROUP_SLOTS * (STRING_SIZE + SLICE_SIZE),
	CLASSIC_KEYS_OFF = 8,
	CLASSIC_ELEMS_OFF = CLASSIC_KEYS_OFF + GROUP_SLOTS * STRING_SIZE,
	CLASSIC_OVERFLOW_OFF = CLASSIC_ELEMS_OFF + GROUP_SLOTS * SLICE_SIZE,
	CLASSIC_BUCKET_SIZE = CLASSIC_OVERFLOW_OFF + 8,
	CLASSIC_MIN_TOPHASH = 5,
};

/* Where in the executable's own maps the fields are (go_map.bpf.c); constants to the verifier. */
extern const volatile __u16 map_dir_ptr, map_dir_len; /* GO_ABSENT: no Swiss maps */
extern const volatile __u16 table_groups, table_length_mask;
extern const volatile __u16 hmap_b, hmap_buckets, hmap_old_buckets; /* GO_ABSENT: no classic maps */

struct go_map_walk {
	__u64 next;	/* group to read now */
	__u64 groups;	/* first of the array */
	__u64 old;	/* classic: the old array, walked after the new one */
	__u32 index;	/* of next in its array; overflow buckets count with their bucket */
	__u32 cnt;	/* groups in the array */
	__u32 old_cnt;
	__u32 elem_size; /* STRING_SIZE, SLICE_SIZE */
	bool swiss;
};

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

/* False when the map is empty or unknown. */
static __always_inline bool go_map_begin(__u64 map, __u32 elem_size, struct go_map_walk *walk)
{
	__builtin_memset(walk, 0, sizeof(*walk));
	walk->elem_size = elem_size;
	if (!map)
		return false;
	if (map_dir_ptr != GO_ABSENT)
		swiss_begin(map, walk);
	else if (hmap_buckets != GO_ABSENT)
		classic_begin(map, walk);
	walk->next = walk->groups;
	return walk->next;
}

/* After the group at NEXT was read into GROUP: moves on; false behind the last one. */
static __always_inline bool go_map_next(struct go_map_walk *walk, const __u8 *group)
{
	__u64 overflow = 0;

	if (!walk->swiss)
		overflow = *(const __u64 *)(group + classic_overflow_off(walk->elem_size));
	if (overflow) {
		walk->next = overflow;
		return true;
	}
	walk->index++;
	if (walk->index >= walk->cnt) {
		if (!walk->old)
			return false;
		walk->groups = walk->old;
		walk->cnt = walk->old_cnt;
		walk->index = 0;
		walk->old = 0;
	}
	walk->next = walk->groups + walk->index * go_map_group_size(walk);
	return true;
}

struct go_map_slot {
	struct go_string key;
	struct go_slice elem; /* of strings; the first two words of it are a string */
};

/* Slot I (a constant) of the group that was read; false when it is empty. */
static __always_inline bool go_map_slot(bool swiss, __u32 elem_size, const __u8 *group, int i,
					struct go_map_slot *out)
{
	const __u64 *key, *elem;

	if (swiss) {
		if (group[i] & 0x80)
			return false;
		key = (const void *)(group + SWISS_SLOTS_OFF + i * (STRING_SIZE + elem_size));
		elem = key + STRING_SIZE / 8;
	} else {
		if (group[i] < CLASSIC_MIN_TOPHASH)
			return false;
		key = (const void *)(group + CLASSIC_KEYS_OFF + i * STRING_SIZE);
		elem = (const void *)(group + CLASSIC_ELEMS_OFF + i * elem_size);
	}
	out->key.ptr = key[0];
	out->key.len = key[1];
	out->elem.ptr = elem[0];
	out->elem.len = elem[1];
	return true;
}

/* How the scratch of a span begins while a map is walked over. */
struct go_map_scratch {
	__u8 group[CLASSIC_BUCKET_SIZE];
};

/* The group of SIZE bytes at ADDR into SPAN's scratch; non-zero when it cannot be read. */
int go_map_read_group(struct in_flight *span, __u64 addr, __u32 size);

/*
 * Reads MAP into SPAN's scratch, group by group, and has TAKE look at each, which should be a global
 * function: the verifier looks at it once, not for each of the groups. Losses are counted.
 */
static __always_inline int go_map_each(struct in_flight *span, __u64 map, __u32 elem_size,
				       int (*take)(struct in_flight *span, __u32 swiss))
{
	struct go_map_scratch *scratch = (void *)span_scratch(span);
	struct go_map_walk walk;

	if (!go_map_begin(map, elem_size, &walk))
		return 0;
	for (int n = 0; n < GROUP_MAX; n++) {
		if (go_map_read_group(span, walk.next, go_map_group_size(&walk)))
			return fail(span->record.pid, FAIL_HEADER_READ);
		take(span, walk.swiss);
		if (!go_map_next(&walk, scratch->group))
			return 0;
	}
	return fail(span->record.pid, FAIL_MANY_HEADERS);
}

#endif
