// SPDX-License-Identifier: Apache-2.0

//go:build mattn
// +build mattn

package main

import (
	"database/sql"

	_ "github.com/mattn/go-sqlite3"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("sqlite3", dsn) }

func placeholder(n int) string { return "?" }
