/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * glob: '*' any run of characters, '?' any one; the whole text must match. Greedy with one point to
 * go back to (the last star), which is enough for globs of this kind.
 */
#ifndef GOSPAN_BPF_GLOB_H
#define GOSPAN_BPF_GLOB_H

#include "go.bpf.h"

enum { GLOB_TEXT_MAX = 128, GLOB_STEPS = 256 };

/*
 * A match under way. It must lie in a map value: on the stack the verifier would follow every value
 * that each position could have.
 */
struct glob_match {
	__u32 text_at, glob_at, star, mark;
	__u32 len;
	__u8 text[GLOB_TEXT_MAX];
};

/* M->text holds M->len bytes; GLOB is NUL-terminated within EXCLUDE_GLOB_MAX bytes. */
static __always_inline bool glob_matches(struct glob_match *m, const volatile char *glob)
{
	const __u32 none = EXCLUDE_GLOB_MAX;

	m->text_at = m->glob_at = m->mark = 0;
	m->star = none;
	for (int i = 0; i < GLOB_STEPS; i++) {
		char want = glob[m->glob_at & (EXCLUDE_GLOB_MAX - 1)];
		char is = m->text[m->text_at & (GLOB_TEXT_MAX - 1)];

		if (want == '*') {
			m->star = m->glob_at++;
			m->mark = m->text_at;
		} else if (m->text_at >= m->len) {
			return !want;
		} else if (want && (want == '?' || want == is)) {
			m->glob_at++;
			m->text_at++;
		} else if (m->star != none) {
			m->glob_at = m->star + 1;
			m->text_at = ++m->mark;
		} else {
			return false;
		}
	}
	return false;
}

#endif
