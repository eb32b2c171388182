/* SPDX-License-Identifier: Apache-2.0 */
/* sql_words: the words that sql_text knows, and what each means to it. */
#ifndef GOSPAN_AGENT_SQL_WORDS_H
#define GOSPAN_AGENT_SQL_WORDS_H

#include "../otlp/span.h"

enum sql_role {
	ROLE_NONE,
	ROLE_SELECT,	/* an operation wherever it stands */
	ROLE_CHANGE,	/* an operation where a statement begins, which WITH may have inside */
	ROLE_OPERATION, /* an operation where the text or what is behind a semicolon begins */
	ROLE_TARGETED,	/* the same, and its target comes next: CALL p, LOCK t */
	ROLE_OBJECT,	/* CREATE, ALTER, DROP: what kind of object, then its name */
	ROLE_EXPLAIN,	/* the operation of the statement that follows counts too */
	ROLE_WITH,
	ROLE_FROM,   /* a list of targets follows */
	ROLE_INTO,   /* one target follows */
	ROLE_USING,  /* so do the further targets of MERGE and DELETE; else columns do */
	ROLE_FILLER, /* may stand between that and the target */
	ROLE_OTHER,  /* never a target's name without quotes */
	ROLE_END,    /* the same, and ends a list of targets */
};

enum sql_role sql_words__role(struct otlp_text text);

/* Whether such a word is a name where no statement begins: FROM comment. */
bool sql_words__may_name(enum sql_role role);

/* Whether TEXT is WORD, in whatever case. */
bool sql_words__equal(struct otlp_text text, const char *word);

/* What CREATE and its like may make: TABLE, INDEX. */
bool sql_words__is_object(struct otlp_text text);

/* Whether TEXT may stand between OPERATION and its target: UPDATE IGNORE t. */
bool sql_words__is_option(struct otlp_text operation, struct otlp_text text);

#endif
