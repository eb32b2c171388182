/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assemble: from a record of the kernel to a span of OTLP: attributes by the semantic conventions
 * of the library's domain, panics as exception events, boot time to wall-clock time.
 */
#ifndef GOSPAN_AGENT_ASSEMBLE_H
#define GOSPAN_AGENT_ASSEMBLE_H

#include "build_span.h"
#include "declarations.h"
#include "../offsets/resolve.h"

/* Wall clock minus CLOCK_BOOTTIME, as it was when it was read. Zero-initialise. */
struct wall_clock {
	int64_t offset_ns;
	uint64_t read_ns; /* boot time */
};

/*
 * Makes CLOCK good for a record that ended at END_NS (boot time): read anew when the record is
 * younger, by more than a millisecond, than the last reading; so that steps of the wall clock and
 * suspend do not shift spans.
 */
void wall_clock__update(struct wall_clock *clock, uint64_t end_ns);

/*
 * Builds B->span of RECORD. R is the executable's (NULL: types of panics stay unknown). Returns
 * false when the record makes no sense.
 */
bool assemble__span(struct build_span *b, const struct config *config,
		    const struct declarations *declarations, const struct resolve *r,
		    const struct span_record *record, const uint8_t *body, int64_t wall_offset);

/* For a record that was not sampled, the same: B->span's name, kind, parent, times and status only. */
bool assemble__count(struct build_span *b, const struct config *config,
		     const struct declarations *declarations, const struct resolve *r,
		     const struct span_record *record, const uint8_t *body);

#endif
