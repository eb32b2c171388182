// SPDX-License-Identifier: Apache-2.0

// A server whose handlers use database/sql in every way there is. Control as in httpserver: a JSON
// line with the port, ends when stdin closes.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "httpsql:", err)
		os.Exit(1)
	}
}

func open(driver string) *sql.DB {
	db, err := sql.Open(driver, "")
	check(err)
	return db
}

var dbs = map[string]*sql.DB{}

// What DB, Conn and Tx have in common.
type handler interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

func readAll(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int
		if err := rows.Scan(&n); err != nil {
			return err
		}
	}
	return rows.Err()
}

// One statement: op is query, row, exec; a "p" before it prepares it first.
func statement(ctx context.Context, on handler, op, query string, args []any) error {
	var err error
	switch op {
	case "query":
		return readAll(on.QueryContext(ctx, query, args...))
	case "exec":
		_, err = on.ExecContext(ctx, query, args...)
		return err
	}
	stmt, err := on.PrepareContext(ctx, query)
	if err != nil {
		return err
	}
	defer stmt.Close()
	switch op {
	case "pquery":
		return readAll(stmt.QueryContext(ctx, args...))
	case "pexec":
		_, err = stmt.ExecContext(ctx, args...)
	case "ptwice":
		_, err = stmt.ExecContext(ctx, args...)
		if err == nil {
			_, err = stmt.ExecContext(ctx, args...)
		}
	default:
		err = fmt.Errorf("unknown op %q", op)
	}
	return err
}

// The methods without a context.
func contextless(db *sql.DB, op, query string, args []any) error {
	switch op {
	case "query":
		return readAll(db.Query(query, args...))
	case "row":
		var n int
		return db.QueryRow(query, args...).Scan(&n)
	case "exec":
		_, err := db.Exec(query, args...)
		return err
	case "ping":
		return db.Ping()
	case "tx":
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		if _, err = tx.Exec(query, args...); err == nil {
			return tx.Commit()
		}
		tx.Rollback()
		return err
	}
	stmt, err := db.Prepare(query)
	if err != nil {
		return err
	}
	defer stmt.Close()
	if op == "pquery" {
		return readAll(stmt.Query(args...))
	}
	_, err = stmt.Exec(args...)
	return err
}

func inTx(ctx context.Context, begin func(context.Context, *sql.TxOptions) (*sql.Tx, error), op, query, end string, args []any) error {
	tx, err := begin(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // as everybody writes it: does nothing after a commit
	if op != "none" {
		err = statement(ctx, tx, op, query, args)
	}
	if end == "rollback" || err != nil {
		tx.Rollback()
		return err
	}
	return tx.Commit()
}

// /do?db=fake&on=db|conn|tx|conntx|none&op=...&q=SQL&args=N&end=commit|rollback
func do(ctx context.Context, r *http.Request) error {
	op, query := r.FormValue("op"), r.FormValue("q")
	db := dbs[r.FormValue("db")]
	var args []any
	for i := 0; i < len(r.FormValue("args")); i++ {
		args = append(args, i)
	}
	switch r.FormValue("on") {
	case "none":
		return contextless(db, op, query, args)
	case "tx":
		return inTx(ctx, db.BeginTx, op, query, r.FormValue("end"), args)
	case "conn", "conntx":
		conn, err := db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if op == "ping" {
			return conn.PingContext(ctx)
		}
		if r.FormValue("on") == "conn" {
			return statement(ctx, conn, op, query, args)
		}
		return inTx(ctx, conn.BeginTx, op, query, r.FormValue("end"), args)
	}
	switch op {
	case "ping":
		return db.PingContext(ctx)
	case "row":
		var n int
		return db.QueryRowContext(ctx, query, args...).Scan(&n)
	}
	return statement(ctx, db, op, query, args)
}

// Calls F on goroutines of their own, all with CTX, and waits.
func together(ctx context.Context, cnt int, f func(ctx context.Context, i int)) {
	var group sync.WaitGroup
	for i := 0; i < cnt; i++ {
		i := i
		group.Add(1)
		go func() {
			defer group.Done()
			f(ctx, i)
		}()
	}
	group.Wait()
}

func query(ctx context.Context, text string) error {
	return statement(ctx, dbs["fake"], "query", text, nil)
}

// One connection, held while the second query waits for it.
func poolWait(ctx context.Context, deadline time.Duration) error {
	db := open("fake")
	defer db.Close()
	db.SetMaxOpenConns(1)
	conn, err := db.Conn(ctx)
	check(err)
	time.AfterFunc(60*time.Millisecond, func() { conn.Close() })
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return statement(ctx, db, "query", "SELECT waited FROM pool", nil)
}

func recovered(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

type job struct {
	ctx  context.Context
	done chan error
}

var jobs = make(chan job)

func worker() {
	for j := range jobs {
		ctx := j.ctx
		if ctx == nil {
			ctx = context.Background()
		}
		j.done <- query(ctx, "SELECT job FROM worker")
	}
}

var later sync.WaitGroup

func handle(mux *http.ServeMux, path string, f func(ctx context.Context, r *http.Request) error) {
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		if err := f(r.Context(), r); err != nil {
			w.WriteHeader(http.StatusBadGateway)
			fmt.Fprintln(w, "error:", err)
		}
	})
}

