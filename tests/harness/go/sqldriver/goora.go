// SPDX-License-Identifier: Apache-2.0

//go:build goora
// +build goora

package main

import (
	"database/sql"
	"fmt"

	_ "github.com/sijms/go-ora/v2"
)

func open(dsn string) (*sql.DB, error) { return sql.Open("oracle", dsn) }

func placeholder(n int) string { return fmt.Sprintf(":%d", n) }
