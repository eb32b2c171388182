// SPDX-License-Identifier: Apache-2.0

//go:build mysql
// +build mysql

package main

import (
	"database/sql"

	_ "github.com/go-sql-driver/mysql"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("mysql", dsn) }

func placeholder(n int) string { return "?" }
