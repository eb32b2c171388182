/* SPDX-License-Identifier: Apache-2.0 */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "why.h"

enum { RELA_SIZE = sizeof(Elf64_Rela), RELOC_SAMPLES = 256 };

static int map_file(struct image *image, int fd, struct why *why)
{
	struct stat st;
	void *base;

	if (fstat(fd, &st))
		return why__set(why, -EIO, "cannot read the file: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return why__set(why, -ENOEXEC, "not a regular file");
	if ((uint64_t)st.st_size < sizeof(Elf64_Ehdr))
		return why__set(why, -ENOEXEC, "not an ELF file");
	/*
	 * Shared: a private mapping could be made executable, so the kernel would put the breakpoints of
	 * whoever probes this file in every process into it (valid_vma(), kernel/events/uprobes.c).
	 */
	base = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (base == MAP_FAILED)
		return why__set(why, -EIO, "cannot map the file: %s", strerror(errno));
	image->base = base;
	image->size = st.st_size;
	image->written = st.st_mtim;
	image->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (image->fd < 0)
		return why__set(why, -EIO, "cannot keep the file open: %s", strerror(errno));
	return 0;
}

static struct cursor file_cursor(const struct image *image, uint64_t off)
{
	struct cursor c = {.pos = image->base, .end = image->base + image->size};

	cursor__skip(&c, off);
	return c;
}

static const char *machine_name(unsigned int machine)
{
	switch (machine) {
	case EM_386:
		return "386";
	case EM_ARM:
		return "arm";
	case EM_PPC64:
		return "ppc64";
	case EM_S390:
		return "s390x";
	case EM_RISCV:
		return "riscv64";
	case 258: /* EM_LOONGARCH, younger than the oldest elf.h we build with */
		return "loong64";
	default:
		return "unknown";
	}
}

static int read_header(struct image *image, Elf64_Ehdr *ehdr, struct why *why)
{
	struct cursor c = file_cursor(image, 0);

	cursor__copy(&c, ehdr, sizeof(*ehdr));
	if (memcmp(ehdr->e_ident, ELFMAG, SELFMAG))
		return why__set(why, -ENOEXEC, "not an ELF file");
	if (ehdr->e_ident[EI_CLASS] != ELFCLASS64)
		return why__set(why, -ENOEXEC, "not a 64-bit executable");
	if (ehdr->e_ident[EI_DATA] != ELFDATA2LSB)
		return why__set(why, -ENOEXEC, "not a little-endian executable");
	if (ehdr->e_machine == EM_X86_64)
		image->arch = GO_ARCH_AMD64;
	else if (ehdr->e_machine == EM_AARCH64)
		image->arch = GO_ARCH_ARM64;
	else
		return why__set(why, -ENOEXEC, "architecture %s (ELF machine %u) is not supported",
				machine_name(ehdr->e_machine), ehdr->e_machine);
	if (ehdr->e_type != ET_EXEC && ehdr->e_type != ET_DYN)
		return why__set(why, -ENOEXEC, "ELF file of type %u is not an executable",
				ehdr->e_type);
	image->pie = ehdr->e_type == ET_DYN;
	if (ehdr->e_phentsize != sizeof(Elf64_Phdr))
		return why__set(why, -EIO, "program headers of %u bytes", ehdr->e_phentsize);
	return 0;
}

static int read_segment(struct image *image, const Elf64_Phdr *phdr, struct segment *dynamic,
			struct why *why)
{
	struct segment segment = {
		.addr = phdr->p_vaddr,
		.file_off = phdr->p_offset,
		.size = phdr->p_filesz,
		.exec = phdr->p_flags & PF_X,
		.write = phdr->p_flags & PF_W,
	};

	if (phdr->p_type == PT_NOTE && image->note_cnt < IMAGE_NOTES_MAX)
		image->notes[image->note_cnt++] = segment;
	if (phdr->p_type == PT_DYNAMIC)
		*dynamic = segment;
	if (phdr->p_type != PT_LOAD)
		return 0;
	if (segment.size > image->size || segment.file_off > image->size - segment.size)
		return why__set(why, -EIO, "truncated: a segment ends at byte %ju of %zu",
				(uintmax_t)(segment.file_off + segment.size), image->size);
	if (segment.addr + segment.size < segment.addr)
		return why__set(why, -EIO, "a segment wraps around the address space");
	if (image->segment_cnt == IMAGE_SEGMENTS_MAX)
		return why__set(why, -EIO, "more than %d segments", IMAGE_SEGMENTS_MAX);
	image->segments[image->segment_cnt++] = segment;
	if (segment.addr + segment.size > image->end)
		image->end = segment.addr + segment.size;
	if (segment.write && segment.addr < image->read_only_end)
		image->read_only_end = segment.addr;
	return 0;
}

static int read_segments(struct image *image, const Elf64_Ehdr *ehdr, struct segment *dynamic,
			 struct why *why)
{
	struct cursor c = file_cursor(image, ehdr->e_phoff);
	int err;

	image->read_only_end = UINT64_MAX;
	for (unsigned int i = 0; i < ehdr->e_phnum; i++) {
		Elf64_Phdr phdr;

		cursor__copy(&c, &phdr, sizeof(phdr));
		if (c.overrun)
			return why__set(why, -EIO, "truncated: the program headers are cut off");
		err = read_segment(image, &phdr, dynamic, why);
		if (err)
			return err;
	}
	if (!image->segment_cnt)
		return why__set(why, -ENOEXEC, "nothing to load: not an executable");
	return 0;
}

/* -- relocations -- */

static Elf64_Rela rela_record(const struct image *image, size_t i)
{
	Elf64_Rela rela;

	memcpy(&rela, image->relocations.table + i * RELA_SIZE, sizeof(rela));
	return rela;
}

static bool is_relative(const struct image *image, const Elf64_Rela *rela)
{
	return ELF64_R_TYPE(rela->r_info) ==
	       (image->arch == GO_ARCH_AMD64 ? R_X86_64_RELATIVE : R_AARCH64_RELATIVE);
}

/* True when every sampled RELATIVE word already holds its addend, as all linkers but lld do. */
static bool words_hold_values(const struct image *image, size_t cnt)
{
	size_t step = cnt / RELOC_SAMPLES + 1;

	for (size_t i = 0; i < cnt; i += step) {
		Elf64_Rela rela = rela_record(image, i);
		struct cursor c = image__cursor(image, rela.r_offset, 8);

		if (is_relative(image, &rela) && cursor__u64(&c) != (uint64_t)rela.r_addend)
			return false;
	}
	return true;
}

static int compare_records(const void *a, const void *b, void *ctx)
{
	Elf64_Rela x = rela_record(ctx, *(const uint32_t *)a);
	Elf64_Rela y = rela_record(ctx, *(const uint32_t *)b);

	return (x.r_offset > y.r_offset) - (x.r_offset < y.r_offset);
}

/* lld sorts RELATIVE records by address and puts them first; anything else gets an index. */
static int index_relocations(struct image *image, size_t cnt, struct why *why)
{
	struct relocations *r = &image->relocations;
	uint64_t last = 0;
	bool sorted = true;
	size_t relative = 0;

	for (size_t i = 0; i < cnt; i++) {
		Elf64_Rela rela = rela_record(image, i);

		if (!is_relative(image, &rela))
			continue;
		sorted = sorted && relative == i && rela.r_offset >= last;
		last = rela.r_offset;
		relative++;
	}
	r->cnt = relative;
	if (sorted)
		return 0;
	r->order = calloc(relative, sizeof(*r->order));
	if (!r->order)
		return why__set(why, -ENOMEM, "out of memory");
	for (size_t i = 0, n = 0; i < cnt; i++) {
		Elf64_Rela rela = rela_record(image, i);

		if (is_relative(image, &rela))
			r->order[n++] = i;
	}
	qsort_r(r->order, relative, sizeof(*r->order), compare_records, image);
	return 0;
}

static int read_relocations(struct image *image, const struct segment *dynamic, struct why *why)
{
	struct cursor c = image__cursor(image, dynamic->addr, dynamic->size);
	uint64_t addr = 0, size = 0;
	size_t cnt;

	while (!c.overrun) {
		uint64_t tag = cursor__u64(&c), value = cursor__u64(&c);

		if (tag == DT_NULL)
			break;
		if (tag == DT_RELA)
			addr = value;
		if (tag == DT_RELASZ)
			size = value;
	}
	if (!addr || !size)
		return 0;
	image->relocations.table = image__at(image, addr, size);
	if (!image->relocations.table)
		return why__set(why, -EIO, "truncated: the relocations end behind the file");
	cnt = size / RELA_SIZE;
	if (cnt > UINT32_MAX || words_hold_values(image, cnt))
		return 0;
	return index_relocations(image, cnt, why);
}

uint64_t image__relocated(const struct image *image, uint64_t addr)
{
	const struct relocations *r = &image->relocations;
	size_t low = 0, high = r->cnt;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		Elf64_Rela rela = rela_record(image, r->order ? r->order[mid] : mid);

		if (rela.r_offset == addr)
			return rela.r_addend;
		if (rela.r_offset < addr)
			low = mid + 1;
		else
			high = mid;
	}
	return 0;
}

