/* SPDX-License-Identifier: Apache-2.0 */
/* sql_token: an SQL text as a row of tokens, as far as sql_text needs them. */
#ifndef GOSPAN_AGENT_SQL_TOKEN_H
#define GOSPAN_AGENT_SQL_TOKEN_H

#include "sql_text.h"

enum sql_token_kind {
	SQL_END,
	SQL_SPACE,   /* and comments */
	SQL_WORD,    /* a keyword or a name */
	SQL_NAME,    /* a quoted name */
	SQL_LITERAL, /* number or string, with its prefix */
	SQL_SIGN,    /* one character of anything else */
};

struct sql_token {
	enum sql_token_kind kind;
	struct otlp_text text; /* of SQL_NAME without its quotes */
	size_t len;	       /* bytes in the text, quotes and all */
};

/* The token at the start of SQL. One that the text's end cuts goes to the end. */
struct sql_token sql_token__first(struct otlp_text sql, enum sql_dialect dialect);

#endif
