// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * database_sql_tx: what is done on a connection that is there: queries, executions and BEGIN of Tx
 * and Conn; COMMIT and ROLLBACK; pings; and the time spent waiting for a connection. See
 * database_sql.bpf.c, where the former end.
 */
#include "database_sql.bpf.h"

/* type Conn, Tx struct, src/database/sql/sql.go, Go 1.19 to 1.27 */
GO_FIELD(conn_dc, pointer, "database/sql.Conn.dc");
GO_FIELD(tx_ctx, interface, "database/sql.Tx.ctx");
extern const volatile __u16 tx_dc;   /* database_sql.bpf.c */
extern const volatile __u16 g_panic; /* net_http_server.bpf.c */

/* What Tx and Conn have execDC call at its end: without it nothing is begun. */
GO_FUNCTION(tx_release, "database/sql.(*Tx).closemuRUnlockRelease-fm");
GO_FUNCTION(conn_release, "database/sql.(*Conn).closemuRUnlockCondReleaseConn-fm");

/*
 * func (rs *Rows) initContextClose(ctx, txctx context.Context): what it does last is `go
 * rs.awaitDone(...)` if one of the contexts can be cancelled, as a transaction's own always can. The
 * statement's function has this name from Go 1.22 on.
 */
#define ROWS_WATCHER "database/sql.(*Rows).initContextClose.gowrap1"
GO_FUNCTION(rows_watcher, ROWS_WATCHER);
GO_FRAME(starts_are_seen, "runtime.newproc.func1>runtime.runqput");

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
	struct in_flight *span;

	if (go_arg(ctx, 4) && rows_watcher && starts_are_seen == GO_ABSENT)
		return 0; /* a Tx's: nothing would end it */
	span = begin_on_conn(ctx, go_arg(ctx, 5), &context);
	return span ? put_query(span, text, arg_cnt(ctx, 10)) : 0;
}

/* Neither of the functions has an instruction behind the call that the kernel emulates. */
SEC("go_after/database/sql.(*Tx).QueryContext>database/sql.(*DB).queryDC")
GO_UNLESS(ROWS_WATCHER ">database/sql.(*Rows).awaitDone")
GO_OF(database_sql) GO_RESULTS(7) int sql_tx_query_return(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 1), go_arg(ctx, 2)};

	return call_done(ctx, error);
}

/* A global function: the verifier looks at it once. */
__weak int sql_query_watched(const struct goroutine *on)
{
	struct in_flight *span;

	if (!on)
		return 0;
	span = span_find(on, database_sql);
	if (!span || !(span->state & ON_CONN) || !(span->state & HAS_QUERY) ||
	    span->state & EXECUTES)
		return 0;
	return sql_end(on, span);
}

__hidden bool sql_watches_rows(const struct goroutine *creator, __u64 function)
{
	if (!rows_watcher || function != rows_watcher)
		return false;
	sql_query_watched(creator);
	return true;
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
	struct in_flight *span;

	if (!tx_release && !conn_release)
		return 0;
	span = begin_on_conn(ctx, go_arg(ctx, 3), &context);
	if (!span)
		return 0;
	span->state |= EXECUTES;
	return put_query(span, text, arg_cnt(ctx, 8));
}

/*
 * release(err error), a method value: execDC defers it; queryDC calls it when it fails, else Rows
 * do when they are closed.
 */
SEC("go_entry/database/sql.(*Tx).closemuRUnlockRelease-fm")
GO_ALSO("database/sql.(*Conn).closemuRUnlockCondReleaseConn-fm")
GO_OF(database_sql)
int sql_released(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 0), go_arg(ctx, 1)};
	struct in_flight *span;
	struct goroutine on;

	span = span_here(ctx, &on, database_sql);
	if (!span || !(span->state & ON_CONN))
		return 0;
	if (!(span->state & EXECUTES) && !(span->state & HAS_QUERY && error.tab))
		return 0;
	/* deferred functions run when the driver panics as well */
	if (!error.tab && g_panic != GO_ABSENT && go_word(on.g + g_panic) &&
	    span_end_panicked(&on, span))
		return 0;
	return end_with(&on, span, &error);
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

/*
 * The transaction, which is one of the two variables of the closure at CLOSURE (in an order that
 * the compiler chooses): the one that has CONN. It knows the context that it was begun with.
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
GO_OF(database_sql) GO_NEEDED int sql_end_of_tx(struct pt_regs *ctx)
{
	struct go_interface error = {go_arg(ctx, 0), go_arg(ctx, 1)};

	return call_done(ctx, error);
}

/* func (db *DB) PingContext(ctx context.Context) error */
SEC("go_entry/database/sql.(*DB).PingContext")
GO_OF(database_sql)
int sql_ping_entry(struct pt_regs *ctx)
{
	return begin_on_db(ctx, DB_PING);
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
GO_OF(database_sql) GO_RESULTS(1) int sql_waited(struct pt_regs *ctx)
{
	struct in_flight *span;
	struct goroutine on;

	span = span_here(ctx, &on, database_sql);
	if (span)
		span->mark += go_arg(ctx, 0);
	return 0;
}
