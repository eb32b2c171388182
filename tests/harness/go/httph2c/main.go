// SPDX-License-Identifier: Apache-2.0

// HTTP/2 without TLS as it was done before net/http could: golang.org/x/net/http2/h2c around the
// handler. Control as in httpserver: a JSON line with the port, ends when stdin closes.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", echo)
	handler := h2c.NewHandler(mux, &http2.Server{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "httph2c:", err)
		os.Exit(1)
	}
	go http.Serve(l, handler)
	fmt.Printf("{\"h2c\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}

// echo answers as httpserver's does.
func echo(w http.ResponseWriter, r *http.Request) {
	length, _ := io.Copy(io.Discard, r.Body)
	id := r.Header.Get("X-Request-Id")
	w.Header().Set("X-Request-Id", id)
	if status, err := strconv.Atoi(r.URL.Query().Get("status")); err == nil {
		w.WriteHeader(status)
	}
	fmt.Fprintf(w, "%s %s id=%s body=%d\n", r.Method, r.RequestURI, id, length)
	n, _ := strconv.Atoi(id)
	io.WriteString(w, strings.Repeat(string(rune('a'+n%26)), n*37%1500))
}
