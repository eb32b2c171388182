// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * database_sql_conn: which database a connection leads to. The dynamic type of the driver's
 * connection (driver.Conn in sql.driverConn) is sent as it is: the agent knows what its name means.
 * Of the drivers below the configuration that the connection was made with is read as well.
 * Wrappers (otelsql, sqlmw and their like) have the driver's own connection in one of their first
 * fields: they are followed two levels deep.
 */
#include "database_sql.bpf.h"
#include "go_map.bpf.h"
#include "net_conn.bpf.h"

enum { WRAPPERS_MAX = 2, WRAPPER_WORDS = 4 };

/* Keys of lib/pq's options, as little-endian words. */
#define WORD_HOST 0x74736f68ULL
#define WORD_PORT 0x74726f70ULL
#define WORD_DBNAME 0x656d616e6264ULL

/* type driverConn, DB, dsnConnector struct, src/database/sql/sql.go, Go 1.19 to 1.27 */
GO_FIELD(driver_conn_ci, interface, "database/sql.driverConn.ci");
GO_FIELD(driver_conn_db, pointer, "database/sql.driverConn.db");
GO_FIELD(db_free_conn, slice, "database/sql.DB.freeConn");
GO_FIELD(db_connector, interface, "database/sql.DB.connector");
GO_TYPE(dsn_connector, "database/sql.dsnConnector");
GO_FIELD(dsn_connector_driver, interface, "database/sql.dsnConnector.driver");

/* type conn struct, conn.go: opts to v1.10, cfg (type Config, connector.go) from v1.11 */
GO_TYPE(pq_conn, "*github.com/lib/pq.conn");
GO_FIELD(pq_opts, map, "github.com/lib/pq.conn.opts");
GO_FIELD(pq_host, string, "github.com/lib/pq.conn.cfg.Host");
GO_FIELD(pq_port, int, "github.com/lib/pq.conn.cfg.Port");
GO_FIELD(pq_database, string, "github.com/lib/pq.conn.cfg.Database");

/* type Conn struct, stdlib/sql.go: see database_sql_pgx.bpf.c */
GO_TYPE(pgx4_conn, "*github.com/jackc/pgx/v4/stdlib.Conn");
GO_TYPE(pgx5_conn, "*github.com/jackc/pgx/v5/stdlib.Conn");
GO_TYPE(pgx5_connector, "github.com/jackc/pgx/v5/stdlib.connector");

/* type Conn struct, driver.go; type Config struct, config.go; v1.2 */
GO_TYPE(pgdriver_conn, "*github.com/uptrace/bun/driver/pgdriver.Conn");
GO_FIELD(pgdriver_conf, pointer, "github.com/uptrace/bun/driver/pgdriver.Conn.conf");
GO_FIELD(pgdriver_addr, string, "github.com/uptrace/bun/driver/pgdriver.Config.Addr");
GO_FIELD(pgdriver_database, string, "github.com/uptrace/bun/driver/pgdriver.Config.Database");

/* type mysqlConn struct, connection.go; type Config struct, dsn.go; v1.3 to v1.10 */
GO_TYPE(mysql_conn, "*github.com/go-sql-driver/mysql.mysqlConn");
GO_FIELD(mysql_cfg, pointer, "github.com/go-sql-driver/mysql.mysqlConn.cfg");
GO_FIELD(mysql_addr, string, "github.com/go-sql-driver/mysql.Config.Addr");
GO_FIELD(mysql_database, string, "github.com/go-sql-driver/mysql.Config.DBName");

/* type Conn, Connector struct, mssql.go; params is of msdsn.Config from v0.10 */
GO_TYPE(mssql_conn, "*github.com/microsoft/go-mssqldb.Conn");
GO_FIELD(mssql_connector, pointer, "github.com/microsoft/go-mssqldb.Conn.connector");
GO_FIELD(mssql_host, string, "github.com/microsoft/go-mssqldb.Connector.params.Host");
GO_FIELD(mssql_port, int, "github.com/microsoft/go-mssqldb.Connector.params.Port");
GO_FIELD(mssql_database, string, "github.com/microsoft/go-mssqldb.Connector.params.Database");
GO_TYPE(mssql_old_conn, "*github.com/denisenkom/go-mssqldb.Conn");
GO_FIELD(mssql_old_connector, pointer, "github.com/denisenkom/go-mssqldb.Conn.connector");
GO_FIELD(mssql_old_host, string, "github.com/denisenkom/go-mssqldb.Connector.params.Host");
GO_FIELD(mssql_old_port, int, "github.com/denisenkom/go-mssqldb.Connector.params.Port");
GO_FIELD(mssql_old_database, string, "github.com/denisenkom/go-mssqldb.Connector.params.Database");

