// SPDX-License-Identifier: Apache-2.0
/*
 * sql_text: see sql_text.h.
 *
 * The summary goes by what comes next: FROM, JOIN, INTO and their like announce a target. The word
 * there is its name, also one that is an operation elsewhere: FROM comment. Whatever else comes
 * closes the expectation: no name rather than a wrong one. Each level of parentheses is a statement
 * of its own; FROM counts only where that has an operation, so that EXTRACT(year FROM day) names no
 * table.
 */
#include "sql_text.h"

#include <string.h>
#include <strings.h>

#include "sql_token.h"
#include "sql_words.h"

enum { LEVELS_MAX = 32, CTES_MAX = 8 };

/* What is expected next on a level. */
enum expected {
	EXPECT_NOTHING,
	EXPECT_OPTION, /* a target, perhaps behind options of the operation */
	EXPECT_TARGET,
	EXPECT_LIST,
	EXPECT_OBJECT,
	EXPECT_CTE,
};

struct level {
	enum expected expected;
	struct otlp_text operation; /* the last one; empty: none yet */
	bool is_statement;	    /* in columns or arguments, words of ROLE_CHANGE are names */
	bool is_explained;
	bool in_join; /* FROM (a JOIN b) */
	bool in_list; /* a comma is followed by another target */
	bool in_with; /* a comma is followed by another name for a subquery */
};

struct summary {
	char *buf;
	size_t len;
	bool full;
	bool after_distinct;
	bool after_dot;
	struct level levels[LEVELS_MAX];
	size_t depth;
	struct otlp_text ctes[CTES_MAX];
	size_t cte_cnt;
};

static void put(struct summary *s, struct otlp_text text, bool upper)
{
	size_t gap = s->len > 0;

	if (s->full || !text.len)
		return;
	if (s->len + gap + text.len > SQL_SUMMARY_MAX) {
		s->full = true;
		return;
	}
	if (gap)
		s->buf[s->len++] = ' ';
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		s->buf[s->len++] = upper && c >= 'a' && c <= 'z' ? c - 32 : c;
	}
}

static void operation(struct summary *s, struct level *l, struct otlp_text text, enum expected next)
{
	put(s, text, true);
	l->operation = text;
	l->in_list = l->in_with = false;
	l->expected = next;
}

static bool is_cte(const struct summary *s, struct otlp_text name)
{
	for (size_t i = 0; i < s->cte_cnt; i++)
		if (s->ctes[i].len == name.len && !strncasecmp(s->ctes[i].at, name.at, name.len))
			return true;
	return false;
}

/* The token behind gaps; REST is what follows it. */
static struct sql_token take_next(struct otlp_text *rest, enum sql_dialect dialect)
{
	struct sql_token token;

	do {
		token = sql_token__first(*rest, dialect);
		rest->at += token.len;
		rest->len -= token.len;
	} while (token.kind == SQL_SPACE);
	return token;
}

/*
 * DELETE o FROM orders o, INSERT DELAYED INTO t: what stands before the FROM or INTO that names the
 * target is an alias or an option. REST: what is behind it.
 */
static bool is_before_target(const struct level *l, struct otlp_text rest, enum sql_dialect dialect)
{
	struct sql_token next;

	if (l->expected != EXPECT_OPTION || sql_words__role(l->operation) != ROLE_CHANGE ||
	    sql_words__equal(l->operation, "UPDATE"))
		return false;
	next = take_next(&rest, dialect);
	if (next.kind == SQL_SIGN)
		return next.text.at[0] == ',' || next.text.at[0] == '.'; /* DELETE a.*, b.* FROM */
	return next.kind == SQL_WORD &&
	       (sql_words__equal(next.text, "FROM") || sql_words__equal(next.text, "INTO"));
}

/* A name, perhaps "schema.table", whose first part is FIRST. Returns the bytes after that. */
static size_t name(struct summary *s, struct level *l, struct sql_token first,
		   struct otlp_text rest, enum sql_dialect dialect)
{
	char text[SQL_SUMMARY_MAX];
	size_t len = 0, used = 0;
	struct sql_token part = first;

