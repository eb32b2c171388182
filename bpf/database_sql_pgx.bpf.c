// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * database_sql_pgx: where a connection of pgx leads to. stdlib.Conn has the configuration that it was
 * made with, an empty one when it comes from a pgxpool: then the pgx.Conn in it has it.
 *
 * A configuration may name several servers, Host and Port being those of the first: which of them it
 * is, the connection itself says. There are Fallbacks without other servers as well: sslmode=prefer,
 * the default, makes one to the same server without TLS.
 */
#include "database_sql.bpf.h"

enum { FALLBACKS_MAX = 8 };

/*
 * type Conn struct, stdlib/sql.go; Conn, ConnConfig, conn.go; PgConn, pgconn/pgconn.go; FallbackConfig,
 * pgconn/config.go; v4.5 to v5.12. FallbackConfig begins with {Host string; Port uint16}.
 */
GO_FIELD(pgx4_stdlib_conn, pointer, "github.com/jackc/pgx/v4/stdlib.Conn.conn");
GO_FIELD(pgx4_stdlib_config, struct, "github.com/jackc/pgx/v4/stdlib.Conn.connConfig");
GO_FIELD(pgx4_config, pointer, "github.com/jackc/pgx/v4.Conn.config");
GO_FIELD(pgx4_pg_conn, pointer, "github.com/jackc/pgx/v4.Conn.pgConn");
GO_FIELD(pgx4_net_conn, interface, "github.com/jackc/pgconn.PgConn.conn");
GO_FIELD(pgx4_host, string, "github.com/jackc/pgx/v4.ConnConfig.Config.Host");
GO_FIELD(pgx4_port, int, "github.com/jackc/pgx/v4.ConnConfig.Config.Port");
GO_FIELD(pgx4_database, string, "github.com/jackc/pgx/v4.ConnConfig.Config.Database");
GO_FIELD(pgx4_fallbacks, slice, "github.com/jackc/pgx/v4.ConnConfig.Config.Fallbacks");
GO_FIELD(pgx5_stdlib_conn, pointer, "github.com/jackc/pgx/v5/stdlib.Conn.conn");
GO_FIELD(pgx5_stdlib_config, struct, "github.com/jackc/pgx/v5/stdlib.Conn.connConfig");
GO_FIELD(pgx5_config, pointer, "github.com/jackc/pgx/v5.Conn.config");
GO_FIELD(pgx5_pg_conn, pointer, "github.com/jackc/pgx/v5.Conn.pgConn");
GO_FIELD(pgx5_net_conn, interface, "github.com/jackc/pgx/v5/pgconn.PgConn.conn");
GO_FIELD(pgx5_host, string, "github.com/jackc/pgx/v5.ConnConfig.Config.Host");
GO_FIELD(pgx5_port, int, "github.com/jackc/pgx/v5.ConnConfig.Config.Port");
GO_FIELD(pgx5_database, string, "github.com/jackc/pgx/v5.ConnConfig.Config.Database");
GO_FIELD(pgx5_fallbacks, slice, "github.com/jackc/pgx/v5.ConnConfig.Config.Fallbacks");

/* type NetConn struct, internal/nbconn/nbconn.go, v5.0 to v5.4: around the net.Conn */
GO_TYPE(pgx5_nonblocking, "*github.com/jackc/pgx/v5/internal/nbconn.NetConn");
GO_FIELD(pgx5_nonblocking_conn, interface,
	 "github.com/jackc/pgx/v5/internal/nbconn.NetConn.conn");

/*
 * type connector struct, stdlib/sql.go, from v5.5; Pool, Config, pgxpool/pool.go. database/sql keeps no
 * connection of a pgxpool longer than for a call, many of which tell theirs when it is gone.
 */
GO_FIELD(pgx5_connector_pool, pointer, "github.com/jackc/pgx/v5/stdlib.connector.pool");
GO_FIELD(pgx5_pool_config, pointer, "github.com/jackc/pgx/v5/pgxpool.Pool.config");
GO_FIELD(pgx5_pool_conn_config, pointer, "github.com/jackc/pgx/v5/pgxpool.Config.ConnConfig");

/* In the scratch: on the stack the verifier would follow both versions to the end. */
struct pgx_layout {
	__u16 stdlib_conn, stdlib_config; /* in stdlib.Conn */
	__u16 config, pg_conn;		  /* in pgx.Conn */
	__u16 net_conn;			  /* in pgconn.PgConn */
	__u16 host, port, database, fallbacks;
};

