// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// A database of no rows.
func init() { sql.Register("nothing", nothing{}) }

type nothing struct{}

func (nothing) Open(string) (driver.Conn, error) { return nothing{}, nil }

func (nothing) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not here") }

func (nothing) Begin() (driver.Tx, error) { return nil, errors.New("not here") }

func (nothing) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return nothing{}, nil
}

func (nothing) Columns() []string { return []string{"n"} }

func (nothing) Next([]driver.Value) error { return io.EOF }

func (nothing) Close() error { return nil }
