// SPDX-License-Identifier: Apache-2.0
/* sql_words: see sql_words.h. */
#include "sql_words.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	enum sql_role role;
} words[] = {
	{"SELECT", ROLE_SELECT},
	{"INSERT", ROLE_CHANGE},
	{"UPDATE", ROLE_CHANGE},
	{"DELETE", ROLE_CHANGE},
	{"MERGE", ROLE_CHANGE},
	{"REPLACE", ROLE_TARGETED},
	{"VALUES", ROLE_END},
	{"WITH", ROLE_WITH},
	{"CREATE", ROLE_OBJECT},
	{"ALTER", ROLE_OBJECT},
	{"DROP", ROLE_OBJECT},
	{"TRUNCATE", ROLE_TARGETED},
	{"CALL", ROLE_TARGETED},
	{"EXEC", ROLE_TARGETED},
	{"EXECUTE", ROLE_TARGETED},
	{"COPY", ROLE_TARGETED},
	{"LOCK", ROLE_TARGETED},
	{"ANALYZE", ROLE_TARGETED},
	{"VACUUM", ROLE_TARGETED},
	{"REFRESH", ROLE_OBJECT},
	{"REINDEX", ROLE_OBJECT},
	{"EXPLAIN", ROLE_EXPLAIN},
	{"DESCRIBE", ROLE_TARGETED},
	{"USE", ROLE_TARGETED},
	{"SHOW", ROLE_OPERATION},
	{"SET", ROLE_OPERATION},
	{"RESET", ROLE_OPERATION},
	{"BEGIN", ROLE_OPERATION},
	{"START", ROLE_OPERATION},
	{"COMMIT", ROLE_OPERATION},
	{"ROLLBACK", ROLE_OPERATION},
	{"SAVEPOINT", ROLE_OPERATION},
	{"RELEASE", ROLE_OPERATION},
	{"PRAGMA", ROLE_TARGETED},
	{"ATTACH", ROLE_OPERATION},
	{"DETACH", ROLE_OPERATION},
	{"GRANT", ROLE_OPERATION},
	{"REVOKE", ROLE_OPERATION},
	{"LISTEN", ROLE_TARGETED},
	{"NOTIFY", ROLE_TARGETED},
	{"UNLISTEN", ROLE_TARGETED},
	{"DECLARE", ROLE_OPERATION},
	{"FETCH", ROLE_OPERATION},
	{"PREPARE", ROLE_OPERATION},
	{"DEALLOCATE", ROLE_OPERATION},
	{"DISCARD", ROLE_OPERATION},
	{"COMMENT", ROLE_OPERATION},
	{"OPTIMIZE", ROLE_OBJECT},
	{"FROM", ROLE_FROM},
	{"JOIN", ROLE_FROM},
	{"INTO", ROLE_INTO},
	{"USING", ROLE_USING},
	{"ONLY", ROLE_FILLER},
	{"LATERAL", ROLE_FILLER},
	{"TABLE", ROLE_FILLER},
	{"ON", ROLE_OTHER},
	{"AS", ROLE_OTHER},
	{"WHEN", ROLE_OTHER},
	{"WHERE", ROLE_END},
	{"GROUP", ROLE_END},
	{"ORDER", ROLE_END},
	{"HAVING", ROLE_END},
	{"LIMIT", ROLE_END},
	{"UNION", ROLE_END},
	{"EXCEPT", ROLE_END},
	{"INTERSECT", ROLE_END},
	{"RETURNING", ROLE_END},
	{"FOR", ROLE_END},
	{"WINDOW", ROLE_END},
	{"OFFSET", ROLE_END},
	{"INNER", ROLE_END},
	{"LEFT", ROLE_END},
	{"RIGHT", ROLE_END},
	{"CROSS", ROLE_END},
	{"NATURAL", ROLE_END},
	{"STDIN", ROLE_END},
	{"STDOUT", ROLE_END},
	{"OUTFILE", ROLE_END},
	{"DUMPFILE", ROLE_END},
};

/* What may stand between an operation and its target: elsewhere these are names like others. */
static const struct {
	const char *operation;
	const char *words[6]; /* the last is NULL */
} options[] = {
	{"INSERT", {"LOW_PRIORITY", "DELAYED", "HIGH_PRIORITY", "IGNORE", "FIRST"}},
	{"INSERT", {"TOP", "OVERWRITE", "BULK"}},
	{"REPLACE", {"LOW_PRIORITY", "DELAYED"}},
	{"UPDATE", {"LOW_PRIORITY", "IGNORE", "TOP"}},
	{"DELETE", {"LOW_PRIORITY", "QUICK", "IGNORE", "TOP"}},
	{"MERGE", {"TOP"}},
	{"CREATE", {"IF", "NOT", "EXISTS", "CONCURRENTLY"}},
	{"ALTER", {"IF", "EXISTS"}},
	{"DROP", {"IF", "EXISTS", "CONCURRENTLY"}},
	{"TRUNCATE", {"IF", "EXISTS"}},
	{"REFRESH", {"CONCURRENTLY"}},
	{"REINDEX", {"CONCURRENTLY"}},
	{"LOCK", {"TABLES"}},
	{"ANALYZE", {"VERBOSE", "LOCAL", "NO_WRITE_TO_BINLOG"}},
	{"VACUUM", {"FULL", "FREEZE", "VERBOSE", "ANALYZE"}},
	{"SELECT", {"TEMP", "TEMPORARY", "UNLOGGED"}}, /* INTO TEMP t */
};

/* What CREATE and its like may make, as the summary names it. */
static const char *const objects[] = {
	"TABLE",   "INDEX", "VIEW", "DATABASE", "SCHEMA",    "SEQUENCE", "FUNCTION", "PROCEDURE",
	"TRIGGER", "TYPE",  "USER", "ROLE",	"EXTENSION", "DOMAIN",	 "POLICY",
};

bool sql_words__equal(struct otlp_text text, const char *word)
{
	return strlen(word) == text.len && !strncasecmp(text.at, word, text.len);
}

enum sql_role sql_words__role(struct otlp_text text)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if ((words[i].word[0] & 0xdf) == (text.at[0] & 0xdf) &&
		    sql_words__equal(text, words[i].word))
			return words[i].role;
	return ROLE_NONE;
}

bool sql_words__may_name(enum sql_role role)
{
	return role <= ROLE_EXPLAIN;
}

bool sql_words__is_object(struct otlp_text text)
{
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (sql_words__equal(text, objects[i]))
			return true;
	return false;
}

bool sql_words__is_option(struct otlp_text operation, struct otlp_text text)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		for (const char *const *w = options[i].words; *w; w++)
			if (sql_words__equal(text, *w) &&
			    sql_words__equal(operation, options[i].operation))
				return true;
	return false;
}
