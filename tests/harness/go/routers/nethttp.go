// SPDX-License-Identifier: Apache-2.0

//go:build !fiber && !fasthttp

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

var (
	behindMux = flag.Bool("mux", false, "put a ServeMux with the pattern / before the router")
	strip     = flag.String("strip", "", "cut this prefix off before the router")
	timeout   = flag.Bool("timeout", false, "run the router under http.TimeoutHandler")
)

type contextKey struct{}

// serveHTTP serves a router that is an http.Handler.
func serveHTTP(l net.Listener, handler http.Handler) {
	if *timeout {
		handler = http.TimeoutHandler(handler, 10*time.Second, "too slow")
	}
	if *strip != "" {
		handler = http.StripPrefix(*strip, handler)
	}
	if *behindMux {
		mux := http.NewServeMux()
		mux.Handle("/", handler)
		handler = mux
	}
	s := &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
	s.Serve(l)
}

// withContext hands on a copy of the request, as nearly every middleware does.
func withContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, copied(r))
	})
}

func copied(r *http.Request) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), contextKey{}, r.Header.Get("X-Request-Id")))
}

// answering does not call what it stands before.
func answering(http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	})
}

// reply writes what the client of harness/go/client expects: the request, told back.
func reply(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	id, _ := strconv.Atoi(r.Header.Get("X-Request-Id"))
	status, err := strconv.Atoi(r.URL.Query().Get("status"))
	if err != nil {
		status = http.StatusOK
	}
	w.Header().Set("X-Request-Id", strconv.Itoa(id))
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s %s id=%d body=%d\n", r.Method, r.RequestURI, id, len(body))
	io.WriteString(w, strings.Repeat(string(rune('a'+id%26)), id*37%1500))
}
