/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes the search for probe sites: the bytes of a function are what a traced process says they
 * are. Input: one byte that chooses kind, architecture, whether g is needed and whether a callee
 * spares RETs or paths join behind its call, one byte of other needed registers, then the function.
 * Whatever is found must be inside it, and cheap if it says so.
 * libFuzzer: -max_len=1024
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../offsets/sites.h"

enum { START = 0x400000, SITES_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Two bits of an address decide which function is there. */
static const char *function_at(void *ctx, uint64_t addr)
{
	static const char *const names[] = {"runtime.morestack_noctxt", "callee",
					    "runtime.deferreturn", NULL};

	return names[addr >> 4 & 3];
}

static void expect(bool ok)
{
	if (!ok)
		abort();
}

/* Said once more, independently: what the kernel emulates. */
static bool is_cheap(enum go_arch arch, const uint8_t *bytes)
{
	uint8_t top = bytes[3];

	if (arch == GO_ARCH_ARM64)
		return (top & 0x7c) == 0x14 || top == 0x54 || (top & 0x7c) == 0x34 ||
		       (top & 0x1f) == 0x10 || top == 0xd6;
	if (bytes[0] == 0x41)
		return bytes[1] >= 0x50 && bytes[1] <= 0x57;
	if (bytes[0] == 0x0f)
		return bytes[1] >= 0x80 && bytes[1] <= 0x8f;
	return (bytes[0] >= 0x50 && bytes[0] <= 0x57) || (bytes[0] >= 0x70 && bytes[0] <= 0x7f) ||
	       memchr("\xe8\xe9\xeb\x90", bytes[0], 4);
}

static void check_site(const struct sites_code *code, const struct site *site)
{
	uint64_t off = site->addr - code->addr;
	enum site_cost cheap = code->arch == GO_ARCH_ARM64 ? SITE_SIMULATED : SITE_EMULATED;

	expect(site->len && off < code->size && code->size - off >= site->len);
	expect(memchr(site->instruction, '\0', sizeof(site->instruction)));
	expect(site->instruction[0]);
	expect(site->cost == SITE_STEPPED ||
	       (site->cost == cheap && is_cheap(code->arch, code->bytes + off)));
}

/* Some of the RETs that are found when none is spared: never none of them, never another. */
static void check_spared(const struct sites_code *code, const struct site *found, int cnt)
{
	struct site all[SITES_MAX];
	int all_cnt = sites__find(code, SITE_RETURN, NULL, 0, all, SITES_MAX, NULL), n = 0;

	if (all_cnt == -E2BIG)
		return;
	expect(all_cnt < 0 ? cnt == all_cnt : cnt > 0);
	for (int i = 0; i < cnt; i++) {
		while (n < all_cnt && memcmp(&all[n], &found[i], sizeof(all[n])))
			n++;
		expect(n++ < all_cnt);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct site found[SITES_MAX], untouched[SITES_MAX];
	struct sites_code code = {.addr = START, .function_at = function_at};
	struct why why = {};
	enum site_kind kind;
	uint32_t needed;
	bool by_callee;
	int cnt;

	if (size < 2)
		return 0;
	kind = data[0] & 3;
	code.arch = data[0] & 4 ? GO_ARCH_ARM64 : GO_ARCH_AMD64;
	needed = data[1] | (data[0] & 8 ? 1u << 31 : 0);
	code.bytes = data + 2;
	code.size = size - 2;
	if (kind == SITE_AFTER && data[0] & 16)
		kind = SITE_JOIN;
	by_callee = kind != SITE_ENTRY && (kind != SITE_RETURN || data[0] & 16);
	memset(found, 0xa5, sizeof(found));
	memcpy(untouched, found, sizeof(found));

	cnt = sites__find(&code, kind, by_callee ? "callee" : NULL, needed, found, SITES_MAX, &why);

	expect(cnt != 0 && cnt <= SITES_MAX);
	if (cnt < 0) {
		expect(cnt == -ENOENT || cnt == -E2BIG || cnt == -EINVAL);
		expect(why.text[0]);
		expect(!memcmp(found, untouched, sizeof(found)));
	}
	if (kind == SITE_RETURN && by_callee)
		check_spared(&code, found, cnt);
	for (int i = 0; i < cnt; i++) {
		expect(found[i].kind == kind);
		expect(i == 0 || found[i - 1].addr < found[i].addr);
		check_site(&code, &found[i]);
	}
	return 0;
}