/* -- reading -- */

const struct segment *image__segment(const struct image *image, uint64_t addr)
{
	for (size_t i = 0; i < image->segment_cnt; i++) {
		const struct segment *s = &image->segments[i];

		if (addr - s->addr < s->size)
			return s;
	}
	return NULL;
}

const void *image__at(const struct image *image, uint64_t addr, uint64_t sz)
{
	const struct segment *s = image__segment(image, addr);

	if (!s || sz > s->size - (addr - s->addr))
		return NULL;
	return image->base + s->file_off + (addr - s->addr);
}

struct cursor image__cursor(const struct image *image, uint64_t addr, uint64_t sz)
{
	struct cursor c = {.image = image, .addr = addr};

	c.pos = image__at(image, addr, sz);
	c.overrun = !c.pos;
	c.end = c.pos ? c.pos + sz : NULL;
	return c;
}

struct cursor image__cursor_to_end(const struct image *image, uint64_t addr)
{
	const struct segment *s = image__segment(image, addr);

	return image__cursor(image, addr, s ? s->size - (addr - s->addr) : 1);
}

int image__read(const struct image *image, uint64_t addr, void *buf, size_t sz)
{
	struct cursor c = image__cursor(image, addr, sz);
	const uint8_t *bytes = cursor__bytes(&c, sz);

	if (!bytes)
		return -EFAULT;
	memcpy(buf, bytes, sz);
	if (!image->relocations.cnt)
		return 0;
	for (uint64_t word = (addr + 7) & ~7ULL; word + 8 <= addr + sz; word += 8) {
		uint64_t value;

		memcpy(&value, bytes + (word - addr), sizeof(value));
		if (!value) {
			value = image__relocated(image, word);
			memcpy((char *)buf + (word - addr), &value, sizeof(value));
		}
	}
	return 0;
}

