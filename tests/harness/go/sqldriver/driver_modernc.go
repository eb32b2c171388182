// SPDX-License-Identifier: Apache-2.0

//go:build modernc
// +build modernc

package main

import (
	"database/sql"

	_ "modernc.org/sqlite"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("sqlite", dsn) }

func placeholder(n int) string { return "?" }