/* Of these the type is all that is read: sqlite needs no server, ClickHouse may have several. */
GO_TYPE(sqlite_conn, "*modernc.org/sqlite.conn");
GO_TYPE(glebarez_conn, "*github.com/glebarez/go-sqlite.conn");
GO_TYPE(oracle_conn, "*github.com/sijms/go-ora/v2.Connection");
GO_TYPE(sqlite3_conn, "*github.com/mattn/go-sqlite3.SQLiteConn");
GO_TYPE(clickhouse_conn, "*github.com/ClickHouse/clickhouse-go.clickhouse");
GO_TYPE(clickhouse2_conn, "*github.com/ClickHouse/clickhouse-go/v2.stdDriver");

/* Where a driver's connection has what it is connected to. GO_ABSENT: not there. */
struct conn_layout {
	__u16 via; /* the rest is in what this points to */
	__u16 host, port, database;
	__u16 address; /* "host:port", or a path */
	__u16 options; /* a map[string]string with "host", "port", "dbname" */
	__u8 pgx;      /* its version; 0: another driver */
};

static __always_inline bool set_layout(struct conn_layout *at, __u16 via, __u16 host, __u16 port,
				       __u16 database)
{
	at->via = via;
	at->host = host;
	at->port = port;
	at->database = database;
	at->address = at->options = GO_ABSENT;
	at->pgx = 0;
	return true;
}

static __always_inline bool is_type(__u64 type, __u64 known)
{
	return known && type == known;
}

/*
 * TYPE is a link-time address. False when it is no driver's that we know. AT is in the scratch: on
 * the stack the verifier would follow each driver's layout to the end.
 */
static __always_inline bool find_layout(__u64 type, struct conn_layout *at)
{
	set_layout(at, GO_ABSENT, GO_ABSENT, GO_ABSENT, GO_ABSENT);
	if (is_type(type, pq_conn)) {
		set_layout(at, GO_ABSENT, pq_host, pq_port, pq_database);
		at->options = pq_opts;
		return true;
	}
	if (is_type(type, mysql_conn)) {
		set_layout(at, mysql_cfg, GO_ABSENT, GO_ABSENT, mysql_database);
		at->address = mysql_addr;
		return true;
	}
	if (is_type(type, pgdriver_conn)) {
		set_layout(at, pgdriver_conf, GO_ABSENT, GO_ABSENT, pgdriver_database);
		at->address = pgdriver_addr;
		return true;
	}
	if (is_type(type, pgx4_conn) || is_type(type, pgx5_conn)) {
		at->pgx = is_type(type, pgx4_conn) ? 4 : 5;
		return true;
	}
	if (is_type(type, mssql_conn))
		return set_layout(at, mssql_connector, mssql_host, mssql_port, mssql_database);
	if (is_type(type, mssql_old_conn))
		return set_layout(at, mssql_old_connector, mssql_old_host, mssql_old_port,
				  mssql_old_database);
	return is_type(type, sqlite_conn) || is_type(type, sqlite3_conn) ||
	       is_type(type, glebarez_conn) || is_type(type, oracle_conn) ||
	       is_type(type, clickhouse_conn) || is_type(type, clickhouse2_conn);
}

/* Run-time address of the type in a non-empty interface, 0 when TAB can be no itab. */
static __always_inline __u64 type_of(__u64 tab)
{
	return tab && !(tab & 7) && tab >> 12 ? go_word(tab + 8) : 0;
}

/* A global function: the verifier looks at it once, not for each caller. */
__weak int sql_is_driver(struct in_flight *span, __u64 tab)
{
	return span && find_layout(type_of(tab) - span->record.bias, (void *)span_scratch(span));
}

/* Leads CONN from a wrapper to the connection that it wraps, if there is one of a known driver. */
static __noinline bool unwrap(struct in_flight *span, struct go_interface *conn)
{
	struct go_interface at = *conn;

	for (int i = 0; i < WRAPPERS_MAX; i++) {
		__u64 words[WRAPPER_WORDS] = {};

		if (!at.data || bpf_probe_read_user(words, sizeof(words), (void *)at.data))
			return false;
		/* a driver.Conn first, or behind another interface */
		for (int n = 0; n < WRAPPER_WORDS; n += 2)
			if (sql_is_driver(span, words[n])) {
				conn->tab = words[n];
				conn->data = words[n + 1];
				return true;
			}
		at.tab = words[0];
		at.data = words[1];
		if (!type_of(at.tab))
			return false;
	}
	return false;
}

