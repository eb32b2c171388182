/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * glob: '*' any run of characters, '?' any one; the whole text must match. Greedy with one point to
 * go back to (the last star), which is enough for globs of this kind.
 */
#ifndef GOSPAN_BPF_GLOB_H
#define GOSPAN_BPF_GLOB_H

#include "go.bpf.h"

enum { GLOB_TEXT_MAX = 128, GLOB_STEPS = 16, GLOB_TURNS = 16 };

enum glob_verdict { GLOB_GOES_ON, GLOB_MATCHES, GLOB_DIFFERS };

/*
 * A match under way. It must lie in a map value: on the stack the verifier would follow every value
 * that each position could have.
 */
struct glob_match {
	__u32 text_at, glob_at, star, mark;
	__u32 len;
	__u8 text[GLOB_TEXT_MAX];
};

static __always_inline void glob_begin(struct glob_match *m)
{
	m->text_at = m->glob_at = m->mark = 0;
	m->star = EXCLUDE_GLOB_MAX; /* none yet */
}

/*
 * Some steps of matching M->text, M->len bytes, with GLOB, which is NUL-terminated within
 * EXCLUDE_GLOB_MAX bytes. Called GLOB_TURNS times from a global function, which the verifier looks
 * at once: it is slow with long loops.
 */
static __always_inline enum glob_verdict glob_go_on(struct glob_match *m, volatile char *glob)
{
	for (int i = 0; i < GLOB_STEPS; i++) {
		char want = glob[m->glob_at & (EXCLUDE_GLOB_MAX - 1)];
		char is = m->text[m->text_at & (GLOB_TEXT_MAX - 1)];

		if (want == '*') {
			m->star = m->glob_at++;
			m->mark = m->text_at;
		} else if (m->text_at >= m->len) {
			return want ? GLOB_DIFFERS : GLOB_MATCHES;
		} else if (want && (want == '?' || want == is)) {
			m->glob_at++;
			m->text_at++;
		} else if (m->star != EXCLUDE_GLOB_MAX) {
			m->glob_at = m->star + 1;
			m->text_at = ++m->mark;
		} else {
			return GLOB_DIFFERS;
		}
	}
	return GLOB_GOES_ON;
}

#endif
