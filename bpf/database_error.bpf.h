/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * database_error: where the error types of database drivers have their message and, if that is a
 * string, the database's code; numbers are among the bytes that travel anyway (agent/db_error.c).
 * For error.bpf.c only: it declares variables.
 */
#ifndef GOSPAN_BPF_DATABASE_ERROR_H
#define GOSPAN_BPF_DATABASE_ERROR_H

#include "go.bpf.h"

/* type Error struct, error.go, v1.0 to v1.12 */
GO_TYPE(error_pq, "*github.com/lib/pq.Error");
GO_FIELD(error_pq_message, string, "github.com/lib/pq.Error.Message");
GO_FIELD(error_pq_code, string, "github.com/lib/pq.Error.Code");

/* type PgError struct, errors.go, of pgx v4 and v5 */
GO_TYPE(error_pg4, "*github.com/jackc/pgconn.PgError");
GO_FIELD(error_pg4_message, string, "github.com/jackc/pgconn.PgError.Message");
GO_FIELD(error_pg4_code, string, "github.com/jackc/pgconn.PgError.Code");
GO_TYPE(error_pg5, "*github.com/jackc/pgx/v5/pgconn.PgError");
GO_FIELD(error_pg5_message, string, "github.com/jackc/pgx/v5/pgconn.PgError.Message");
GO_FIELD(error_pg5_code, string, "github.com/jackc/pgx/v5/pgconn.PgError.Code");

/*
 * Those that wrap them, and what net and context say: errors.go of pgconn. PrepareError from v5.8;
 * ConnectError from v5.5 for connectError, with a perDialConnectError for each attempt from v5.6.
 */
GO_TYPE(error_pg5_prepare, "*github.com/jackc/pgx/v5/pgconn.PrepareError");
GO_FIELD(error_pg5_prepare_err, interface, "github.com/jackc/pgx/v5/pgconn.PrepareError.err");
GO_TYPE(error_pg5_dial, "*github.com/jackc/pgx/v5/pgconn.ConnectError");
GO_FIELD(error_pg5_dial_err, interface, "github.com/jackc/pgx/v5/pgconn.ConnectError.err");
GO_TYPE(error_pg5_attempt, "*github.com/jackc/pgx/v5/pgconn.perDialConnectError");
GO_FIELD(error_pg5_attempt_err, interface,
	 "github.com/jackc/pgx/v5/pgconn.perDialConnectError.err");
GO_TYPE(error_pg5_connect, "*github.com/jackc/pgx/v5/pgconn.connectError");
GO_FIELD(error_pg5_connect_msg, string, "github.com/jackc/pgx/v5/pgconn.connectError.msg");
GO_FIELD(error_pg5_connect_err, interface, "github.com/jackc/pgx/v5/pgconn.connectError.err");
GO_TYPE(error_pg5_other, "*github.com/jackc/pgx/v5/pgconn.pgconnError");
GO_FIELD(error_pg5_other_msg, string, "github.com/jackc/pgx/v5/pgconn.pgconnError.msg");
GO_FIELD(error_pg5_other_err, interface, "github.com/jackc/pgx/v5/pgconn.pgconnError.err");
GO_TYPE(error_pg5_timeout, "*github.com/jackc/pgx/v5/pgconn.errTimeout");
GO_FIELD(error_pg5_timeout_err, interface, "github.com/jackc/pgx/v5/pgconn.errTimeout.err");
GO_TYPE(error_pg5_done, "*github.com/jackc/pgx/v5/pgconn.contextAlreadyDoneError");
GO_FIELD(error_pg5_done_err, interface,
	 "github.com/jackc/pgx/v5/pgconn.contextAlreadyDoneError.err");
GO_TYPE(error_pg4_connect, "*github.com/jackc/pgconn.connectError");
GO_FIELD(error_pg4_connect_msg, string, "github.com/jackc/pgconn.connectError.msg");
GO_FIELD(error_pg4_connect_err, interface, "github.com/jackc/pgconn.connectError.err");
GO_TYPE(error_pg4_other, "*github.com/jackc/pgconn.pgconnError");
GO_FIELD(error_pg4_other_msg, string, "github.com/jackc/pgconn.pgconnError.msg");
GO_FIELD(error_pg4_other_err, interface, "github.com/jackc/pgconn.pgconnError.err");
GO_TYPE(error_pg4_timeout, "*github.com/jackc/pgconn.errTimeout");
GO_FIELD(error_pg4_timeout_err, interface, "github.com/jackc/pgconn.errTimeout.err");
GO_TYPE(error_pg4_done, "*github.com/jackc/pgconn.contextAlreadyDoneError");
GO_FIELD(error_pg4_done_err, interface, "github.com/jackc/pgconn.contextAlreadyDoneError.err");
GO_TYPE(error_pg4_write, "*github.com/jackc/pgconn.writeError");
GO_FIELD(error_pg4_write_err, interface, "github.com/jackc/pgconn.writeError.err");

