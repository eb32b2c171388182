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

/* The same for a call that got no connection: by one that waits in DB's pool, or by its connector. */
int sql_put_db(struct in_flight *span, __u64 db);

#endif
