/* SPDX-License-Identifier: Apache-2.0 */
/*
 * why: fills the one-line reasons of resolve.h.
 */
#ifndef GOSPAN_OFFSETS_WHY_H
#define GOSPAN_OFFSETS_WHY_H

#include "resolve.h"

/* Writes the reason into WHY (may be NULL) and returns ERR, so that a failure is one statement. */
int why__set(struct why *why, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