/* type MySQLError struct, errors.go, v1.3 to v1.10 */
GO_TYPE(error_mysql, "*github.com/go-sql-driver/mysql.MySQLError");
GO_FIELD(error_mysql_message, string, "github.com/go-sql-driver/mysql.MySQLError.Message");

/* type Error struct: error.go of mattn, sqlite.go or error.go of modernc and glebarez */
GO_TYPE(error_sqlite3, "github.com/mattn/go-sqlite3.Error");
GO_FIELD(error_sqlite3_message, string, "github.com/mattn/go-sqlite3.Error.err");
GO_TYPE(error_sqlite, "*modernc.org/sqlite.Error");
GO_FIELD(error_sqlite_message, string, "modernc.org/sqlite.Error.msg");
GO_TYPE(error_glebarez, "*github.com/glebarez/go-sqlite.Error");
GO_FIELD(error_glebarez_message, string, "github.com/glebarez/go-sqlite.Error.msg");

/* type Error struct, error.go */
GO_TYPE(error_mssql, "github.com/microsoft/go-mssqldb.Error");
GO_FIELD(error_mssql_message, string, "github.com/microsoft/go-mssqldb.Error.Message");
GO_TYPE(error_mssql_old, "github.com/denisenkom/go-mssqldb.Error");
GO_FIELD(error_mssql_old_message, string, "github.com/denisenkom/go-mssqldb.Error.Message");

/* type Exception struct, lib/proto/exception.go */
GO_TYPE(error_clickhouse, "*github.com/ClickHouse/clickhouse-go/v2/lib/proto.Exception");
GO_FIELD(error_clickhouse_message, string,
	 "github.com/ClickHouse/clickhouse-go/v2/lib/proto.Exception.Message");

/* Where an error around another has that, and its own message (GO_ABSENT: it has none). */
struct database_wrapper {
	__u16 *message, *wrapped;
};

static __always_inline bool is_wrapper(__u64 type, __u64 known, __u16 message, __u16 wrapped,
				       struct database_wrapper at)
{
	if (!known || type != known)
		return false;
	*at.message = message;
	*at.wrapped = wrapped;
	return true;
}

static __always_inline bool database_wrapper(__u64 type, __u16 *message, __u16 *wrapped)
{
	const struct database_wrapper at = {message, wrapped};

	return is_wrapper(type, error_pg5_prepare, GO_ABSENT, error_pg5_prepare_err, at) ||
	       is_wrapper(type, error_pg5_dial, GO_ABSENT, error_pg5_dial_err, at) ||
	       is_wrapper(type, error_pg5_attempt, GO_ABSENT, error_pg5_attempt_err, at) ||
	       is_wrapper(type, error_pg5_connect, error_pg5_connect_msg, error_pg5_connect_err, at) ||
	       is_wrapper(type, error_pg5_other, error_pg5_other_msg, error_pg5_other_err, at) ||
	       is_wrapper(type, error_pg5_timeout, GO_ABSENT, error_pg5_timeout_err, at) ||
	       is_wrapper(type, error_pg5_done, GO_ABSENT, error_pg5_done_err, at) ||
	       is_wrapper(type, error_pg4_connect, error_pg4_connect_msg, error_pg4_connect_err, at) ||
	       is_wrapper(type, error_pg4_other, error_pg4_other_msg, error_pg4_other_err, at) ||
	       is_wrapper(type, error_pg4_timeout, GO_ABSENT, error_pg4_timeout_err, at) ||
	       is_wrapper(type, error_pg4_done, GO_ABSENT, error_pg4_done_err, at) ||
	       is_wrapper(type, error_pg4_write, GO_ABSENT, error_pg4_write_err, at);
}

/* Of the error with this link-time type; false, and nothing touched, when it is no driver's. */
static __always_inline bool database_error(__u64 type, __u16 *message, __u16 *code)
{
	if (error_pq && type == error_pq) {
		*message = error_pq_message;
		*code = error_pq_code;
	} else if (error_pg4 && type == error_pg4) {
		*message = error_pg4_message;
		*code = error_pg4_code;
	} else if (error_pg5 && type == error_pg5) {
		*message = error_pg5_message;
		*code = error_pg5_code;
	} else if (error_mysql && type == error_mysql) {
		*message = error_mysql_message;
	} else if (error_sqlite3 && type == error_sqlite3) {
		*message = error_sqlite3_message;
	} else if (error_sqlite && type == error_sqlite) {
		*message = error_sqlite_message;
	} else if (error_glebarez && type == error_glebarez) {
		*message = error_glebarez_message;
	} else if (error_mssql && type == error_mssql) {
		*message = error_mssql_message;
	} else if (error_mssql_old && type == error_mssql_old) {
		*message = error_mssql_old_message;
	} else if (error_clickhouse && type == error_clickhouse) {
		*message = error_clickhouse_message;
	} else {
		return false;
	}
	return true;
}

#endif
