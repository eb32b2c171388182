// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * database/sql: a CLIENT span for each query, execution, BEGIN, COMMIT, ROLLBACK and ping, on DB,
 * Conn, Tx and prepared statements. It lasts until the driver has answered; rows are read later.
 *
 * A call on DB takes two hits: the entry of (*DB).query (exec, begin), where all that the caller
 * gave is in registers, and the return into the closure that (*DB).retry runs. The connection is
 * found in what is returned. An error takes a third: whether it is driver.ErrBadConn, and the call
 * is tried again, is what errors.Is tells database/sql itself. All attempts are one span.
 *
 * Transactions, Conn and pings: database_sql_tx.bpf.c.
 *
 * Functions: src/database/sql/sql.go, Go 1.19 to 1.27; retry() is of 1.20, before that each method
 * had the loop in itself.
 *
 * Table: `database/sql` over lib/pq, pgx, go-sql-driver/mysql, mattn and modernc sqlite | Go 1.19 to 1.27 | CLIENT spans of queries, statements, transactions, pings: database, text, errors, time waited for a connection
 */
#include "database_sql.bpf.h"

GO_INSTRUMENTED(database_sql, "github.com/XSAM/otelsql");
GO_INSTRUMENTED(database_sql, "github.com/uptrace/opentelemetry-go-extra/otelsql");
GO_INSTRUMENTED(database_sql, "go.nhat.io/otelsql");
GO_SPAN(database_sql, "database/sql", CLIENT, DB);

/* type Rows, driverResult, Stmt, Tx struct */
GO_FIELD(rows_dc, pointer, "database/sql.Rows.dc");
GO_FIELD(result_locker, interface, "database/sql.driverResult.Locker");
GO_FIELD(stmt_db, pointer, "database/sql.Stmt.db");
GO_FIELD(stmt_query, string, "database/sql.Stmt.query");
GO_FIELD(tx_dc, pointer, "database/sql.Tx.dc");

/* Does retry() ask errors.Is where we can see it? Without retry() each method does. */
GO_FUNCTION(retry_function, "database/sql.(*DB).retry");
GO_FRAME(retry_asks, "database/sql.(*DB).retry>errors.Is");

enum {
	MAX_BAD_CONN_RETRIES = 2
}; /* const maxBadConnRetries; the attempt after these is the last */

/* A global function: the verifier looks at it once, not for each caller. */
__weak int sql_end(const struct goroutine *on, struct in_flight *span)
{
	if (!on || !span)
		return 0;
	/* without a query the database is part of the span's name */
	if (!span_is_brief(span) || (!span->owner.silent && !(span->state & HAS_QUERY))) {
		if (span->mark)
			span_put_number(span, ATTR_DB_POOL_WAIT, span->mark);
		sql_put_database(span);
	}
	return span_end(on, span);
}

/* Is SPAN's error final? What Tx and Conn do on their connection is not tried again. */
static __always_inline bool is_final(const struct in_flight *span, const struct go_interface *error)
{
	return !error->tab || span->state & ON_CONN ||
	       (span->state & BAD_ATTEMPTS) >= MAX_BAD_CONN_RETRIES ||
	       (retry_function && retry_asks == GO_ABSENT);
}

/* An attempt of the span's call returned ERROR. */
static __always_inline int attempt_done(const struct goroutine *on, struct in_flight *span,
					const struct go_interface *error)
{
	if (is_final(span, error))
		return end_with(on, span, error);
	span->error = *error;
	span->record.end_ns = bpf_ktime_get_boot_ns();
	span->state = (span->state & ~AGAIN) | UNDECIDED;
	return 0;
}

static __always_inline void set_conn(struct in_flight *span, __u64 conn)
{
	if (!conn || span->state & HAS_CONN)
		return;
	span->object = conn;
	span->state |= HAS_CONN;
}

/* func Is(err, target error) bool, of an attempt's error and driver.ErrBadConn */
SEC("go_after/database/sql.(*DB).retry>errors.Is")
GO_ALSO("database/sql.(*DB).QueryContext>errors.Is")
GO_ALSO("database/sql.(*DB).ExecContext>errors.Is")
GO_ALSO("database/sql.(*DB).BeginTx>errors.Is")
GO_ALSO("database/sql.(*Stmt).QueryContext>errors.Is")
GO_ALSO("database/sql.(*Stmt).ExecContext>errors.Is")
GO_OF(database_sql) GO_RESULTS(1) int sql_decided(struct pt_regs *ctx)
{
	struct go_interface error;
	struct in_flight *span;
	struct goroutine on;

	span = span_here(ctx, &on, database_sql);
	if (!span || !(span->state & UNDECIDED))
		return 0;
	if (!(go_arg(ctx, 0) & 1)) {
		error = span->error;
		return end_with(&on, span, &error);
	}
	span->state = (span->state & ~UNDECIDED) + 1;
	span->state |= AGAIN;
	span->record.end_ns = 0;
	return 0;
}

/*
 * func (db *DB) query(ctx context.Context, query string, args []any, strategy connReuseStrategy)
 * (*Rows, error) func (db *DB) exec(ctx context.Context, query string, args []any, strategy
 * connReuseStrategy) (Result, error)
 */
