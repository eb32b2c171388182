/* SPDX-License-Identifier: Apache-2.0 */
/* utf8: what a well-formed character is, so that only such ones leave the agent. */
#ifndef GOSPAN_AGENT_UTF8_H
#define GOSPAN_AGENT_UTF8_H

#include <stddef.h>

/*
 * Bytes of the character at P, of which LEN > 0 bytes may be read; 0 when it is not well formed
 * (shortest forms only, no surrogates: Unicode 15, table 3-7).
 */
size_t utf8__char_len(const char *p, size_t len);

/* NUL-terminated copy of LEN bytes with every bad or NUL byte as U+FFFD. NULL: no memory. */
char *utf8__clean(const char *text, size_t len);

#endif
