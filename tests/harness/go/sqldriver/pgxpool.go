// SPDX-License-Identifier: Apache-2.0

//go:build pgxpool
// +build pgxpool

package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

func open(dsn string) (*sql.DB, error) {
	pool, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		return nil, err
	}
	return stdlib.OpenDBFromPool(pool), nil
}

func placeholder(n int) string { return fmt.Sprintf("$%d", n) }
