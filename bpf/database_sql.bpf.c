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
 * Functions: src/database/sql/sql.go, Go 1.19 to 1.27; retry() is of 1.20, before that each method
 * had the loop in itself.
 */
#include "database_sql.bpf.h"

GO_SPAN(database_sql, "database/sql", CLIENT, DB);

/* type Rows, driverResult, Stmt, Conn, Tx struct */
GO_FIELD(rows_dc, pointer, "database/sql.Rows.dc");
GO_FIELD(result_locker, interface, "database/sql.driverResult.Locker");
GO_FIELD(stmt_db, pointer, "database/sql.Stmt.db");
GO_FIELD(stmt_query, string, "database/sql.Stmt.query");
GO_FIELD(conn_dc, pointer, "database/sql.Conn.dc");
GO_FIELD(tx_dc, pointer, "database/sql.Tx.dc");
GO_FIELD(tx_ctx, interface, "database/sql.Tx.ctx");

/* Does retry() ask errors.Is where we can see it? Without retry() each method does. */
GO_FUNCTION(retry_function, "database/sql.(*DB).retry");
GO_FRAME(retry_asks, "database/sql.(*DB).retry>errors.Is");

/* How far a call has come: in_flight.state. Its `object` is the *DB, or the *driverConn when known. */
enum call_state {
	BAD_ATTEMPTS = 0x0f, /* number of attempts that met driver.ErrBadConn */
	UNDECIDED = 0x10,    /* `error` is either final or ErrBadConn */
	AGAIN = 0x20,	     /* it was: the next attempt follows */
	HAS_CONN = 0x40,
	HAS_QUERY = 0x80,
};

enum { MAX_BAD_CONN_RETRIES = 2 }; /* const maxBadConnRetries; the attempt after these is the last */

static __always_inline struct in_flight *begin_call(struct pt_regs *ctx, const struct goroutine *on,
						    const struct go_interface *context, __u64 object)
{
	struct in_flight *span = span_begin(ctx, on, database_sql, SPAN_CLIENT);

	if (!span)
		return NULL;
	span->object = object;
	span_child(span, on, context);
	return span;
}

static __always_inline int put_query(struct in_flight *span, struct go_string text, __u64 arg_cnt)
{
	span->state |= HAS_QUERY;
	span_put_string(span, ATTR_DB_QUERY, text);
	if (arg_cnt)
		span_put_number(span, ATTR_DB_ARGUMENTS, arg_cnt);
	return 0;
}

/* A global function: the verifier looks at it once, not for each caller. */
__weak int sql_end(const struct goroutine *on, struct in_flight *span)
{
	__u64 conn;

	if (!on || !span)
		return 0;
	conn = span->object;
	/* without a query the database is part of the span's name */
	if (!span_is_brief(span) || (!span->owner.silent && !(span->state & HAS_QUERY))) {
		if (span->mark)
			span_put_number(span, ATTR_DB_POOL_WAIT, span->mark);
		if (!(span->state & HAS_CONN))
			conn = sql_idle_conn(conn); /* it leads to the same database */
		if (conn)
			sql_put_conn(span, conn);
		else
			sql_put_connector(span, span->object);
	}
	return span_end(on, span);
}

/* The call is over, with ERROR. */
static __always_inline int end_with(const struct goroutine *on, struct in_flight *span,
			       const struct go_interface *error)
{
	if (error->tab)
		span_put_error(span, error);
	return sql_end(on, span);
}

/* Where a call that is not tried again returns. */
static __always_inline int call_done(struct pt_regs *ctx, struct go_interface error)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, database_sql);
	return span ? end_with(&on, span, &error) : 0;
}

/* An attempt returned. CONN is the connection that it used, 0: unknown. */
static __always_inline int attempt_done(struct pt_regs *ctx, struct go_interface error, __u64 conn)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, database_sql);
	if (!span)
		return 0;
	if (conn) {
		span->object = conn;
		span->state |= HAS_CONN;
	}
	if (!error.tab || (span->state & BAD_ATTEMPTS) >= MAX_BAD_CONN_RETRIES ||
	    (retry_function && retry_asks == GO_ABSENT))
		return end_with(&on, span, &error);
	span->error = error;
	span->record.end_ns = bpf_ktime_get_boot_ns();
	span->state |= UNDECIDED;
	return 0;
}

