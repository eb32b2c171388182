// SPDX-License-Identifier: Apache-2.0

// A server that uses the library of bpf/README.md's example. Control as in httpserver: a JSON line with
// the port, ends when stdin closes.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"example.com/ledger"
)

func main() {
	book := ledger.Open("books.example")
	http.HandleFunc("/deposit", func(w http.ResponseWriter, r *http.Request) {
		sent, err := book.Deposit(r.Context(), "UPDATE accounts SET balance = 7 WHERE id = 5")
		fmt.Fprintln(w, sent, err)
	})
	http.HandleFunc("/closed", func(w http.ResponseWriter, r *http.Request) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			sent, err := book.Deposit(r.Context(), "UPDATE closed SET balance = "+r.FormValue("n"))
			fmt.Fprintln(w, sent, err)
		}()
		<-done
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "ledger:", err)
		os.Exit(1)
	}
	go http.Serve(l, nil)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}
