/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* database_sql: what the two files of database/sql have in common. */
#ifndef GOSPAN_BPF_DATABASE_SQL_H
#define GOSPAN_BPF_DATABASE_SQL_H

#include "span.bpf.h"

/*
 * Puts the type of the driver's connection in DRIVER_CONN (*sql.driverConn), and where it leads to
 * where the driver is known.
 */
int sql_put_conn(struct in_flight *span, __u64 driver_conn);

/* A connection that is idle in DB's pool, 0: there is none. */
__u64 sql_idle_conn(__u64 db);

/* For a call that got no connection: the type of DB's connector or driver. */
int sql_put_connector(struct in_flight *span, __u64 db);

#endif
