// SPDX-License-Identifier: Apache-2.0

//go:build pgdriver
// +build pgdriver

package main

import (
	"database/sql"
	"fmt"

	_ "github.com/uptrace/bun/driver/pgdriver"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("pg", dsn) }

func placeholder(n int) string { return fmt.Sprintf("$%d", n) }