/* func Is(err, target error) bool, of an attempt's error and driver.ErrBadConn */
SEC("go_after/database/sql.(*DB).retry>errors.Is")
GO_ALSO("database/sql.(*DB).QueryContext>errors.Is")
GO_ALSO("database/sql.(*DB).ExecContext>errors.Is")
GO_ALSO("database/sql.(*DB).BeginTx>errors.Is")
GO_ALSO("database/sql.(*Stmt).QueryContext>errors.Is")
GO_ALSO("database/sql.(*Stmt).ExecContext>errors.Is")
GO_OF(database_sql) GO_RESULTS(1)
int sql_decided(struct pt_regs *ctx)
{
	struct go_interface error;
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, database_sql);
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

/* Is this entry the next attempt of a call under way? */
static __always_inline bool is_next_attempt(const struct goroutine *on)
{
	struct in_flight *span = span_current(on);

	if (!span || span->record.library != database_sql || !(span->state & AGAIN))
		return false;
	span->state &= ~AGAIN;
	return true;
}

/*
 * func (db *DB) query(ctx context.Context, query string, args []any, strategy connReuseStrategy) (*Rows, error)
 * func (db *DB) exec(ctx context.Context, query string, args []any, strategy connReuseStrategy) (Result, error)
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

	if (goroutine_of(ctx, &on) || is_next_attempt(&on))
		return 0;
	span = begin_call(ctx, &on, &context, go_arg(ctx, 0));
	return span ? put_query(span, text, go_arg(ctx, 6)) : 0;
}

SEC("go_after/database/sql.(*DB).QueryContext.func1>database/sql.(*DB).query")
GO_ALSO("database/sql.(*DB).QueryContext>database/sql.(*DB).query")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(7)
int sql_query_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};
	__u64 rows = go_arg(ctx, 0);

	return attempt_done(ctx, error,
			    rows && rows_dc != GO_ABSENT ? go_word(rows + rows_dc) : 0);
}

/* The Result is a driverResult, whose lock is the connection's. */
SEC("go_after/database/sql.(*DB).ExecContext.func1>database/sql.(*DB).exec")
GO_ALSO("database/sql.(*DB).ExecContext>database/sql.(*DB).exec")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(14)
int sql_exec_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 2), go_arg(ctx, 3)};
	__u64 result = go_arg(ctx, 1);

	return attempt_done(ctx, error,
			    result && !error.tab && result_locker != GO_ABSENT ?
				    go_word(result + result_locker + 8) :
				    0);
}

/* func (db *DB) begin(ctx context.Context, opts *TxOptions, strategy connReuseStrategy) (tx *Tx, err error) */
SEC("go_entry/database/sql.(*DB).begin")
GO_OF(database_sql)
int sql_begin_entry(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on) || is_next_attempt(&on))
		return 0;
	span = begin_call(ctx, &on, &context, go_arg(ctx, 0));
	return span ? span_put_number(span, ATTR_DB_OPERATION, DB_BEGIN) : 0;
}

static __always_inline __u64 conn_of_tx(__u64 tx)
{
	return tx && tx_dc != GO_ABSENT ? go_word(tx + tx_dc) : 0;
}

SEC("go_after/database/sql.(*DB).BeginTx.func1>database/sql.(*DB).begin")
GO_ALSO("database/sql.(*DB).BeginTx>database/sql.(*DB).begin")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(7)
int sql_begin_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};

	return attempt_done(ctx, error, conn_of_tx(go_arg(ctx, 0)));
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
GO_OF(database_sql) GO_NEEDED GO_RESULTS(25)
int sql_stmt_connected(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 3), go_arg(ctx, 4)};
	struct in_flight *span;
	struct goroutine on;

	if (error.tab)
		return attempt_done(ctx, error, 0);
	if (goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, database_sql);
	if (!span)
		return 0;
	span->object = go_arg(ctx, 0);
	span->state |= HAS_CONN;
	return 0;
}

