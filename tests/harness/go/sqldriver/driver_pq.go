// SPDX-License-Identifier: Apache-2.0

//go:build pq
// +build pq

package main

import (
	"database/sql"
	"fmt"

	_ "github.com/lib/pq"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("postgres", dsn) }

func placeholder(n int) string { return fmt.Sprintf("$%d", n) }
