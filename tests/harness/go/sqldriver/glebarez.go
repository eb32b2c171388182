// SPDX-License-Identifier: Apache-2.0

//go:build glebarez
// +build glebarez

package main

import (
	"database/sql"

	_ "github.com/glebarez/go-sqlite"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("sqlite", dsn) }

func placeholder(n int) string { return "?" }
