// SPDX-License-Identifier: Apache-2.0

// The server that the benchmark loads: a middleware that gives the request a context of its own, a
// ServeMux with path parameters, small answers. -sdk puts otelhttp around it, as a team would that
// instruments by hand; it is linked in either way, so that both are the same program.
//
// Prints a JSON line when it is ready and ends when stdin closes. -storm serves no port but
// connections in memory, as fast as it can or at -rate, once a line comes on stdin: a producer of
// spans that no network slows down.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

var (
	sdk     = flag.Bool("sdk", false, "trace by the OpenTelemetry SDK")
	storm   = flag.Bool("storm", false, "serve requests made up in memory")
	rate    = flag.Float64("rate", 0, "with -storm: requests a second, 0: as many as possible")
	seconds = flag.Float64("seconds", 2, "with -storm: for how long")
)

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
	flag.Parse()
	h := handler()
	if *sdk {
		h = withSDK(h)
	}
	if *storm {
		runStorm(h)
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench app:", err)
		os.Exit(1)
	}
	go http.Serve(l, h)
	fmt.Printf("{\"port\": %d}\n", l.Addr().(*net.TCPAddr).Port)
	io.Copy(io.Discard, os.Stdin)
}

func runStorm(h http.Handler) {
	fmt.Println("{}")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return
	}
	start := time.Now()
	served := serveStorm(h, *rate, time.Duration(*seconds*float64(time.Second)))
	fmt.Printf("{\"requests\": %d, \"seconds\": %f}\n", served, time.Since(start).Seconds())
	io.Copy(io.Discard, os.Stdin)
}
