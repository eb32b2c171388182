// SPDX-License-Identifier: Apache-2.0

//go:build otelsql
// +build otelsql

package main

import (
	"database/sql"
	"fmt"

	"github.com/XSAM/otelsql"
	_ "github.com/lib/pq"
)

func open(dsn string) (*sql.DB, error) { return otelsql.Open("postgres", dsn) }

func placeholder(n int) string { return fmt.Sprintf("$%d", n) }
