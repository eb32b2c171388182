// SPDX-License-Identifier: Apache-2.0

// A server that uses a real database through database/sql; which driver, a build tag says. DSN in the
// environment names the database. Control as in httpserver: a JSON line with the port, ends when
// stdin closes.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sqldriver:", err)
		os.Exit(1)
	}
}

func readAll(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var a, b interface{}
		if err := rows.Scan(&a, &b); err != nil {
			return err
		}
	}
	return rows.Err()
}

// One of each: a table, a row by arguments, by a prepared statement and in a transaction, a query.
func all(ctx context.Context, db *sql.DB) error {
	// /all is asked for more than once
	if _, err := db.ExecContext(ctx, "DROP TABLE IF EXISTS orders"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE orders (id int PRIMARY KEY, name varchar(20))"); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "INSERT INTO orders VALUES ("+placeholder(1)+", 'x')", 1); err != nil {
		return err
	}
	stmt, err := db.PrepareContext(ctx, "UPDATE orders SET name = 'y' WHERE id = "+placeholder(1))
	if err != nil {
		return err
	}
	defer stmt.Close()
	if _, err := stmt.ExecContext(ctx, 1); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := readAll(tx.QueryContext(ctx, "SELECT id, name FROM orders WHERE name = 'secret'")); err != nil {
		return err
	}
	return tx.Commit()
}

func handle(path string, f func(ctx context.Context, r *http.Request) error) {
	http.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if err := f(r.Context(), r); err != nil {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprintf(w, "%T %v\n", err, err)
		}
	})
}

func main() {
	db, err := open(os.Getenv("DSN"))
	check(err)
	db.SetMaxOpenConns(4)
	handle("/all", func(ctx context.Context, r *http.Request) error { return all(ctx, db) })
	handle("/exec", func(ctx context.Context, r *http.Request) error {
		_, err := db.ExecContext(ctx, r.FormValue("q"))
		return err
	})
	handle("/query", func(ctx context.Context, r *http.Request) error {
		return readAll(db.QueryContext(ctx, r.FormValue("q")))
	})
	handle("/ping", func(ctx context.Context, r *http.Request) error { return db.PingContext(ctx) })
	handle("/timeout", func(ctx context.Context, r *http.Request) error {
		ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		return readAll(db.QueryContext(ctx, r.FormValue("q")))
	})
	handle("/late", func(ctx context.Context, r *http.Request) error {
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		ctx, cancel := context.WithTimeout(ctx, time.Nanosecond)
		defer cancel()
		<-ctx.Done()
		_, err = conn.BeginTx(ctx, nil)
		return err
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go http.Serve(l, nil)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}
