/* SPDX-License-Identifier: Apache-2.0 */
/* gzip: a request body compressed by zlib. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "transfer.h"

enum {
	GZIP_WINDOW_BITS = 15 + 16, /* largest window, gzip framing */
	MEM_LEVEL = 8,		    /* zlib's default */
};

int gzip__append(struct bytes *out, const uint8_t *at, size_t len)
{
	z_stream stream = { 0 };
	uint8_t *packed = NULL;
	uLong bound;
	int err = -ENOMEM;

	if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW_BITS, MEM_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	bound = deflateBound(&stream, len);
	packed = malloc(bound);
	if (!packed)
		goto cleanup;
	stream.next_in = (Bytef *)at;
	stream.avail_in = (uInt)len;
	stream.next_out = packed;
	stream.avail_out = (uInt)bound;
	if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
		err = bytes__append(out, packed, stream.total_out);

cleanup:
	deflateEnd(&stream);
	free(packed);
	return err;
}