SEC("go_entry/database/sql.(*DB).query")
GO_ALSO("database/sql.(*DB).exec")
GO_OF(database_sql)
int sql_query_entry(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct go_string text = {go_arg(ctx, 3), go_arg(ctx, 4)};
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = begin_call(ctx, &on, &context, go_arg(ctx, 0));
	return span ? put_query(span, text, go_arg(ctx, 6)) : 0;
}

/*
 * Those that return a pointer and an error. On DB: (*Rows, error) and (*Tx, error), which know
 * their connection.
 */
SEC("go_after/database/sql.(*DB).QueryContext.func1>database/sql.(*DB).query")
GO_ALSO("database/sql.(*DB).QueryContext>database/sql.(*DB).query")
GO_ALSO("database/sql.(*DB).BeginTx.func1>database/sql.(*DB).begin")
GO_ALSO("database/sql.(*DB).BeginTx>database/sql.(*DB).begin")
GO_ALSO("database/sql.(*Conn).QueryContext>database/sql.(*DB).queryDC")
GO_ALSO("database/sql.(*Conn).BeginTx>database/sql.(*DB).beginDC")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(7) int sql_pointer_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};
	__u64 result = go_arg(ctx, 0);
	struct in_flight *span;
	struct goroutine on;
	__u16 field;

	span = span_here(ctx, &on, database_sql);
	if (!span)
		return 0;
	field = span->state & HAS_QUERY ? rows_dc : tx_dc;
	if (result && field != GO_ABSENT)
		set_conn(span, go_word(result + field));
	return attempt_done(&on, span, &error);
}

/*
 * Those that return an interface and an error: a sql.Result, which is a driverResult whose lock is
 * the connection's, and of prepared statements, which have their connection by now, a driver.Rows.
 */
SEC("go_after/database/sql.(*DB).ExecContext.func1>database/sql.(*DB).exec")
GO_ALSO("database/sql.(*DB).ExecContext>database/sql.(*DB).exec")
GO_ALSO("database/sql.(*Stmt).QueryContext.func1>database/sql.rowsiFromStatement")
GO_ALSO("database/sql.(*Stmt).QueryContext>database/sql.rowsiFromStatement")
GO_ALSO("database/sql.(*Stmt).ExecContext.func1>database/sql.resultFromStatement")
GO_ALSO("database/sql.(*Stmt).ExecContext>database/sql.resultFromStatement")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(14) int sql_interface_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 2), go_arg(ctx, 3)};
	__u64 result = go_arg(ctx, 1);
	struct in_flight *span;
	struct goroutine on;

	span = span_here(ctx, &on, database_sql);
	if (!span)
		return 0;
	if (result && !error.tab && !(span->state & HAS_CONN) && result_locker != GO_ABSENT)
		set_conn(span, go_word(result + result_locker + 8));
	return attempt_done(&on, span, &error);
}

/* func (db *DB) begin(ctx context.Context, opts *TxOptions, strategy connReuseStrategy) (tx *Tx,
 * err error) */
SEC("go_entry/database/sql.(*DB).begin")
GO_OF(database_sql)
int sql_begin_entry(struct pt_regs *ctx)
{
	return begin_on_db(ctx, DB_BEGIN);
}

/*
 * func (s *Stmt) QueryContext(ctx context.Context, args ...any) (*Rows, error)
 * func (s *Stmt) ExecContext(ctx context.Context, args ...any) (Result, error)
 */
SEC("go_entry/database/sql.(*Stmt).QueryContext")
GO_ALSO("database/sql.(*Stmt).ExecContext")
GO_OF(database_sql)
int sql_stmt_entry(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	__u64 stmt = go_arg(ctx, 0);
	struct in_flight *span;
	struct goroutine on;

	if (stmt_db == GO_ABSENT || stmt_query == GO_ABSENT || goroutine_of(ctx, &on))
		return 0;
	span = begin_call(ctx, &on, &context, go_word(stmt + stmt_db));
	/* what is prepared holds no secrets, with arguments or without */
	return span ? put_query(span, go_string_at(stmt + stmt_query), 1) : 0;
}

/*
 * func (s *Stmt) connStmt(ctx context.Context, strategy connReuseStrategy) (dc *driverConn,
 *	releaseConn func(error), ds *driverStmt, err error)
 */
SEC("go_after/database/sql.(*Stmt).QueryContext.func1>database/sql.(*Stmt).connStmt")
GO_ALSO("database/sql.(*Stmt).QueryContext>database/sql.(*Stmt).connStmt")
GO_ALSO("database/sql.(*Stmt).ExecContext.func1>database/sql.(*Stmt).connStmt")
GO_ALSO("database/sql.(*Stmt).ExecContext>database/sql.(*Stmt).connStmt")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(25) int sql_stmt_connected(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 3), go_arg(ctx, 4)};
	struct in_flight *span;
	struct goroutine on;

	span = span_here(ctx, &on, database_sql);
	if (!span)
		return 0;
	if (error.tab)
		return attempt_done(&on, span, &error);
	span->state &= ~AGAIN;
	span->object = go_arg(ctx, 0); /* of this attempt */
	span->state |= HAS_CONN;
	return 0;
}
