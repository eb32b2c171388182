// SPDX-License-Identifier: Apache-2.0
/*
 * sql_text: see sql_text.h.
 *
 * The summary goes by what comes next: FROM, JOIN, INTO and their like announce a target. Each
 * level of parentheses is a statement of its own; FROM counts only where that has an operation, so
 * that EXTRACT(year FROM day) names no table.
 */
#include "sql_text.h"

#include <string.h>
#include <strings.h>

#include "sql_token.h"
#include "sql_words.h"

enum { LEVELS_MAX = 32, CTES_MAX = 8 };

/* What is expected next on a level. */
enum expected { EXPECT_NOTHING, EXPECT_TARGET, EXPECT_LIST, EXPECT_OBJECT, EXPECT_CTE };

struct level {
	enum expected expected;
	bool has_operation;
	bool in_list;	/* a comma is followed by another target */
	bool has_using; /* MERGE and DELETE */
	bool in_with;	/* a comma is followed by another name for a subquery */
};

struct summary {
	char *buf;
	size_t len;
	bool full;
	bool after_distinct;
	bool is_explained; /* EXPLAIN may be followed by another operation */
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
	l->has_operation = true;
	l->has_using = sql_words__equal(text, "MERGE") || sql_words__equal(text, "DELETE");
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
	} else if (!is_cte(s, (struct otlp_text){text, len})) {
		put(s, (struct otlp_text){text, len}, false);
	}
	l->in_list = l->expected == EXPECT_LIST;
	l->expected = EXPECT_NOTHING;
	return used;
}

/* An operation's word where one may stand; false when it is none here. */
static bool begin_operation(struct summary *s, struct level *l, struct otlp_text text,
			    enum sql_role role)
{
	if (role == ROLE_SELECT) {
		operation(s, l, text, EXPECT_NOTHING);
	} else if (l->has_operation) {
		return false;
	} else if (role == ROLE_OPERATION) {
		operation(s, l, text, EXPECT_NOTHING);
	} else if (role == ROLE_TARGETED) {
		operation(s, l, text, EXPECT_TARGET);
	} else if (role == ROLE_OBJECT) {
		operation(s, l, text, EXPECT_OBJECT);
	} else if (role == ROLE_EXPLAIN) {
		put(s, text, true);
	} else if (role == ROLE_WITH) {
		l->expected = EXPECT_CTE;
		l->in_with = true;
	} else {
		return false;
	}
	return true;
}

/* Returns the bytes of further tokens that belong to the name, if it is one. */
static size_t word(struct summary *s, struct sql_token token, struct otlp_text rest,
		   enum sql_dialect dialect)
{
	struct level *l = &s->levels[s->depth];
	enum sql_role role = token.kind == SQL_WORD ? sql_words__role(token.text) : ROLE_NONE;
	bool after_distinct = s->after_distinct;

	s->after_distinct = token.kind == SQL_WORD && sql_words__equal(token.text, "DISTINCT");
	if (l->expected == EXPECT_OBJECT) {
		if (sql_words__is_object(token.text)) {
			put(s, token.text, true);
			l->expected = EXPECT_TARGET;
		}
		return 0;
	}
	if (begin_operation(s, l, token.text, role))
		return 0;
	if (role == ROLE_FROM && l->has_operation && !after_distinct) {
		l->expected = EXPECT_LIST;
	} else if (role == ROLE_INTO && l->has_operation &&
		   (l->has_using || !sql_words__equal(token.text, "USING"))) {
		l->expected = EXPECT_TARGET;
	} else if (role == ROLE_END) {
		l->in_list = false;
		if (l->expected != EXPECT_CTE)
			l->expected = EXPECT_NOTHING;
	} else if (l->expected == EXPECT_CTE && sql_words__equal(token.text, "RECURSIVE")) {
		return 0;
	} else if (l->expected != EXPECT_NOTHING && role == ROLE_NONE) {
		return name(s, l, token, rest, dialect);
	}
	return 0;
}

static void sign(struct summary *s, char c)
{
	struct level *l = &s->levels[s->depth];

	if (c == '(' && s->depth + 1 < LEVELS_MAX) {
		if (l->expected == EXPECT_LIST)
			l->in_list = true; /* a subquery is one of the list */
		l->expected = EXPECT_NOTHING;
		s->levels[++s->depth] = (struct level){.expected = EXPECT_NOTHING};
	} else if (c == ')' && s->depth) {
		s->depth--;
	} else if (c == ',' && l->in_list) {
		l->expected = EXPECT_LIST;
	} else if (c == ',' && l->in_with) {
		l->expected = EXPECT_CTE;
	} else if (c == ';') {
		s->depth = 0;
		s->levels[0] = (struct level){.expected = EXPECT_NOTHING};
	} else if (c != ',') {
		l->expected = EXPECT_NOTHING;
	}
}

size_t sql__summary(struct otlp_text sql, enum sql_dialect dialect,
		    char buf[static SQL_SUMMARY_MAX])
{
	struct summary s = {.buf = buf};
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
