// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

var selfAddress string

type contextKey struct{}

// register adds handler under the pattern that the mux in force understands: with is for the mux of
// Go 1.22, without for the older one. The two match the same requests of the tests.
func register(mux *http.ServeMux, with, without string, handler http.HandlerFunc) {
	wildcards := newMux && !*oldMux && !strings.Contains(os.Getenv("GODEBUG"), "httpmuxgo121=1")
	if wildcards {
		mux.HandleFunc(with, handler)
	} else if without != "" {
		mux.HandleFunc(without, handler)
	}
}

func newHandler() http.Handler {
	mux := http.NewServeMux()
	register(mux, "GET /item/{id}", "/item/", echo)
	register(mux, "POST /order/{id}", "/order/", echo)
	register(mux, "/files/{path...}", "/files/", echo)
	register(mux, "example.test/hosted/{id}", "example.test/hosted/", echo)
	register(mux, "/{$}", "", echo)
	mux.HandleFunc("/exact", echo)
	mux.HandleFunc("/slow", slow)
	mux.HandleFunc("/batch", func(w http.ResponseWriter, r *http.Request) {
		inner, _ := http.NewRequestWithContext(r.Context(), "GET", "/exact", nil)
		mux.ServeHTTP(w, inner)
	})
	mux.HandleFunc("/fail", fail)
	register(mux, "/panic/{kind}", "/panic/", panics)
	register(mux, "/recovered/{kind}", "/recovered/", recovering(panics))
	register(mux, "/hijack/{kind}", "/hijack/", hijack)
	mux.HandleFunc("/nothing", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/early", early)
	mux.HandleFunc("/superfluous", superfluous)
	register(mux, "/recurse/{id}", "/recurse/", recurse)
	register(mux, "/body/{size}", "/body/", body)
	register(mux, "/wrapped/{id}", "/wrapped/", wrapped(echo))
	register(mux, "/timeout/{id}", "/timeout/",
		http.TimeoutHandler(http.HandlerFunc(slow), 100*time.Millisecond, "too slow").ServeHTTP)

	leaf := http.NewServeMux()
	register(leaf, "GET /leaf/{id}", "/leaf/", echo)
	inner := http.NewServeMux()
	register(inner, "GET /user/{id}", "/user/", echo)
	inner.Handle("/deep/", http.StripPrefix("/deep", leaf))
	mux.Handle("/api/", http.StripPrefix("/api", inner))

	plain := http.NewServeMux()
	register(plain, "GET /nested/{id}", "/nested/", echo)
	mux.Handle("/nested/", plain)

	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: selfAddress})
	proxy.FlushInterval = -1
	mux.Handle("/proxy/", http.StripPrefix("/proxy", proxy))

	if *bare {
		return counting(mux)
	}
	return counting(withContext(mux))
}

// counting is the ground truth of how many handlers ran.
func counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		atomic.AddInt64(&started, 1)
		defer atomic.AddInt64(&finished, 1)
		next.ServeHTTP(w, r)
	})
}

// withContext hands on a copy of the request, as nearly every middleware does.
func withContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), contextKey{}, r.Header.Get("X-Request-Id"))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recovering answers 503 when the handler panics, as many frameworks do.
func recovering(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		}()
		next(w, r)
	}
}

type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func wrapped(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		next(&recorder{ResponseWriter: w}, r)
	}
}