func addParents(mux *http.ServeMux) {
	handle(mux, "/fanout", func(ctx context.Context, r *http.Request) error {
		together(ctx, 2, func(ctx context.Context, i int) {
			query(ctx, fmt.Sprintf("SELECT a FROM fan%d /* sleep 20ms */", i))
		})
		return nil
	})
	handle(mux, "/group", func(ctx context.Context, r *http.Request) error {
		// as errgroup.WithContext does
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		together(ctx, 3, func(ctx context.Context, i int) {
			if statement(ctx, dbs["fake"], "exec", fmt.Sprintf("DELETE FROM group%d", i), nil) != nil {
				cancel()
			}
		})
		return query(ctx, "SELECT after FROM grp")
	})
	handle(mux, "/deep", func(ctx context.Context, r *http.Request) error {
		for i := 0; i < 20; i++ {
			ctx = context.WithValue(ctx, job{}, i)
		}
		ctx, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		done := make(chan error)
		go func() { done <- query(ctx, "SELECT deep FROM ctx") }()
		return <-done
	})
	handle(mux, "/worker", func(ctx context.Context, r *http.Request) error {
		j := job{done: make(chan error)}
		if r.FormValue("ctx") != "" {
			j.ctx = ctx
		}
		jobs <- j
		return <-j.done
	})
	handle(mux, "/outlive", func(ctx context.Context, r *http.Request) error {
		with := r.FormValue("ctx") != ""
		later.Add(1)
		go func() {
			defer later.Done()
			time.Sleep(50 * time.Millisecond)
			if !with {
				ctx = context.Background()
			}
			query(ctx, "SELECT late FROM outlive") // with the handler's context: canceled by now
		}()
		return nil
	})
	handle(mux, "/waitlater", func(ctx context.Context, r *http.Request) error {
		later.Wait()
		return nil
	})
}

func addFailures(mux *http.ServeMux) {
	handle(mux, "/pool", func(ctx context.Context, r *http.Request) error {
		d, err := time.ParseDuration(r.FormValue("deadline"))
		check(err)
		return poolWait(ctx, d)
	})
	handle(mux, "/panic", func(ctx context.Context, r *http.Request) error {
		recovered(func() {
			statement(ctx, dbs["fake"], r.FormValue("op"), "UPDATE t SET a = 1 /* panic */", nil)
		})
		time.Sleep(20 * time.Millisecond)
		return query(ctx, "SELECT next FROM t")
	})
	handle(mux, "/panictx", func(ctx context.Context, r *http.Request) error {
		recovered(func() {
			tx, err := dbs["fake"].BeginTx(ctx, nil)
			check(err)
			defer tx.Rollback()
			tx.ExecContext(ctx, "UPDATE t SET a = 1 /* panic */")
		})
		return nil
	})
	handle(mux, "/norows", func(ctx context.Context, r *http.Request) error {
		var n int
		err := dbs["fake"].QueryRowContext(ctx, "SELECT a FROM b /* empty */").Scan(&n)
		if err != sql.ErrNoRows {
			return fmt.Errorf("not %v", err)
		}
		return nil
	})
	handle(mux, "/canceltx", func(ctx context.Context, r *http.Request) error {
		ctx, cancel := context.WithCancel(ctx)
		db := open("fake")
		defer db.Close()
		tx, err := db.BeginTx(ctx, nil)
		check(err)
		cancel()
		for db.Stats().InUse != 0 {
			time.Sleep(time.Millisecond)
		}
		return tx.Commit() // too late: it was rolled back
	})
	handle(mux, "/timeout", func(ctx context.Context, r *http.Request) error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		return query(ctx, "SELECT slow FROM t /* sleep 500ms */")
	})
}

// A query and a transaction.
func mixed(ctx context.Context, r *http.Request) error {
	db := dbs["fake"]
	if err := query(ctx, "SELECT a FROM orders"); err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for _, text := range []string{"INSERT INTO orders VALUES (1)", "UPDATE stock SET a = 1"} {
		if _, err := tx.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// N turns of one operation, for the cost of a hit.
func addLoad(mux *http.ServeMux) {
	handle(mux, "/mixed", mixed)
	handle(mux, "/many", func(ctx context.Context, r *http.Request) error {
		var n int
		fmt.Sscan(r.FormValue("n"), &n)
		for i := 0; i < n; i++ {
			if err := do(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

func main() {
	for _, driver := range sql.Drivers() {
		dbs[driver] = open(driver)
	}
	mux := http.NewServeMux()
	handle(mux, "/do", do)
	addParents(mux)
	addFailures(mux)
	addLoad(mux)
	go worker()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go http.Serve(l, mux)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}
