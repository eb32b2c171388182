/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sql_text: what a span may say of an SQL text: a summary of its operations and their targets, and
 * the text without its literals. No parser: a row of tokens is enough for both, and texts may be
 * cut or be in any dialect.
 */
#ifndef GOSPAN_AGENT_SQL_TEXT_H
#define GOSPAN_AGENT_SQL_TEXT_H

#include "../otlp/span.h"

enum { SQL_SUMMARY_MAX = 255 };

/* How a dialect writes what others write differently. */
enum sql_dialect {
	SQL_UNKNOWN,	/* as standard; whether a backslash escapes a quote is not known */
	SQL_STANDARD,	/* 'literal', E'lit\'eral', "name" */
	SQL_MYSQL,	/* "literal" and 'literal', with backslash escapes; `name`; # comment */
	SQL_SERVER,	/* [name] */
	SQL_CLICKHOUSE, /* backslash escapes */
};

/*
 * "SELECT orders customers": semconv's db.query.summary, never with a literal in it. Returns its
 * bytes in BUF; 0 when the text begins with nothing that is known. Ends before a word that does not
 * fit.
 */
size_t sql__summary(struct otlp_text sql, enum sql_dialect dialect,
		    char buf[static SQL_SUMMARY_MAX]);

/* SQL with each literal as `?`, into BUF, which has room for as many bytes. Returns the bytes. */
size_t sql__redact(struct otlp_text sql, enum sql_dialect dialect, char *buf);

#endif
