/* SPDX-License-Identifier: Apache-2.0 */
/*
 * image: a mapped ELF executable, seen through its program headers alone, so that stripped and
 * sectionless files read the same. Every read of the file goes through the cursor below, which
 * never leaves its window; the file is hostile input.
 *
 * Words that the dynamic loader would fill are given as link-time addresses: Go's linker, GNU ld
 * and gold leave the addend of R_*_RELATIVE in place, lld leaves zero, so a word that is zero in
 * the file is looked up in DT_RELA. RELR relocations always hold the value in place.
 * Layout: elf(5), System V gABI chapter 5 "Program Loading and Dynamic Linking".
 *
 * A file that someone truncates while it is mapped raises SIGBUS. The kernel refuses that for a
 * running executable (ETXTBSY); afterwards ask image__is_intact().
 */
#ifndef GOSPAN_OFFSETS_IMAGE_H
#define GOSPAN_OFFSETS_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "resolve.h"

enum { IMAGE_SEGMENTS_MAX = 32, IMAGE_NOTES_MAX = 4 };

struct segment {
	uint64_t addr;
	uint64_t file_off;
	uint64_t size; /* bytes held by the file; .bss has none */
	bool exec;
	bool write;
};

/* RELATIVE entries of DT_RELA; CNT is 0 when the words already hold their values. */
struct relocations {
	const uint8_t *table; /* Elf64_Rela records in the mapping */
	uint32_t *order;      /* records by address, NULL when the table itself is sorted */
	size_t cnt;
};

struct image {
	const uint8_t *base;
	size_t size;
	int fd; /* our own, for libdw, which wants a mapping it may write to */
	struct timespec written; /* the file's mtime */
	enum go_arch arch;
	bool pie;
	struct segment segments[IMAGE_SEGMENTS_MAX]; /* PT_LOAD */
	size_t segment_cnt;
	uint64_t end; /* address behind the last byte that the file holds */
	uint64_t read_only_end; /* the first address that can be written to */
	struct segment notes[IMAGE_NOTES_MAX]; /* PT_NOTE */
	size_t note_cnt;
	struct relocations relocations;
};

/*
 * A window of the file. Reads advance POS; the first one that would cross END sets OVERRUN, gives
 * zero, and so does every later one: check once, after a group of reads.
 */
struct cursor {
	const struct image *image; /* NULL: no relocations */
	const uint8_t *pos;
	const uint8_t *end;
	uint64_t addr; /* of POS */
	bool overrun;
};

/* 0, -ENOEXEC no supported ELF executable, -EIO truncated or inconsistent, -ENOMEM. */
int image__open(int fd, struct image **out, struct why *why);
void image__free(struct image *image);

/* See resolve__is_intact(). */
bool image__is_intact(const struct image *image);
bool image__is_there(const struct image *image);

/* Segment whose file contents hold ADDR, or NULL. */
const struct segment *image__segment(const struct image *image, uint64_t addr);

/* SZ bytes of file contents at ADDR, or NULL. */
const void *image__at(const struct image *image, uint64_t addr, uint64_t sz);

/* Window of SZ bytes at ADDR, or from ADDR to the end of its segment; overrun when outside. */
struct cursor image__cursor(const struct image *image, uint64_t addr, uint64_t sz);
struct cursor image__cursor_to_end(const struct image *image, uint64_t addr);

/* SZ bytes at ADDR with relocations applied; -EFAULT outside. */
int image__read(const struct image *image, uint64_t addr, void *buf, size_t sz);

/*
 * Offers to VISIT every address of ALIGN in the data segments, writable ones and segment ends
 * first (where Go's linkers put what is looked for), until it returns true. NEED bytes are
 * readable at each. Returns the address, 0 when VISIT took none.
 */
uint64_t image__search(const struct image *image, uint64_t align, uint64_t need,
		       bool (*visit)(void *ctx, uint64_t addr, const uint8_t *bytes), void *ctx);

/* Value of the zero word at ADDR after relocation. */
uint64_t image__relocated(const struct image *image, uint64_t addr);

/* Drops the pages of [ADDR, ADDR + SZ) from memory after a pass; they come back when touched. */
void image__forget(const struct image *image, uint64_t addr, uint64_t sz);
/* The same for the whole file. */
void image__forget_all(const struct image *image);

static inline const uint8_t *cursor__bytes(struct cursor *c, uint64_t sz)
{
	const uint8_t *bytes = c->pos;

	if (c->overrun || sz > (uint64_t)(c->end - c->pos)) {
		c->overrun = true;
		return NULL;
	}
	c->pos += sz;
	c->addr += sz;
	return bytes;
}

static inline void cursor__skip(struct cursor *c, uint64_t sz)
{
	cursor__bytes(c, sz);
}

static inline void cursor__copy(struct cursor *c, void *buf, size_t sz)
{
	const uint8_t *bytes = cursor__bytes(c, sz);

	if (bytes)
		memcpy(buf, bytes, sz);
	else
		memset(buf, 0, sz);
}

/* The window of SZ bytes at OFF inside of WHOLE; overrun when it does not fit. */
static inline struct cursor cursor__window(const struct cursor *whole, uint64_t off, uint64_t sz)
{
	struct cursor c = *whole;

	cursor__skip(&c, off);
	if (c.overrun || sz > (uint64_t)(c.end - c.pos))
		c.overrun = true;
	else
		c.end = c.pos + sz;
	return c;
}

static inline uint8_t cursor__u8(struct cursor *c)
{
	const uint8_t *bytes = cursor__bytes(c, 1);

	return bytes ? *bytes : 0;
}

static inline uint16_t cursor__u16(struct cursor *c)
{
	uint16_t value;

	cursor__copy(c, &value, sizeof(value));
	return value;
}

static inline uint32_t cursor__u32(struct cursor *c)
{
	uint32_t value;

	cursor__copy(c, &value, sizeof(value));
	return value;
}

static inline uint64_t cursor__u64(struct cursor *c)
{
	uint64_t value;

	cursor__copy(c, &value, sizeof(value));
	return value;
}

/* A pointer-sized word with its relocation applied. */
static inline uint64_t cursor__word(struct cursor *c)
{
	uint64_t addr = c->addr;
	uint64_t value = cursor__u64(c);

	if (value || c->overrun || !c->image || !c->image->relocations.cnt)
		return value;
	return image__relocated(c->image, addr);
}

/* LEB128, at most 32 bits as Go writes them (encoding/binary.Uvarint). */
static inline uint32_t cursor__varint(struct cursor *c)
{
	uint32_t value = 0;

	for (int shift = 0; shift < 32; shift += 7) {
		uint8_t byte = cursor__u8(c);

		value |= (uint32_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	c->overrun = true;
	return 0;
}

#endif