	for (;;) {
		struct otlp_text more = {rest.at + used, rest.len - used};

		if (len + part.text.len + 1 < sizeof(text)) {
			memcpy(text + len, part.text.at, part.text.len);
			len += part.text.len;
		}
		if (!more.len || more.at[0] != '.')
			break;
		part = sql_token__first((struct otlp_text){more.at + 1, more.len - 1}, dialect);
		if (part.kind != SQL_WORD && part.kind != SQL_NAME)
			break;
		used += 1 + part.len;
		if (len < sizeof(text))
			text[len++] = '.';
	}
	if (l->expected == EXPECT_CTE) {
		if (s->cte_cnt < CTES_MAX)
			s->ctes[s->cte_cnt++] = first.text;
	} else if (!is_cte(s, (struct otlp_text){text, len}) &&
		   !is_before_target(l, (struct otlp_text){rest.at + used, rest.len - used},
				     dialect)) {
		put(s, (struct otlp_text){text, len}, false);
	}
	l->in_list = l->expected == EXPECT_LIST ||
		     (l->expected == EXPECT_OPTION && sql_words__equal(l->operation, "UPDATE"));
	l->expected = EXPECT_NOTHING;
	return used;
}

/* Before a statement, or INSERT INTO t WITH a AS (SELECT 1) SELECT * FROM a. */
static bool may_have_with(const struct level *l)
{
	return !l->operation.len || sql_words__equal(l->operation, "INSERT") ||
	       sql_words__equal(l->operation, "CREATE");
}

/* An operation's word where one may stand; false when it is none here. */
static bool begin_operation(struct summary *s, struct level *l, struct otlp_text text,
			    enum sql_role role)
{
	if (role == ROLE_SELECT) {
		operation(s, l, text, EXPECT_NOTHING);
	} else if (role == ROLE_WITH && may_have_with(l)) {
		l->expected = EXPECT_CTE;
		l->in_with = true;
	} else if (l->operation.len) {
		return false;
	} else if (role == ROLE_CHANGE && l->is_statement) {
		operation(s, l, text, EXPECT_OPTION);
	} else if (s->depth) {
		return false;
	} else if (role == ROLE_EXPLAIN || (l->is_explained && sql_words__equal(text, "ANALYZE"))) {
		put(s, text, true);
		l->is_explained = true;
	} else if (role == ROLE_OPERATION) {
		operation(s, l, text, EXPECT_NOTHING);
	} else if (role == ROLE_TARGETED) {
		operation(s, l, text, EXPECT_OPTION);
	} else if (role == ROLE_OBJECT) {
		operation(s, l, text, EXPECT_OBJECT);
	} else {
		return false;
	}
	return true;
}

static bool is_before_parenthesis(struct otlp_text rest, enum sql_dialect dialect)
{
	struct sql_token next = take_next(&rest, dialect);

	return next.kind == SQL_SIGN && next.text.at[0] == '(';
}

/* A word that says what follows it; false when it does not do so here. REST: what is behind it. */
static bool announce(struct level *l, enum sql_role role, struct otlp_text rest,
		     enum sql_dialect dialect)
{
	if (role == ROLE_FROM && (l->operation.len || l->in_join))
		l->expected = EXPECT_LIST;
	else if (role == ROLE_INTO && l->operation.len) /* SELECT INTO TEMP t */
		l->expected =
			sql_words__equal(l->operation, "SELECT") ? EXPECT_OPTION : EXPECT_TARGET;
	else if (role == ROLE_USING && sql_words__equal(l->operation, "MERGE"))
		l->expected = EXPECT_TARGET;
	else if (role == ROLE_USING && sql_words__equal(l->operation, "DELETE") &&
		 !is_before_parenthesis(rest, dialect)) /* JOIN b USING (column) */
		l->expected = EXPECT_LIST;
	else
		return false;
	return true;
}

/* A word where a target is expected. Returns the bytes of further tokens that belong to it. */
static size_t target(struct summary *s, struct sql_token token, struct otlp_text rest,
		     enum sql_dialect dialect)
{
	struct level *l = &s->levels[s->depth];
	enum sql_role role = token.kind == SQL_WORD ? sql_words__role(token.text) : ROLE_NONE;
	struct otlp_text more = rest;

	if (token.kind == SQL_NAME || (rest.len && rest.at[0] == '.'))
		return name(s, l, token, rest, dialect);
	if (role == ROLE_FILLER)
		return 0;
	if (l->expected == EXPECT_OPTION) {
		if (sql_words__equal(token.text, "OR")) { /* UPDATE OR IGNORE t */
			take_next(&more, dialect);
			return rest.len - more.len;
		}
		if (sql_words__is_option(l->operation, token.text))
			return 0;
		if (sql_words__equal(token.text, "SET")) /* UPDATE IGNORE SET: that was the name */
			role = ROLE_END;
	}
	if (sql_words__may_name(role))
		return name(s, l, token, rest, dialect);
	l->expected = EXPECT_NOTHING;
	l->in_list &= role != ROLE_END;
	return 0;
}

