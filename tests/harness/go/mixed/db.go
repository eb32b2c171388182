// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
)

// A database of no rows; what has "fail" in it fails.
func init() { sql.Register("empty", empty{}) }

type empty struct{}

func (empty) Open(string) (driver.Conn, error) { return empty{}, nil }

func (empty) Prepare(string) (driver.Stmt, error) { return empty{}, nil }

func (empty) Begin() (driver.Tx, error) { return empty{}, nil }

func (empty) Commit() error { return nil }

func (empty) Rollback() error { return nil }

func (empty) QueryContext(ctx context.Context, text string, _ []driver.NamedValue) (driver.Rows, error) {
	if strings.Contains(text, "fail") {
		return nil, errors.New("it was to fail")
	}
	return empty{}, ctx.Err()
}

func (empty) NumInput() int { return -1 }

func (empty) Exec([]driver.Value) (driver.Result, error) { return driver.ResultNoRows, nil }

func (empty) Query([]driver.Value) (driver.Rows, error) { return empty{}, nil }

func (empty) Columns() []string { return []string{"n"} }

func (empty) Next([]driver.Value) error { return io.EOF }

func (empty) Close() error { return nil }
