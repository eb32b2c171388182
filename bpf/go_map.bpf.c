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

/*
 * A group that was just allocated may end on a page that nobody has touched, which cannot be read
 * from here: there are zeros, as the failed read leaves them. A global function: the verifier looks
 * at it once, not for each of the groups.
 */
__weak int go_map_read_group(struct in_flight *span, __u64 addr, __u32 size)
{
	__u32 here = 4096 - (addr & 4095);
	struct go_map_scratch *scratch;

	if (!span)
		return 1;
	scratch = (void *)span_scratch(span);
	if (!bpf_probe_read_user(scratch->group, size & 511, (void *)addr))
		return 0;
	if (here >= size)
		return 1;
	return bpf_probe_read_user(scratch->group, here & 511, (void *)addr) != 0;
}

_Static_assert(CLASSIC_BUCKET_SIZE <= 511 && 511 <= SCRATCH_MAX, "no group is larger, and it fits");
