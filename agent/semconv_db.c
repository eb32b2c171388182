// SPDX-License-Identifier: Apache-2.0
/* semconv_db: database client spans (semantic conventions for SQL, stable); see semconv.h. */
#include "http_text.h"
#include "ip_text.h"
#include "semconv.h"
#include "sql_text.h"

/* Drivers by the package that their connection's type is of. */
static const struct system {
	const char *package;
	const char *name;
	enum sql_dialect dialect;
} systems[] = {
	{"github.com/lib/pq.", "postgresql", SQL_STANDARD},
	{"github.com/jackc/pgx/", "postgresql", SQL_STANDARD},
	{"github.com/uptrace/bun/driver/pgdriver.", "postgresql", SQL_STANDARD},
	{"github.com/go-sql-driver/mysql.", "mysql", SQL_MYSQL},
	{"github.com/mattn/go-sqlite3.", "sqlite", SQL_STANDARD},
	{"modernc.org/sqlite.", "sqlite", SQL_STANDARD},
	{"github.com/glebarez/go-sqlite.", "sqlite", SQL_STANDARD},
	{"github.com/sijms/go-ora", "oracle.db", SQL_STANDARD}, /* and /v2 */
	{"github.com/microsoft/go-mssqldb.", "microsoft.sql_server", SQL_SERVER},
	{"github.com/denisenkom/go-mssqldb.", "microsoft.sql_server", SQL_SERVER},
	{"github.com/ClickHouse/clickhouse-go", "clickhouse", SQL_CLICKHOUSE},
	{"", "other_sql", SQL_UNKNOWN},
};

static const char *const operations[] = {
	[DB_BEGIN] = "BEGIN",
	[DB_COMMIT] = "COMMIT",
	[DB_ROLLBACK] = "ROLLBACK",
	[DB_PING] = "PING",
};

/* What is told of a call in several attributes. */
struct call {
	const struct system *system;
	const char *operation; /* NULL: a query */
	struct otlp_text summary;
	struct otlp_text host; /* or the path of a socket; may lie on the workbench */
	unsigned port;	       /* 0: unknown */
	char buf[SQL_SUMMARY_MAX];
};

static const struct system *system_of(const struct semconv_input *in)
{
	uint64_t type = raw_number(in->raws, ATTR_DB_DRIVER, 0);
	const struct system *s = systems;
	char name[256] = "";

	if (in->resolve && type &&
	    resolve__type_name(in->resolve, type - in->record->bias, name, sizeof(name)) < 0)
		name[0] = '\0';
	while (strncmp(name + (name[0] == '*'), s->package, strlen(s->package)))
		s++;
	return s;
}

/* The server by the connection to it, where the driver's configuration has several. */
static void find_peer(struct build_span *b, const struct raws *raws, struct call *call)
{
	struct ip_address peer;

	if (ip_text__read(&raws->by_key[ATTR_PEER_ADDRESS], &peer)) {
		call->host = ip_text__address(b, &peer);
		call->port = peer.port;
	} else {
		call->host = raw_text(raws, ATTR_PEER);
	}
}

static void find_server(struct build_span *b, const struct raws *raws, struct call *call)
{
	struct otlp_text address = raw_text(raws, ATTR_DB_ADDRESS);
	struct otlp_text port = raw_text(raws, ATTR_DB_PORT_TEXT);

	call->host = raw_text(raws, ATTR_DB_HOST);
	call->port = raw_number(raws, ATTR_DB_PORT, 0);
	for (size_t i = 0; i < port.len && port.at[i] >= '0' && port.at[i] <= '9' && i < 5; i++)
		call->port = call->port * 10 + (port.at[i] - '0');
	if (address.len && address.at[0] != '/' && address.at[0] != '@')
		http__split_host(address, &call->host, &call->port);
	else if (address.len)
		call->host = address;
	else if (!call->host.len)
		find_peer(b, raws, call);
	if (!call->host.len || call->host.at[0] == '/' || call->host.at[0] == '@')
		call->port = 0;
}

static void read_call(struct build_span *b, const struct semconv_input *in, struct call *call)
{
	int64_t operation = raw_number(in->raws, ATTR_DB_OPERATION, DB_QUERY);

	call->system = system_of(in);
	call->operation =
		operation > DB_QUERY && operation <= DB_PING ? operations[operation] : NULL;
	call->summary.at = call->buf;
	call->summary.len =
		sql__summary(raw_text(in->raws, ATTR_DB_QUERY), call->system->dialect, call->buf);
	find_server(b, in->raws, call);
}

static struct otlp_text target_of(struct build_span *b, const struct raws *raws,
				  const struct call *call)
{
	struct otlp_text namespace = raw_text(raws, ATTR_DB_NAMESPACE);
	struct otlp_text target;

	if (namespace.len)
		return build__clean(b, namespace);
	target = build__clean(b, call->host);
	if (target.len && call->port)
		/* one behind the other on the workbench: one text */
		target.len += build__printf(b, ":%u", call->port).len;
	return target;
}

static struct otlp_text name_of(struct build_span *b, const struct raws *raws,
				const struct call *call)
{
	struct otlp_text name;

	if (call->summary.len)
		return build__clean(b, call->summary);
	if (!call->operation) {
		name = target_of(b, raws, call);
		return name.len ? name : text_of(call->system->name);
	}
	name = build__printf(b, "%s ", call->operation);
	name.len += target_of(b, raws, call).len;
	if (name.at[name.len - 1] == ' ')
		name.len--;
	return name;
}

static void put_query(struct build_span *b, const struct semconv_input *in, const struct call *call)
{
	struct otlp_text query = raw_text(in->raws, ATTR_DB_QUERY);
	char text[QUERY_MAX];

	build__text(b, "db.query.summary", call->summary);
	if (!in->config->db_statement || query.len > sizeof(text))
		return;
	if (!raw_number(in->raws, ATTR_DB_ARGUMENTS, 0))
		query = (struct otlp_text){text, sql__redact(query, call->system->dialect, text)};
	build__text(b, "db.query.text", query);
}

/* A call that the caller took back has failed as well: its result is not there. */
static void put_outcome(struct build_span *b, const struct go_error *error)
{
	if (!error->type.len)
		return;
	b->span.status = OTLP_STATUS_ERROR;
	b->span.status_message = error->text;
	build__text(b, "db.response.status_code", error->code);
	build__text(b, "error.type", error->code.len ? error->code : error->type);
}

static struct otlp_text name_alone(struct build_span *b, const struct semconv_input *in)
{
	struct call call;

	read_call(b, in, &call);
	return name_of(b, in->raws, &call);
}

static bool failed(const struct semconv_input *in)
{
	return in->error.type.len > 0;
}

static void describe(struct build_span *b, const struct semconv_input *in)
{
	int64_t wait_ns = raw_number(in->raws, ATTR_DB_POOL_WAIT, 0);
	struct call call;

	read_call(b, in, &call);
	b->span.name = name_of(b, in->raws, &call);
	build__text(b, "db.system.name", text_of(call.system->name));
	build__text(b, "db.namespace", raw_text(in->raws, ATTR_DB_NAMESPACE));
	if (call.operation)
		build__text(b, "db.operation.name", text_of(call.operation));
	put_query(b, in, &call);
	build__text(b, "server.address", call.host);
	if (call.port)
		build__number(b, "server.port", call.port);
	if (wait_ns > 0)
		build__real(b, "gospan.db.pool_wait", wait_ns / 1e9);
	put_outcome(b, &in->error);
}

const struct semconv semconv_db = {
	.domain = "DB",
	.name = name_alone,
	.failed = failed,
	.describe = describe,
};