/* Both return an interface and an error. */
SEC("go_after/database/sql.(*Stmt).QueryContext.func1>database/sql.rowsiFromStatement")
GO_ALSO("database/sql.(*Stmt).QueryContext>database/sql.rowsiFromStatement")
GO_ALSO("database/sql.(*Stmt).ExecContext.func1>database/sql.resultFromStatement")
GO_ALSO("database/sql.(*Stmt).ExecContext>database/sql.resultFromStatement")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(12)
int sql_stmt_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 2), go_arg(ctx, 3)};

	return attempt_done(ctx, error, 0);
}

/* What Tx and Conn do on the connection that they have: begun and ended around the one call. */
static __always_inline struct in_flight *begin_on_conn(struct pt_regs *ctx, __u64 conn,
						       const struct go_interface *context)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return NULL;
	span = begin_call(ctx, &on, context, conn);
	if (span)
		span->state |= HAS_CONN;
	return span;
}

/* Length of the last argument, a slice that has no room in x86-64's registers. */
static __always_inline __u64 arg_cnt(const struct pt_regs *ctx, int on_arm64)
{
#if defined(__TARGET_ARCH_x86)
	return go_stack_arg(ctx, 1);
#else
	return go_arg(ctx, on_arm64);
#endif
}

/*
 * func (db *DB) queryDC(ctx, txctx context.Context, dc *driverConn, releaseConn func(error),
 *	query string, args []any) (*Rows, error)
 */
SEC("go_call/database/sql.(*Tx).QueryContext>database/sql.(*DB).queryDC")
GO_ALSO("database/sql.(*Conn).QueryContext>database/sql.(*DB).queryDC")
GO_OF(database_sql)
int sql_query_on_conn(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct go_string text = {go_arg(ctx, 7), go_arg(ctx, 8)};
	struct in_flight *span = begin_on_conn(ctx, go_arg(ctx, 5), &context);

	return span ? put_query(span, text, arg_cnt(ctx, 10)) : 0;
}

SEC("go_after/database/sql.(*Tx).QueryContext>database/sql.(*DB).queryDC")
GO_ALSO("database/sql.(*Conn).QueryContext>database/sql.(*DB).queryDC")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(6)
int sql_query_on_conn_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};

	return call_done(ctx, error);
}

/*
 * func (db *DB) execDC(ctx context.Context, dc *driverConn, release func(error), query string,
 *	args []any) (res Result, err error)
 */
SEC("go_call/database/sql.(*Tx).ExecContext>database/sql.(*DB).execDC")
GO_ALSO("database/sql.(*Conn).ExecContext>database/sql.(*DB).execDC")
GO_OF(database_sql)
int sql_exec_on_conn(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct go_string text = {go_arg(ctx, 5), go_arg(ctx, 6)};
	struct in_flight *span = begin_on_conn(ctx, go_arg(ctx, 3), &context);

	return span ? put_query(span, text, arg_cnt(ctx, 8)) : 0;
}

SEC("go_after/database/sql.(*Tx).ExecContext>database/sql.(*DB).execDC")
GO_ALSO("database/sql.(*Conn).ExecContext>database/sql.(*DB).execDC")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(12)
int sql_exec_on_conn_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 2), go_arg(ctx, 3)};

	return call_done(ctx, error);
}

/*
 * func (db *DB) beginDC(ctx context.Context, dc *driverConn, release func(error), opts *TxOptions)
 *	(tx *Tx, err error)
 */
SEC("go_call/database/sql.(*Conn).BeginTx>database/sql.(*DB).beginDC")
GO_OF(database_sql)
int sql_begin_on_conn(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct in_flight *span = begin_on_conn(ctx, go_arg(ctx, 3), &context);

	return span ? span_put_number(span, ATTR_DB_OPERATION, DB_BEGIN) : 0;
}