static __always_inline void put_field(struct in_flight *span, enum attribute_key key, __u64 object,
				      __u16 field)
{
	if (field != GO_ABSENT)
		span_put_string(span, key, go_string_at(object + field));
}

/* An option that says where the database is. */
__weak int sql_take_option(struct in_flight *span)
{
	const struct go_map_slot *slot;
	struct go_string value;
	__u64 name = 0;
	int err;

	if (!span)
		return 0;
	slot = go_map_slot_in(span);
	/* Sizes as constants: the verifier loses sight of one that is compared and then masked. */
	if (slot->key.len == 4)
		err = bpf_probe_read_user(&name, 4, (void *)slot->key.ptr);
	else if (slot->key.len == 6)
		err = bpf_probe_read_user(&name, 6, (void *)slot->key.ptr);
	else
		return 0;
	if (err)
		return 0;
	value.ptr = slot->elem.ptr;
	value.len = slot->elem.len;
	if (name == WORD_HOST)
		span_put_string(span, ATTR_DB_HOST, value);
	else if (name == WORD_PORT)
		span_put_string(span, ATTR_DB_PORT_TEXT, value);
	else if (name == WORD_DBNAME)
		span_put_string(span, ATTR_DB_NAMESPACE, value);
	return 0;
}

/* CONN becomes another one. */
static __always_inline int put_where(struct in_flight *span, struct go_interface *conn)
{
	const struct conn_layout *at = (void *)span_scratch(span);
	__u64 object = conn->data;

	if (at->pgx)
		return sql_put_pgx(span, conn, at->pgx == 4) ? span_put_peer(span, conn) : 0;
	if (at->via != GO_ABSENT)
		object = go_word(object + at->via);
	if (!object)
		return 0;
	put_field(span, ATTR_DB_HOST, object, at->host);
	put_field(span, ATTR_DB_ADDRESS, object, at->address);
	put_field(span, ATTR_DB_NAMESPACE, object, at->database);
	if (at->port != GO_ABSENT) /* an integer of two bytes or more */
		span_put_number(span, ATTR_DB_PORT, go_word(object + at->port) & 0xffff);
	if (pq_opts != GO_ABSENT && at->options != GO_ABSENT)
		go_map_each(span, go_word(object + at->options), STRING_SIZE, sql_take_option);
	return 0;
}

/*
 * Non-zero when CONN (*driverConn) is none, or is closed by now and holds no connection. A global function
 * for the verifier as well.
 */
__weak int sql_put_conn(struct in_flight *span, __u64 driver_conn)
{
	struct go_interface conn = {};
	bool is_known;

	if (!span || !driver_conn || driver_conn_ci == GO_ABSENT ||
	    bpf_probe_read_user(&conn, sizeof(conn), (void *)driver_conn + driver_conn_ci) ||
	    !conn.tab)
		return 1;
	is_known = sql_is_driver(span, conn.tab) || unwrap(span, &conn);
	span_put_number(span, ATTR_DB_DRIVER, type_of(conn.tab));
	if (is_known)
		put_where(span, &conn);
	return 0;
}

/* A connection that is idle in DB's pool, 0: there is none. */
static __always_inline __u64 idle_conn(__u64 db)
{
	struct go_slice idle = {};

	if (!db || db_free_conn == GO_ABSENT)
		return 0;
	bpf_probe_read_user(&idle, sizeof(idle), (void *)db + db_free_conn);
	return idle.len && idle.len <= idle.cap ? go_word(idle.ptr + 8 * (idle.len - 1)) : 0;
}

/* For a call on a DB of which no connection is known: the type of its connector or driver, or more. */
static __always_inline int put_connector(struct in_flight *span,
					 const struct go_interface *connector)
{
	__u64 type = type_of(connector->tab);

	if (dsn_connector && type == dsn_connector + span->record.bias &&
	    dsn_connector_driver != GO_ABSENT)
		type = type_of(go_word(connector->data + dsn_connector_driver));
	if (pgx5_connector && type == pgx5_connector + span->record.bias)
		sql_put_pgx_pool(span, connector->data);
	return span_put_number(span, ATTR_DB_DRIVER, type);
}

/*
 * What the last call on a DB said of its connection, as attributes, for those that fail or come when
 * the pool is busy. By default a pool keeps two connections: in a program that uses more at once
 * nearly all are closed, and nothing tells where they led, before their call returns.
 */
