// SPDX-License-Identifier: Apache-2.0
/* sql_token: see sql_token.h. In doubt something is a literal: those are not shown. */
#include "sql_token.h"

#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}

/* Behind the first character: "orders_2026", "$" is Oracle's. */
static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

static char at(struct otlp_text sql, size_t i)
{
	return i < sql.len ? sql.at[i] : '\0';
}

/* What a backslash in a string does. */
enum backslash { BACKSLASH_PLAIN, BACKSLASH_ESCAPES, BACKSLASH_IN_DOUBT };

/*
 * Bytes up to and with the quote that ends what begins at FROM; two in a row are one inside. All
 * that is left when it cannot be told where it ends.
 */
static size_t quoted_len(struct otlp_text sql, size_t from, char quote, enum backslash backslash)
{
	for (size_t i = from + 1; i < sql.len; i++) {
		if (sql.at[i] == '\\' && backslash == BACKSLASH_ESCAPES)
			i++;
		else if (sql.at[i] == '\\' && backslash == BACKSLASH_IN_DOUBT &&
			 at(sql, i + 1) == quote)
			return sql.len;
		else if (sql.at[i] == quote && at(sql, i + 1) == quote)
			i++;
		else if (sql.at[i] == quote)
			return i + 1;
	}
	return sql.len;
}

static size_t line_len(struct otlp_text sql)
{
	const char *end = memchr(sql.at, '\n', sql.len);

	return end ? (size_t)(end - sql.at) : sql.len;
}

/*
 * Comments nest in PostgreSQL and SQL Server, not in sqlite, whose dialect is the standard's as
 * well. One inside that never ends was none: what is behind it is seen, and has no literal left in.
 */
static size_t comment_len(struct otlp_text sql, enum sql_dialect dialect)
{
	const char *end = sql.len > 2 ? memmem(sql.at + 2, sql.len - 2, "*/", 2) : NULL;
	size_t first_len = end ? (size_t)(end - sql.at) + 2 : sql.len;
	size_t depth = 1;

	for (size_t i = 2; dialect != SQL_MYSQL && i + 1 < sql.len; i++) {
		if (sql.at[i] == '/' && sql.at[i + 1] == '*') {
			depth++;
			i++;
		} else if (sql.at[i] == '*' && sql.at[i + 1] == '/') {
			depth--;
			i++;
		}
		if (!depth)
			return i + 1;
	}
	return first_len;
}

static size_t space_len(struct otlp_text sql, enum sql_dialect dialect)
{
	size_t i = 0;
	bool is_mysql = dialect == SQL_MYSQL;

	/* MySQL: 5--3 is 8, and what is in a comment with an exclamation mark is executed */
	if (at(sql, 0) == '-' && at(sql, 1) == '-' && !(is_mysql && at(sql, 2) > ' '))
		return line_len(sql);
	if (at(sql, 0) == '#' && is_mysql)
		return line_len(sql);
	if (at(sql, 0) == '/' && at(sql, 1) == '*' && !(is_mysql && at(sql, 2) == '!'))
		return comment_len(sql, dialect);
	while (i < sql.len && sql.at[i] && strchr(" \t\r\n\f\v", sql.at[i]))
		i++;
	return i;
}

/* SQL Server's temporary tables are #mine and ##everyones; both signs may stand inside a name. */
static size_t word_len(struct otlp_text sql, enum sql_dialect dialect)
{
	bool is_server = dialect == SQL_SERVER;
	size_t i = 0;

	if (!is_word_start(at(sql, 0)) && !(is_server && at(sql, 0) == '#'))
		return 0;
	while (is_word(at(sql, i)) || (is_server && (at(sql, i) == '#' || at(sql, i) == '@')))
		i++;
	return i;
}

/* 12, 1.5e-3, 0xff: whatever follows a digit without a gap belongs to it. */
static size_t number_len(struct otlp_text sql)
{
	size_t i = 0;

	if (!is_digit(at(sql, 0)) && !(at(sql, 0) == '.' && is_digit(at(sql, 1))))
		return 0;
	while (is_word(at(sql, i)) || at(sql, i) == '.' ||
	       ((at(sql, i) == '+' || at(sql, i) == '-') && (at(sql, i - 1) | 0x20) == 'e' &&
		is_digit(at(sql, i + 1)) && at(sql, 1) != 'x'))
		i++;
	return i;
}

/*
 * SQL Server's money: $12.50. Elsewhere $12 is a placeholder, but never with a fraction, and the
 * dialect may be unknown.
 */
