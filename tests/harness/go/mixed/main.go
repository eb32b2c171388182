// SPDX-License-Identifier: Apache-2.0

// A service that is server and client of everything: HTTP, gRPC, SQL, each of its handlers a mixture.
// Control as in httpserver: a JSON line with the port, ends when stdin closes.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

var (
	db     *sql.DB
	self   string
	client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256}}
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "mixed:", err)
		os.Exit(1)
	}
}

func query(ctx context.Context, text string) {
	if rows, err := db.QueryContext(ctx, text); err == nil {
		rows.Close()
	}
}

func get(ctx context.Context, path string) {
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+self+path, nil)
	check(err)
	if answer, err := client.Do(r); err == nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

// five spans: this one, a call, what it calls, a query on this goroutine and one on another.
func five(w http.ResponseWriter, r *http.Request) {
	ctx, n := r.Context(), r.URL.Query().Get("n")
	done := make(chan struct{})
	go func() {
		defer close(done)
		query(ctx, "SELECT a FROM second_"+n)
	}()
	query(ctx, "SELECT a FROM first_"+n)
	get(ctx, "/leaf/"+n)
	<-done
}

// mixture does one of many things, by ?n=.
func mixture(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	n, _ := strconv.Atoi(r.URL.Query().Get("n"))
	short, cancel := context.WithTimeout(ctx, 3*time.Millisecond)
	defer cancel()
	switch n % 16 {
	case 0:
		panic("mixture")
	case 1:
		panic(http.ErrAbortHandler)
	case 2:
		runtime.Goexit()
	case 3: // the call is given up, and so are the query and the RPC
		get(short, "/sleep")
		query(short, "SELECT a FROM late")
		call(short, "late")
	case 4: // goes on when the handler is over
		go func() {
			time.Sleep(5 * time.Millisecond)
			query(ctx, "SELECT a FROM later")
			get(context.Background(), "/leaf/later")
		}()
	case 5:
		if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
			c.Close()
		}
	case 6:
		check(talk(ctx, 3, false))
	case 7:
		talk(short, 1, true)
	case 8:
		call(ctx, "fail")
		query(ctx, "SELECT fail FROM a")
	case 9:
		transaction(ctx)
	case 10: // recovered inside of a call
		defer func() { recover() }()
		client.Transport.RoundTrip((&http.Request{}).WithContext(ctx))
	case 11:
		var wg sync.WaitGroup
		for i := 0; i < 8; i++ {
			wg.Add(1)
			go func() {
				defer wg.Done()
				call(ctx, "fan out")
				query(ctx, "SELECT a FROM fan")
			}()
		}
		wg.Wait()
	case 12: // nobody listens there
		if r, err := http.NewRequestWithContext(ctx, "GET", "http://127.0.0.1:1/", nil); err == nil {
			client.Do(r)
		}
	case 13: // the answer is not read
		if r, err := http.NewRequestWithContext(short, "GET", "http://"+self+"/large", nil); err == nil {
			client.Do(r)
		}
	case 14:
		http.TimeoutHandler(http.HandlerFunc(sleep), 2*time.Millisecond, "late").ServeHTTP(w, r)
	default:
		call(ctx, "hi")
		get(ctx, "/leaf/1")
	}
}

type key int

// derived is for the memory of contexts that is used again: its calls are made by some of its own, over
// before a garbage collection or after it.
func derived(w http.ResponseWriter, r *http.Request) {
	ctx, n := r.Context(), r.URL.Query().Get("n")
	id, _ := strconv.Atoi(n)
	switch id % 3 {
	case 0: // leaves its context behind
	case 1:
		for i := 0; i < 2; i++ {
			var cancel context.CancelFunc
			ctx, cancel = context.WithCancel(ctx)
			defer cancel()
		}
		get(context.WithValue(ctx, key(1), n), "/leaf/"+n)
	case 2: // goes on when the handler is over
		go func() {
			time.Sleep(20 * time.Millisecond)
			query(ctx, "SELECT a FROM later_"+n)
		}()
	}
}

// jobs know of no request.
func jobs() {
	for i := 0; ; i++ {
		time.Sleep(2 * time.Millisecond)
		ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key(1), i))
		query(context.WithValue(context.WithValue(ctx, key(2), i), key(3), i), "SELECT a FROM job")
		cancel()
	}
}

func transaction(ctx context.Context) {
	tx, err := db.BeginTx(ctx, nil)
	check(err)
	defer tx.Rollback()
	stmt, err := tx.PrepareContext(ctx, "UPDATE a SET b = 1")
	check(err)
	defer stmt.Close()
	stmt.ExecContext(ctx)
	tx.Commit()
}

func sleep(w http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-time.After(10 * time.Millisecond):
	}
}

func main() {
	var err error
	db, err = sql.Open("empty", "")
	check(err)
	startRPC()
	http.HandleFunc("/five", five)
	http.HandleFunc("/mixture", mixture)
	http.HandleFunc("/derived", derived)
	http.HandleFunc("/sleep", sleep)
	http.HandleFunc("/leaf/", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	self = l.Addr().String()
	if os.Getenv("JOBS") != "" {
		go jobs()
	}
	go (&http.Server{ErrorLog: log.New(io.Discard, "", 0)}).Serve(l)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}
