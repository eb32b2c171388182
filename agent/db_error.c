// SPDX-License-Identifier: Apache-2.0
/* db_error: see db_error.h; where the texts are: bpf/database_error.bpf.h. */
#include "db_error.h"

static const struct {
	const char *type;
	const char *number; /* field with the code; NULL: it is the second text, if there is one */
} errors[] = {
	{"*github.com/lib/pq.Error", NULL},
	{"*github.com/jackc/pgconn.PgError", NULL},
	{"*github.com/jackc/pgx/v5/pgconn.PgError", NULL},
	{"*github.com/jackc/pgconn.connectError", NULL},
	{"*github.com/jackc/pgx/v5/pgconn.connectError", NULL},
	{"*github.com/jackc/pgconn.pgconnError", NULL},
	{"*github.com/jackc/pgx/v5/pgconn.pgconnError", NULL},
	{"*github.com/go-sql-driver/mysql.MySQLError", "Number"},
	{"github.com/mattn/go-sqlite3.Error", "ExtendedCode"},
	{"*modernc.org/sqlite.Error", "code"},
	{"*github.com/glebarez/go-sqlite.Error", "code"},
	{"github.com/microsoft/go-mssqldb.Error", "Number"},
	{"github.com/denisenkom/go-mssqldb.Error", "Number"},
	{"*github.com/ClickHouse/clickhouse-go/v2/lib/proto.Exception", "Code"},
};

enum { ERROR_CNT = sizeof(errors) / sizeof(errors[0]) };

static size_t index_of(const char *type)
{
	size_t i = 0;

	while (i < ERROR_CNT && strcmp(errors[i].type, type))
		i++;
	return i;
}

bool db_error__is(const char *type)
{
	return index_of(type) < ERROR_CNT;
}

/* The field NAME of the struct that LINK's value is, out of the bytes that travelled. */
static struct otlp_text number(struct build_span *b, const struct resolve *r,
			       const struct error_link *link, const char *name, uint64_t bias)
{
	struct type_fact type;
	struct field_fact fact;
	const char *field;
	uint64_t bits = 0;
	size_t len;

	if (!r || resolve__type_at(r, link->value.type - bias, &type))
		return text_of("");
	if (type.kind == GO_KIND_POINTER && resolve__type_at(r, type.elem, &type))
		return text_of("");
	for (size_t i = 0; !resolve__type_field(r, type.addr, i, &field, &len, &fact); i++) {
		if (len != strlen(name) || memcmp(field, name, len) || fact.size > sizeof(bits) ||
		    fact.offset + fact.size > sizeof(link->value.value))
			continue;
		memcpy(&bits, link->value.value + fact.offset, fact.size);
		return build__printf(b, "%llu", (unsigned long long)bits);
	}
	return text_of("");
}

struct otlp_text db_error__code(struct build_span *b, const struct resolve *r,
				const struct error_link *link, const char *type, uint64_t bias)
{
	size_t i = index_of(type);

	if (i == ERROR_CNT)
		return text_of("");
	if (errors[i].number)
		return number(b, r, link, errors[i].number, bias);
	return link->text_cnt > 1 ? build__clean(b, link->texts[1]) : text_of("");
}
