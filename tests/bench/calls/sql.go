// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
)

// A driver that answers at once: what a call costs is database/sql's, and what traces it.
type answers struct{}

func (answers) Connect(context.Context) (driver.Conn, error) { return &answerConn{}, nil }
func (answers) Driver() driver.Driver                        { return answerDriver{} }

type answerDriver struct{}

func (answerDriver) Open(string) (driver.Conn, error) { return &answerConn{}, nil }

type answerConn struct{ asked int }

func (c *answerConn) Prepare(string) (driver.Stmt, error) { return nil, errors.New("not prepared") }
func (c *answerConn) Close() error                        { return nil }
func (c *answerConn) Begin() (driver.Tx, error)           { return answerTx{}, nil }

func (c *answerConn) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) {
	return answerTx{}, nil
}

func (c *answerConn) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	c.asked++
	return driver.RowsAffected(1), nil
}

func (c *answerConn) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	c.asked++
	return &answerRows{}, nil
}

type answerTx struct{}

func (answerTx) Commit() error   { return nil }
func (answerTx) Rollback() error { return nil }

type answerRows struct{ read bool }

func (r *answerRows) Columns() []string { return []string{"id", "name"} }
func (r *answerRows) Close() error      { return nil }

func (r *answerRows) Next(row []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read = true
	row[0], row[1] = int64(42), "pear"
	return nil
}

func openDB() *sql.DB {
	if *sdk {
		return tracedDB(answers{})
	}
	return sql.OpenDB(answers{})
}

func prepareExec(_, _ string) (func(context.Context) error, error) {
	db := openDB()
	return func(ctx context.Context) error {
		_, err := db.ExecContext(ctx, "UPDATE items SET name = ? WHERE id = ?", "pear", 42)
		return err
	}, nil
}

const selectItem = "SELECT id, name FROM items WHERE id = ?"

func readItem(rows *sql.Rows, err error) error {
	var id int
	var name string
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(&id, &name); err != nil {
			return err
		}
	}
	return rows.Err()
}

func prepareQuery(_, _ string) (func(context.Context) error, error) {
	db := openDB()
	return func(ctx context.Context) error {
		return readItem(db.QueryContext(ctx, selectItem, 42))
	}, nil
}

// Three spans: BEGIN, a query, COMMIT.
func prepareTransaction(_, _ string) (func(context.Context) error, error) {
	db := openDB()
	return func(ctx context.Context) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback()
		if err := readItem(tx.QueryContext(ctx, selectItem, 42)); err != nil {
			return err
		}
		return tx.Commit()
	}, nil
}
