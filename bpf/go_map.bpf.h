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
	GROUP_MAX = 32, /* groups searched; a growing map of 53 keys has 8 + 16 and overflow buckets */
	STRING_SIZE = 16,
	SLICE_SIZE = 24,
	SWISS_SLOTS_OFF = 8,
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

struct go_map_slot {
	struct go_string key;
	struct go_slice elem; /* of strings; the first two words of it are a string */
};

/* How the scratch of a span begins while a map is walked over. */
struct go_map_scratch {
	__u8 group[CLASSIC_BUCKET_SIZE];
	struct go_map_walk walk;
	struct go_map_slot slot; /* the one to look at */
};

#define go_map_slot_in(span) (&((struct go_map_scratch *)span_scratch(span))->slot)

/* Global functions: the verifier looks at them once, not for each of the slots. */
int go_map_begin(struct in_flight *span, __u64 map, __u32 elem_size); /* false: empty, unknown */
int go_map_read(struct in_flight *span);			      /* 0, or it cannot be read */
int go_map_take(struct in_flight *span, __u32 slot);		      /* false: it is empty */
int go_map_next(struct in_flight *span);			      /* false behind the last group */

/*
 * Has TAKE look at each slot of MAP, in SPAN's scratch; it should be a global function as well.
 * Losses are counted; non-zero: not all of it was seen.
 */
static __always_inline int go_map_each(struct in_flight *span, __u64 map, __u32 elem_size,
				       int (*take)(struct in_flight *span))
{
	if (!go_map_begin(span, map, elem_size))
		return 0;
	for (int n = 0; n < GROUP_MAX; n++) {
		if (go_map_read(span))
			return fail(span->record.pid, FAIL_HEADER_READ) | 1;
		for (__u32 i = 0; i < GROUP_SLOTS; i++)
			if (go_map_take(span, i))
				take(span);
		if (!go_map_next(span))
			return 0;
	}
	return fail(span->record.pid, FAIL_MANY_HEADERS) | 1;
}

#endif
