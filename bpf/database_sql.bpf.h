/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* database_sql: what the files of database/sql have in common. */
#ifndef GOSPAN_BPF_DATABASE_SQL_H
#define GOSPAN_BPF_DATABASE_SQL_H

#include "span.bpf.h"

extern const volatile __u16 database_sql; /* GO_SPAN of database_sql.bpf.c */

/* Ends the call's span, with what is known of its connection. */
int sql_end(const struct goroutine *on, struct in_flight *span);

/*
 * Puts the type of the driver's connection, and where it leads to where the driver is known: of the
 * call's own connection, or of another one of its DB.
 */
int sql_put_database(struct in_flight *span);

/*
 * Puts where a connection of pgx v4 or v5 leads to. Non-zero when it may be one of several servers: then
 * CONN becomes the net.Conn below it, whose peer is to be put. (Calls may be eight deep, no more.)
 */
int sql_put_pgx(struct in_flight *span, struct go_interface *conn, bool is_v4);

/* The same by a CONNECTOR of pgx v5, if it has a pgxpool: without the server when it may be one of several. */
int sql_put_pgx_pool(struct in_flight *span, __u64 connector);

/*
 * A goroutine that is started at FUNCTION (link-time address): is it database/sql's own that watches
 * over the rows of a query? Those of a Tx are always watched, and that they are is the query's end.
 */
int sql_watches_rows(const struct goroutine *creator, __u64 function);

/* How far a call has come: in_flight.state. Its `object` is the *DB, or the *driverConn when known.
 */
enum call_state {
	BAD_ATTEMPTS = 0x03, /* number of attempts that met driver.ErrBadConn */
	EXECUTES = 0x04,     /* ends when the connection is released */
	ON_CONN = 0x08,	     /* begun on a connection that was there */
	UNDECIDED = 0x10,    /* `error` is either final or ErrBadConn */
	AGAIN = 0x20,	     /* it was that: the next attempt follows */
	HAS_CONN = 0x40,
	HAS_QUERY = 0x80,
};

/*
 * Is this entry the next attempt of a call under way? No call is below another: one that has seen a
 * panic is gone.
 */
static __always_inline bool is_next_attempt(const struct goroutine *on)
{
	struct in_flight *span = span_current(on);

	if (!span || span->record.library != database_sql)
		return false;
	if (!(span->state & AGAIN)) {
		span_end_panicked(on, span);
		return false;
	}
	span->state &= ~AGAIN;
	return true;
}

/* NULL also when this is another attempt of a call that was begun. */
static __always_inline struct in_flight *begin_call(struct pt_regs *ctx, const struct goroutine *on,
						    const struct go_interface *context,
						    __u64 object)
{
	struct in_flight *span;

	if (is_next_attempt(on))
		return NULL;
	span = span_begin(ctx, on, database_sql, SPAN_CLIENT);
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

	span = span_here(ctx, &on, database_sql);
	return span ? end_with(&on, span, &error) : 0;
}

/* A method of DB whose context is its first argument, and which has no text. */
static __always_inline int begin_on_db(struct pt_regs *ctx, __u64 operation)
{
	struct go_interface context = {go_arg(ctx, 1), go_arg(ctx, 2)};
	struct in_flight *span;
	struct goroutine on;

	if (goroutine_of(ctx, &on))
		return 0;
	span = begin_call(ctx, &on, &context, go_arg(ctx, 0));
	return span ? span_put_number(span, ATTR_DB_OPERATION, operation) : 0;
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
		span->state |= HAS_CONN | ON_CONN;
	return span;
}

#endif
