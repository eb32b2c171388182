/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console_text: one line of the terminal, built column by column. Knows how wide text is on the
 * screen, and lets nothing foreign through raw (printable).
 */
#ifndef GOSPAN_AGENT_CONSOLE_TEXT_H
#define GOSPAN_AGENT_CONSOLE_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "../otlp/span.h"

enum { ROW_BYTES = 8192, DURATION_BYTES = 16 };

enum style { PLAIN, DIM, BOLD, GREEN, YELLOW, RED, CYAN };

/* Text past ROW_BYTES is cut; the row stays well formed. */
struct row {
	char at[ROW_BYTES];
	size_t len;
	unsigned width; /* columns so far */
	bool color;
};

void row__start(struct row *row, bool color);

/* Our own text: printable, of one column a character. */
void row__own(struct row *row, const char *text);
void row__format(struct row *row, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Anybody's text, escaped; past MAX_WIDTH columns it is cut and ends in an ellipsis. */
void row__foreign(struct row *row, struct otlp_text text, unsigned max_width);

/* The first four and the last two digits of a trace id. */
void row__short_id(struct row *row, const uint8_t trace_id[static 16]);

/* Spaces up to COLUMN. */
void row__pad_to(struct row *row, unsigned column);
/* Spaces, then TEXT (our own), so that it ends at COLUMN. */
void row__right(struct row *row, const char *text, unsigned column);

/* Until the next call; nothing when the row has no colour. */
void row__style(struct row *row, enum style style);

/* Writes the row and a newline. */
void row__print(const struct row *row, FILE *out);

/* The columns row__foreign() would take for all of TEXT. */
unsigned text__width(struct otlp_text text);

/* For a person: "412µs", "3.1ms", "18.4ms", "184ms", "1.84s", "2m05s". */
void format_duration(uint64_t ns, char out[static DURATION_BYTES]);

/* Columns of a duration: the µ is two bytes. */
enum { DURATION_WIDTH = 7 };

#endif