static void object(struct summary *s, struct level *l, struct sql_token token)
{
	if (token.kind == SQL_WORD && sql_words__is_object(token.text)) {
		put(s, token.text, true);
		l->expected = EXPECT_OPTION;
	} else if (token.kind == SQL_WORD && sql_words__role(token.text) == ROLE_END) {
		l->expected = EXPECT_NOTHING;
	}
}

/* Returns the bytes of further tokens that belong to the name, if it is one. */
static size_t word(struct summary *s, struct sql_token token, struct otlp_text rest,
		   enum sql_dialect dialect)
{
	struct level *l = &s->levels[s->depth];
	enum sql_role role = token.kind == SQL_WORD ? sql_words__role(token.text) : ROLE_NONE;
	bool after_distinct = s->after_distinct, after_dot = s->after_dot;

	s->after_distinct = token.kind == SQL_WORD && sql_words__equal(token.text, "DISTINCT");
	s->after_dot = false;
	if (after_dot) /* a column, whatever it is called */
		return 0;
	if (l->expected == EXPECT_OBJECT)
		object(s, l, token);
	else if (l->expected == EXPECT_CTE && sql_words__equal(token.text, "RECURSIVE"))
		return 0;
	else if (l->expected == EXPECT_CTE && role != ROLE_SELECT)
		return name(s, l, token, rest, dialect);
	else if (begin_operation(s, l, token.text, role))
		return 0;
	else if (!after_distinct && announce(l, role, rest, dialect))
		return 0;
	else if (l->expected != EXPECT_NOTHING)
		return target(s, token, rest, dialect);
	else if (role == ROLE_END || sql_words__equal(token.text, "SET"))
		l->in_list = false;
	return 0;
}

/* Whether what a parenthesis here holds may be a statement that changes something. */
static bool holds_statement(const struct level *l)
{
	return l->expected == EXPECT_OPTION || (l->is_statement && !l->operation.len);
}

static void sign(struct summary *s, char c)
{
	struct level *l = &s->levels[s->depth];

	s->after_dot = c == '.';
	if (c == '(' && s->depth + 1 < LEVELS_MAX) {
		bool in_join = l->expected == EXPECT_LIST;

		s->levels[++s->depth] = (struct level){
			.is_statement = holds_statement(l),
			.in_join = in_join,
			.expected = in_join ? EXPECT_LIST : EXPECT_NOTHING,
		};
		l->in_list |= in_join; /* a subquery or a join is one of the list */
		l->expected = EXPECT_NOTHING;
	} else if (c == ')' && s->depth) {
		s->depth--;
	} else if (c == ',' && l->in_list) {
		l->expected = EXPECT_LIST;
	} else if (c == ',' && l->in_with) {
		l->expected = EXPECT_CTE;
	} else if (c == ';') {
		s->depth = 0;
		s->levels[0] = (struct level){.is_statement = true};
	} else if (c != ',') {
		l->expected = EXPECT_NOTHING;
	}
}

size_t sql__summary(struct otlp_text sql, enum sql_dialect dialect,
		    char buf[static SQL_SUMMARY_MAX])
{
	struct summary s = {.buf = buf, .levels[0].is_statement = true};
	bool is_known = false;

	while (!s.full) {
		struct sql_token token = sql_token__first(sql, dialect);

		if (token.kind == SQL_END)
			break;
		sql.at += token.len;
		sql.len -= token.len;
		if (token.kind == SQL_WORD || token.kind == SQL_NAME) {
			size_t more = word(&s, token, sql, dialect);

			sql.at += more;
			sql.len -= more;
			is_known |= s.len || s.levels[0].in_with;
			if (!is_known)
				return 0; /* no statement that we know: its words may be anything */
		} else if (token.kind != SQL_SPACE) {
			sign(&s, token.kind == SQL_SIGN ? token.text.at[0] : '?');
		}
	}
	return s.len;
}

size_t sql__redact(struct otlp_text sql, enum sql_dialect dialect, char *buf)
{
	size_t len = 0;

	for (;;) {
		struct sql_token token = sql_token__first(sql, dialect);

		if (token.kind == SQL_END)
			return len;
		if (token.kind == SQL_LITERAL) {
			buf[len++] = '?';
		} else {
			memcpy(buf + len, sql.at, token.len);
			len += token.len;
		}
		sql.at += token.len;
		sql.len -= token.len;
	}
}