enum { FACTS_MAX = 512 };
#define FACTS_EVERY_NS 10000000ULL

struct pool_key {
	__u64 db;
	__u64 started_ns; /* a pid is used again, */
	__u32 pid;
	__u32 execs; /* and by exec() at once, for a heap that is laid out the same */
};

struct pool_facts {
	__u64 connector; /* of this DB, not of one that was here before */
	__u64 len;	/* 0: nothing, or somebody writes */
	__u8 body[FACTS_MAX];
};

struct {
	__uint(type, 9 /* BPF_MAP_TYPE_LRU_HASH */);
	__uint(max_entries, 256);
	__type(key, struct pool_key);
	__type(value, struct pool_facts);
} pools SEC(".maps");

/* What a new entry is made of: it is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct pool_facts);
} no_facts SEC(".maps");

static __always_inline struct pool_key pool_key_of(const struct in_flight *span, __u64 db)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct pool_key key = {.db = db, .pid = span->record.pid};

	key.started_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	key.execs = BPF_CORE_READ(task, self_exec_id);
	return key;
}

static __always_inline struct pool_facts *new_facts(const struct pool_key *key)
{
	__u32 zero = 0;
	void *empty = bpf_map_lookup_elem(&no_facts, &zero);

	if (empty)
		bpf_map_update_elem(&pools, key, empty, BPF_NOEXIST);
	return bpf_map_lookup_elem(&pools, key);
}

/* Keeps what was put behind FROM. */
static __noinline int remember(struct in_flight *span, __u64 db, __u64 connector, __u64 from)
{
	struct pool_key key = pool_key_of(span, db);
	struct pool_facts *facts = bpf_map_lookup_elem(&pools, &key);
	__u64 len = span->used - from;

	if (!facts)
		facts = new_facts(&key);
	barrier_var(from);
	barrier_var(len);
	if (!facts || len > FACTS_MAX || from > GOSPAN_BODY_MAX - FACTS_MAX)
		return 0;
	facts->len = 0;
	facts->connector = connector;
	if (!bpf_probe_read_kernel(facts->body, len, &span->body[from]))
		facts->len = len;
	return 0;
}

/* Non-zero when nothing is known of DB. */
static __noinline int recall(struct in_flight *span, __u64 db, __u64 connector)
{
	struct pool_key key = pool_key_of(span, db);
	const struct pool_facts *facts = bpf_map_lookup_elem(&pools, &key);
	__u64 at = span->used;
	__u64 len;

	if (!facts || facts->connector != connector)
		return 1;
	len = facts->len;
	barrier_var(at);
	barrier_var(len);
	if (!len || len > FACTS_MAX || at > GOSPAN_BODY_MAX - FACTS_MAX)
		return 1;
	if (bpf_probe_read_kernel(&span->body[at], len, facts->body))
		return 1;
	span->used = at + len;
	return 0;
}

/* When a call's facts were last kept: not for each, that would cost as much as the call's probes. */
__u64 facts_kept_ns;

static __always_inline bool is_time_to_keep(const struct in_flight *span)
{
	__s64 since = span->record.start_ns - facts_kept_ns;

	if (since < (__s64)FACTS_EVERY_NS)
		return false;
	facts_kept_ns = span->record.start_ns;
	return true;
}

static __always_inline int put_database_of(struct in_flight *span, __u64 db, __u64 from, bool is_put)
{
	struct go_interface connector = {};
	__u16 truncated = span->record.truncated;

	if (db && db_connector != GO_ABSENT)
		bpf_probe_read_user(&connector, sizeof(connector), (void *)db + db_connector);
	if (!is_put) {
		if (!recall(span, db, connector.data))
			return 0;
		/* an idle one leads to the same database */
		if (sql_put_conn(span, idle_conn(db)))
			return put_connector(span, &connector);
	}
	if (db && truncated == span->record.truncated)
		remember(span, db, connector.data, from);
	return 0;
}

__weak int sql_put_database(struct in_flight *span)
{
	__u64 db, from;
	bool is_put = false;

	if (!span)
		return 0;
	db = span->object;
	from = span->used;
	if (span->state & HAS_CONN) {
		is_put = !sql_put_conn(span, db);
		if ((is_put && !is_time_to_keep(span)) || driver_conn_db == GO_ABSENT)
			return 0;
		db = go_word(db + driver_conn_db);
	}
	return put_database_of(span, db, from, is_put);
}
