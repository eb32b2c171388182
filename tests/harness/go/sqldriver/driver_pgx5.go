// SPDX-License-Identifier: Apache-2.0

//go:build pgx5
// +build pgx5

package main

import (
	"database/sql"
	"fmt"

	_ "github.com/jackc/pgx/v5/stdlib"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("pgx", dsn) }

func placeholder(n int) string { return fmt.Sprintf("$%d", n) }
