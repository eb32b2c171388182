// SPDX-License-Identifier: Apache-2.0

// The server that the benchmark loads: a middleware that gives the request a context of its own, a
// ServeMux with path parameters, small answers. Built with the tag sdk it has otelhttp around it, as a
// team would that instruments by hand.
//
// Prints a JSON line when it listens and ends when stdin closes. A line "SECONDS RATE HEADERS" on
// stdin has it serve requests of connections in memory for so long, at that rate (0: as many as it
// can), and print how many: a load that no network disturbs, and a producer of many spans.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// Of sdk.go: the handler, traced.
var withSDK = func(h http.Handler) http.Handler { return h }

type userKey struct{}

func withUser(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), userKey{}, "someone")))
	})
}

func item(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"id": r.PathValue("id"), "user": r.Context().Value(userKey{})})
}

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", item)
	mux.HandleFunc("POST /order/{id}/pay", item)
	return withUser(mux)
}

func main() {
	h := withSDK(handler())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench app:", err)
		os.Exit(1)
	}
	go http.Serve(l, h)
	fmt.Printf("{\"port\": %d}\n", l.Addr().(*net.TCPAddr).Port)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var seconds, rate float64
		var headers string
		fmt.Sscan(lines.Text(), &seconds, &rate, &headers)
		start := time.Now()
		served := serveStorm(h, headers, rate, time.Duration(seconds*float64(time.Second)))
		fmt.Printf("{\"requests\": %d, \"seconds\": %f}\n", served, time.Since(start).Seconds())
	}
}