SEC("go_after/database/sql.(*Conn).BeginTx>database/sql.(*DB).beginDC")
GO_OF(database_sql) GO_NEEDED GO_RESULTS(6)
int sql_begin_on_conn_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};

	return call_done(ctx, error);
}

/*
 * The transaction, which is one of the two variables of the closure at CLOSURE (in an order that the
 * compiler chooses): the one that has CONN. It knows the context that it was begun with.
 */
static __always_inline struct go_interface context_of_tx(__u64 closure, __u64 conn)
{
	struct go_interface context = {};
	__u64 words[3] = {};

	if (tx_dc == GO_ABSENT || tx_ctx == GO_ABSENT || !conn ||
	    bpf_probe_read_user(words, sizeof(words), (void *)closure))
		return context;
	for (int i = 1; i < 3; i++)
		if (go_word(words[i] + tx_dc) == conn) {
			bpf_probe_read_user(&context, sizeof(context), (void *)words[i] + tx_ctx);
			break;
		}
	return context;
}

/*
 * func withLock(lk sync.Locker, fn func()): lk is the connection. Not the entry of Commit or
 * Rollback: after the one the other does nothing, and everybody defers a Rollback.
 */
static __always_inline int end_tx_begun(struct pt_regs *ctx, enum db_operation operation)
{
	__u64 conn = go_arg(ctx, 1);
	struct go_interface context = context_of_tx(go_arg(ctx, 2), conn);
	struct in_flight *span = begin_on_conn(ctx, conn, &context);

	return span ? span_put_number(span, ATTR_DB_OPERATION, operation) : 0;
}

SEC("go_call/database/sql.(*Tx).Commit>database/sql.withLock")
GO_OF(database_sql)
int sql_commit(struct pt_regs *ctx)
{
	return end_tx_begun(ctx, DB_COMMIT);
}

SEC("go_call/database/sql.(*Tx).rollback>database/sql.withLock")
GO_OF(database_sql)
int sql_rollback(struct pt_regs *ctx)
{
	return end_tx_begun(ctx, DB_ROLLBACK);
}

/* What comes next: errors.Is(err, driver.ErrBadConn) */
SEC("go_call/database/sql.(*Tx).Commit>errors.Is")
GO_ALSO("database/sql.(*Tx).rollback>errors.Is")
GO_OF(database_sql) GO_NEEDED
int sql_end_of_tx(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 0), go_arg(ctx, 1)};

	return call_done(ctx, error);
}

/* func (db *DB) PingContext(ctx context.Context) error */
SEC("go_entry/database/sql.(*DB).PingContext")
GO_OF(database_sql)
int sql_ping_entry(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = begin_call(ctx, &on, &context, go_arg(ctx, 0));
	return span ? span_put_number(span, ATTR_DB_OPERATION, DB_PING) : 0;
}

/* func (c *Conn) PingContext(ctx context.Context) error */
SEC("go_entry/database/sql.(*Conn).PingContext")
GO_OF(database_sql)
int sql_ping_on_conn(struct pt_regs *ctx)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	__u64 conn = conn_dc != GO_ABSENT ? go_word(go_arg(ctx, 0) + conn_dc) : 0;
	struct in_flight *span = begin_on_conn(ctx, conn, &context);

	return span ? span_put_number(span, ATTR_DB_OPERATION, DB_PING) : 0;
}

/* Rare enough for a stepped RET. */
SEC("go_return/database/sql.(*DB).PingContext")
GO_ALSO("database/sql.(*Conn).PingContext")
GO_OF(database_sql)
int sql_ping_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 0), go_arg(ctx, 1)};

	return call_done(ctx, error);
}

/*
 * func (db *DB) conn(...): only who had to wait for a connection asks time.Since, for
 * DBStats.WaitDuration.
 */
SEC("go_after/database/sql.(*DB).conn>time.Since")
GO_OF(database_sql) GO_RESULTS(1)
int sql_waited(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = span_find(&on, database_sql);
	if (span)
		span->mark += go_arg(ctx, 0);
	return 0;
}
