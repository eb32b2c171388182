// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync/atomic"
	"time"
)

// A database that does what comments in the query say: sleep 20ms, fail, panic, goexit, bad (the
// connection is always bad), bad once, wrapped bad once, call URL (an HTTP call inside the driver).
// "fake" answers queries and executions itself, "plain" only through prepared statements, as old
// drivers do; "down" refuses connections.
func init() {
	sql.Register("fake", fakeDriver{})
	sql.Register("plain", plainDriver{})
	sql.Register("down", downDriver{})
}

type fakeDriver struct{}

func (fakeDriver) Open(string) (driver.Conn, error) { return &fakeConn{}, nil }

type plainDriver struct{}

func (plainDriver) Open(string) (driver.Conn, error) { return &plainConn{}, nil }

type downDriver struct{}

func (downDriver) Open(string) (driver.Conn, error) {
	return nil, errors.New("connection refused by nobody")
}

// fakeError is what a database says.
type fakeError struct{ Message string }

func (e *fakeError) Error() string { return "fake: " + e.Message }

// looksBad is errors.Is(err, driver.ErrBadConn) by a method, as drivers may have it.
type looksBad struct{ at int }

func (*looksBad) Error() string { return "looks bad" }

func (*looksBad) Is(target error) bool { return target == driver.ErrBadConn }

// By what a query asks for: what needs a newer Go than the rest.
var failures = map[string]func() error{}

var (
	order  = regexp.MustCompile(`/\* ([a-z ]+?)(?: ([0-9]+ms))? \*/`)
	badCnt int64
)

func once(err error) error {
	if atomic.AddInt64(&badCnt, 1)%2 == 1 {
		return err
	}
	return nil
}

func obey(ctx context.Context, query string) error {
	for _, m := range order.FindAllStringSubmatch(query, -1) {
		switch m[1] {
		case "sleep":
			d, _ := time.ParseDuration(m[2])
			select {
			case <-time.After(d):
			case <-ctx.Done():
				return ctx.Err()
			}
		case "fail":
			return &fakeError{"no such table"}
		case "panic":
			panic("driver bug")
		case "bad":
			return driver.ErrBadConn
		case "bad once":
			if err := once(driver.ErrBadConn); err != nil {
				return err
			}
		case "wrapped bad once":
			if err := once(fmt.Errorf("broken pipe: %w", driver.ErrBadConn)); err != nil {
				return err
			}
		case "like bad once":
			if err := once(&looksBad{}); err != nil {
				return err
			}
		default:
			if fails := failures[m[1]]; fails != nil {
				return fails()
			}
		}
	}
	return ctx.Err()
}

type plainConn struct{ began int }

func (*plainConn) Prepare(query string) (driver.Stmt, error) {
	if strings.Contains(query, "SYNTAX") {
		return nil, &fakeError{"syntax error"}
	}
	return &fakeStmt{query}, nil
}
func (*plainConn) Close() error { return nil }
func (c *plainConn) Begin() (driver.Tx, error) {
	c.began++
	return fakeTx{c}, nil
}

type fakeConn struct{ plainConn }

func (*fakeConn) Ping(ctx context.Context) error { return ctx.Err() }
func (*fakeConn) QueryContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if err := obey(ctx, query); err != nil {
		return nil, err
	}
	return &fakeRows{done: strings.Contains(query, "/* empty */")}, nil
}
func (*fakeConn) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.RowsAffected(1), obey(ctx, query)
}

type fakeTx struct{ conn *plainConn }

func (t fakeTx) Commit() error   { return nil }
func (t fakeTx) Rollback() error { return nil }

type fakeStmt struct{ query string }

func (*fakeStmt) Close() error  { return nil }
func (*fakeStmt) NumInput() int { return -1 }
func (s *fakeStmt) Exec([]driver.Value) (driver.Result, error) {
	return driver.RowsAffected(1), obey(context.Background(), s.query)
}
func (s *fakeStmt) Query([]driver.Value) (driver.Rows, error) {
	if err := obey(context.Background(), s.query); err != nil {
		return nil, err
	}
	return &fakeRows{}, nil
}

type fakeRows struct{ done bool }

func (*fakeRows) Columns() []string { return []string{"n"} }
func (*fakeRows) Close() error      { return nil }
func (r *fakeRows) Next(to []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	to[0] = int64(42)
	return nil
}
