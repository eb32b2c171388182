/* SPDX-License-Identifier: Apache-2.0 */
/*
 * names: the one rule for comparing Go names, and an index to look them up.
 *
 * Rule (resolve.h): "%2e" and its like are unescaped (pclntab escapes dots in the last element of
 * import paths, type data does not), and the package path is cut up to and including its last
 * "/vendor/" or a leading "vendor/". Type arguments in brackets are left as they are.
 *
 * The index hashes only the end of each name (at most 12 bytes behind the last '/', or '.' for
 * types), which no part of the rule can change: one short pass over 100,000 names. Candidates with
 * an equal hash are compared in full by the caller.
 */
#ifndef GOSPAN_OFFSETS_NAMES_H
#define GOSPAN_OFFSETS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes to leave out at the start of NAME: its vendor prefix. */
size_t name__vendor_prefix(const char *name, size_t len);

/* Writes the normalised NAME, NUL-terminated. Its length, or -E2BIG when BUF is too small. */
int name__normalise(const char *name, size_t len, char *buf, size_t buf_sz);

/* True when A and B are one name after normalisation. */
bool name__equal(const char *a, size_t a_len, const char *b, size_t b_len);

/* Length of the package path in a function's name: up to the first '.' after the last '/'. */
size_t name__package_len(const char *name, size_t len);

/* Hash of the end of NAME, back to one of STOPS. */
uint32_t name__tail_hash(const char *name, size_t len, const char *stops);

/* Chained hash table of numbers 0..cnt-1; filled once. */
struct name_index {
	uint32_t *heads; /* number + 1, 0 ends a chain */
	uint32_t *next;
	uint32_t mask;
};

int name_index__init(struct name_index *index, size_t cnt);
void name_index__free(struct name_index *index);
void name_index__add(struct name_index *index, uint32_t hash, uint32_t number);

/* First number + 1 with HASH's bucket, and the next one after NUMBER + 1; 0 at the end. */
uint32_t name_index__first(const struct name_index *index, uint32_t hash);
uint32_t name_index__next(const struct name_index *index, uint32_t entry);

#endif
