// SPDX-License-Identifier: Apache-2.0

// A server that uses the least of database/sql: what it does not use, the linker leaves out. Control
// as in httpserver: a JSON line with the port, ends when stdin closes.
package main

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
)

type fake struct{}

func (fake) Open(string) (driver.Conn, error)           { return fake{}, nil }
func (fake) Prepare(string) (driver.Stmt, error)        { return fake{}, nil }
func (fake) Close() error                               { return nil }
func (fake) Begin() (driver.Tx, error)                  { return nil, driver.ErrSkip }
func (fake) NumInput() int                              { return -1 }
func (fake) Exec([]driver.Value) (driver.Result, error) { return driver.ResultNoRows, nil }
func (fake) Query([]driver.Value) (driver.Rows, error)  { return nil, driver.ErrSkip }

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sqlstmt:", err)
		os.Exit(1)
	}
}

func main() {
	sql.Register("fake", fake{})
	db, err := sql.Open("fake", "")
	check(err)
	stmt, err := db.Prepare("SELECT a FROM orders")
	check(err)
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := stmt.ExecContext(r.Context()); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go http.Serve(l, nil)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}