static size_t money_len(struct otlp_text sql, enum sql_dialect dialect)
{
	size_t len;

	if (at(sql, 0) != '$')
		return 0;
	len = number_len((struct otlp_text){sql.at + 1, sql.len - 1});
	if (!len || (dialect != SQL_SERVER && !memchr(sql.at + 1, '.', len)))
		return 0;
	return 1 + len;
}

/* $$text$$ or $tag$text$tag$: PostgreSQL. 0: it is none, e.g. the placeholder $1. */
static size_t dollar_len(struct otlp_text sql)
{
	size_t tag = 1;
	const char *end;

	if (at(sql, 0) != '$' || is_digit(at(sql, 1)))
		return 0;
	while (is_word_start(at(sql, tag)) || is_digit(at(sql, tag)))
		tag++;
	if (at(sql, tag) != '$')
		return 0;
	tag++;
	end = memmem(sql.at + tag, sql.len - tag, sql.at, tag);
	return end ? (size_t)(end - sql.at) + tag : sql.len;
}

/* Oracle's q'[it's]': what is behind the first quote, its counterpart in brackets, ends it. */
static size_t q_string_len(struct otlp_text sql, size_t prefix)
{
	static const char brackets[] = "[](){}<>";
	char end[2] = {at(sql, prefix + 1), '\''};
	const char *bracket = end[0] ? strchr(brackets, end[0]) : NULL;
	const char *found = NULL;

	if (bracket && (bracket - brackets) % 2 == 0)
		end[0] = bracket[1];
	if (sql.len > prefix + 2)
		found = memmem(sql.at + prefix + 2, sql.len - prefix - 2, end, sizeof(end));
	return found ? (size_t)(found - sql.at) + sizeof(end) : sql.len;
}

/* A string, with a prefix as in E'\n', N'x', X'ff', _utf8'x'. PREFIX: bytes of that. */
static size_t string_len(struct otlp_text sql, size_t prefix, enum sql_dialect dialect)
{
	enum backslash backslash = BACKSLASH_PLAIN;
	char quote = at(sql, prefix);

	if (dialect == SQL_MYSQL || dialect == SQL_CLICKHOUSE ||
	    (prefix == 1 && (sql.at[0] | 0x20) == 'e'))
		backslash = BACKSLASH_ESCAPES;
	else if (dialect == SQL_UNKNOWN)
		backslash = BACKSLASH_IN_DOUBT;
	if (quote == '\'' && dialect == SQL_UNKNOWN && prefix && (sql.at[prefix - 1] | 0x20) == 'q')
		return q_string_len(sql, prefix);
	if (quote == '\'' || (quote == '"' && dialect == SQL_MYSQL))
		return quoted_len(sql, prefix, quote, backslash);
	return 0;
}

static struct sql_token token(enum sql_token_kind kind, struct otlp_text sql, size_t len)
{
	return (struct sql_token){kind, {sql.at, len}, len};
}

static struct sql_token name_in_quotes(struct otlp_text sql, char end)
{
	size_t len = quoted_len(sql, 0, end, BACKSLASH_PLAIN);
	struct sql_token name = token(SQL_NAME, sql, len);

	name.text.at++;
	name.text.len -= 1 + (len > 1 && sql.at[len - 1] == end);
	return name;
}

/* Words that may stand right before a string of their own: prefixes of literals. */
static bool is_string_prefix(struct otlp_text word)
{
	return word.len == 1 || (word.len && word.at[0] == '_') ||
	       (word.len == 2 && !strncasecmp(word.at, "nq", 2));
}

struct sql_token sql_token__first(struct otlp_text sql, enum sql_dialect dialect)
{
	size_t len;

	if (!sql.len)
		return token(SQL_END, sql, 0);
	if ((len = space_len(sql, dialect)))
		return token(SQL_SPACE, sql, len);
	if ((len = string_len(sql, 0, dialect)) || (len = number_len(sql)) ||
	    (len = money_len(sql, dialect)) || (len = dollar_len(sql)))
		return token(SQL_LITERAL, sql, len);
	if ((len = word_len(sql, dialect))) {
		if (is_string_prefix((struct otlp_text){sql.at, len}) &&
		    string_len(sql, len, dialect))
			return token(SQL_LITERAL, sql, string_len(sql, len, dialect));
		return token(SQL_WORD, sql, len);
	}
	if (sql.at[0] == '"' || sql.at[0] == '`')
		return name_in_quotes(sql, sql.at[0]);
	if (sql.at[0] == '[' && dialect == SQL_SERVER)
		return name_in_quotes(sql, ']');
	/* placeholders are no literals: $1, :1, @p1, ?1 */
	if (strchr("$:@?", sql.at[0])) {
		for (len = 1; is_word(at(sql, len));)
			len++;
		return token(SQL_SIGN, sql, len);
	}
	return token(SQL_SIGN, sql, 1);
}