static __always_inline void find_layout(bool is_v4, struct pgx_layout *at)
{
	if (is_v4)
		*at = (struct pgx_layout){pgx4_stdlib_conn, pgx4_stdlib_config, pgx4_config,
					  pgx4_pg_conn,	    pgx4_net_conn,	pgx4_host,
					  pgx4_port,	    pgx4_database,	pgx4_fallbacks};
	else
		*at = (struct pgx_layout){pgx5_stdlib_conn, pgx5_stdlib_config, pgx5_config,
					  pgx5_pg_conn,	    pgx5_net_conn,	pgx5_host,
					  pgx5_port,	    pgx5_database,	pgx5_fallbacks};
}

/* Address of a field of what is at OBJECT, 0: there is none. */
static __always_inline __u64 field_at(__u64 object, __u16 field)
{
	return object && field != GO_ABSENT ? object + field : 0;
}

/* Strings of one configuration are one string where they are the same. */
static __noinline bool has_other_servers(__u64 fallbacks, const struct go_string *host, __u64 port)
{
	struct { struct go_string host; __u64 port; } other;
	struct go_string all = go_string_at(fallbacks); /* a slice begins like a string */

	for (__u64 i = 0; i < FALLBACKS_MAX && i < all.len; i++) {
		if (bpf_probe_read_user(&other, sizeof(other), (void *)go_word(all.ptr + 8 * i)) ||
		    other.host.ptr != host->ptr || other.host.len != host->len ||
		    (other.port & 0xffff) != port)
			return true;
	}
	return all.len > FALLBACKS_MAX;
}

/* The net.Conn of CONN, a *pgconn.PgConn. */
static __always_inline void read_net_conn(const struct in_flight *span, __u64 conn, __u16 net_conn,
					  struct go_interface *out)
{
	__u64 at = field_at(conn, net_conn);

	out->tab = out->data = 0;
	if (!at || bpf_probe_read_user(out, sizeof(*out), (void *)at) || !out->tab)
		return;
	if (pgx5_nonblocking && pgx5_nonblocking_conn != GO_ABSENT &&
	    go_word(out->tab + 8) == pgx5_nonblocking + span->record.bias)
		bpf_probe_read_user(out, sizeof(*out), (void *)out->data + pgx5_nonblocking_conn);
}

/* What CONFIG, a *pgx.ConnConfig, says. Non-zero when it leaves the server open. */
static __always_inline int put_config(struct in_flight *span, __u64 config)
{
	const struct pgx_layout *at = (void *)span_scratch(span);
	struct go_string host = go_string_at(field_at(config, at->host));
	__u64 port = go_word(field_at(config, at->port)) & 0xffff;

	span_put_string(span, ATTR_DB_NAMESPACE, go_string_at(field_at(config, at->database)));
	if (has_other_servers(field_at(config, at->fallbacks), &host, port))
		return 1;
	span_put_string(span, ATTR_DB_HOST, host);
	span_put_number(span, ATTR_DB_PORT, port);
	return 0;
}

__weak int sql_put_pgx(struct in_flight *span, struct go_interface *conn, bool is_v4)
{
	struct pgx_layout *at;
	__u64 pgx, config;

	if (!span || !conn)
		return 0;
	at = (void *)span_scratch(span);
	find_layout(is_v4, at);
	pgx = go_word(field_at(conn->data, at->stdlib_conn));
	config = field_at(conn->data, at->stdlib_config);
	if (!go_word(field_at(config, at->host)))
		config = go_word(field_at(pgx, at->config));
	if (!put_config(span, config))
		return 0;
	pgx = go_word(field_at(pgx, at->pg_conn));
	read_net_conn(span, pgx, at->net_conn, conn);
	return 1;
}

__weak int sql_put_pgx_pool(struct in_flight *span, __u64 connector)
{
	__u64 pool, config;

	if (!span)
		return 0;
	find_layout(false, (void *)span_scratch(span));
	pool = go_word(field_at(connector, pgx5_connector_pool));
	config = go_word(field_at(pool, pgx5_pool_config));
	config = go_word(field_at(config, pgx5_pool_conn_config));
	if (config)
		put_config(span, config);
	return 0;
}