/* Whole pages within the SZ bytes at BYTES. Only a file's pages come back. */
static void forget_pages(const struct image *image, const uint8_t *bytes, uint64_t sz)
{
	size_t page = sysconf(_SC_PAGESIZE);
	size_t start = (bytes - image->base + page - 1) & ~(page - 1);
	size_t end = (bytes - image->base + sz) & ~(page - 1);

	if (image->fd >= 0 && start < end)
		madvise((void *)(image->base + start), end - start, MADV_DONTNEED);
}

void image__forget(const struct image *image, uint64_t addr, uint64_t sz)
{
	const uint8_t *bytes = image__at(image, addr, sz);

	if (bytes)
		forget_pages(image, bytes, sz);
}

void image__forget_all(const struct image *image)
{
	forget_pages(image, image->base, image->size);
}

/* -- searching -- */

struct search {
	uint64_t align;
	uint64_t need;
	bool (*visit)(void *ctx, uint64_t addr, const uint8_t *bytes);
	void *ctx;
};

/* From both ends towards the middle: only the pages up to the find are touched twice over. */
static uint64_t search_segment(const struct image *image, const struct segment *s,
			       const struct search *search)
{
	const uint8_t *bytes = image->base + s->file_off;
	uint64_t first = -s->addr & (search->align - 1); /* offset of the first aligned address */
	uint64_t cnt;

	if (s->size < first + search->need)
		return 0;
	cnt = (s->size - first - search->need) / search->align + 1;
	for (uint64_t i = 0; i < (cnt + 1) / 2; i++) {
		uint64_t low = first + i * search->align;
		uint64_t high = first + (cnt - 1 - i) * search->align;

		if (search->visit(search->ctx, s->addr + low, bytes + low))
			return s->addr + low;
		if (search->visit(search->ctx, s->addr + high, bytes + high))
			return s->addr + high;
	}
	return 0;
}

uint64_t image__search(const struct image *image, uint64_t align, uint64_t need,
		       bool (*visit)(void *ctx, uint64_t addr, const uint8_t *bytes), void *ctx)
{
	struct search search = {align, need, visit, ctx};

	for (int writable = 1; writable >= 0; writable--) {
		for (size_t i = image->segment_cnt; i-- > 0;) {
			const struct segment *s = &image->segments[i];
			uint64_t found;

			if (s->exec || s->write != writable)
				continue;
			found = search_segment(image, s, &search);
			if (found)
				return found;
		}
	}
	return 0;
}

/* -- life -- */

static bool is_as_opened(const struct image *image, const struct stat *st)
{
	return (size_t)st->st_size == image->size && st->st_mtim.tv_sec == image->written.tv_sec &&
	       st->st_mtim.tv_nsec == image->written.tv_nsec;
}

bool image__is_intact(const struct image *image)
{
	struct stat st;

	return !fstat(image->fd, &st) && is_as_opened(image, &st);
}

bool image__is_there(const struct image *image)
{
	struct stat st;

	return !fstat(image->fd, &st) && st.st_nlink && is_as_opened(image, &st);
}

int image__open(int fd, struct image **out, struct why *why)
{
	struct segment dynamic = {0};
	struct image *image;
	Elf64_Ehdr ehdr;
	int err;

	image = calloc(1, sizeof(*image));
	if (!image)
		return why__set(why, -ENOMEM, "out of memory");
	image->fd = -1;
	err = map_file(image, fd, why);
	if (!err)
		err = read_header(image, &ehdr, why);
	if (!err)
		err = read_segments(image, &ehdr, &dynamic, why);
	if (!err && dynamic.size)
		err = read_relocations(image, &dynamic, why);
	if (err) {
		image__free(image);
		return err;
	}
	*out = image;
	return 0;
}

void image__free(struct image *image)
{
	if (!image)
		return;
	if (image->base)
		munmap((void *)image->base, image->size);
	if (image->fd >= 0)
		close(image->fd);
	free(image->relocations.order);
	free(image);
}
