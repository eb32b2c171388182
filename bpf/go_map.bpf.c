// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * go_map: where the fields of maps are; see go_map.bpf.h.
 * src/internal/runtime/maps/{map,table}.go from Go 1.24, src/runtime/map.go before.
 */
#include "go.bpf.h"

GO_FIELD(map_dir_ptr, pointer, "internal/runtime/maps.Map.dirPtr");
GO_FIELD(map_dir_len, int, "internal/runtime/maps.Map.dirLen");
GO_FIELD(table_groups, pointer, "internal/runtime/maps.table.groups.data");
GO_FIELD(table_length_mask, int, "internal/runtime/maps.table.groups.lengthMask");
GO_FIELD(hmap_b, int, "runtime.hmap.B");
GO_FIELD(hmap_buckets, pointer, "runtime.hmap.buckets");
GO_FIELD(hmap_old_buckets, pointer, "runtime.hmap.oldbuckets");
