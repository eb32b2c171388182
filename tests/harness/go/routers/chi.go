// SPDX-License-Identifier: Apache-2.0

//go:build chi

package main

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
)

func serve(l net.Listener) {
	r := chi.NewRouter()
	r.Use(withContext)
	r.Get("/", reply)
	r.Get("/static", reply)
	r.Get("/user/{id}", reply)
	r.Head("/user/{id}", reply)
	r.Post("/user/{id}/post/{post:[0-9]+}", reply)
	r.Get("/files/*", reply)
	r.Get("/with space/{id}", reply)
	r.Get("/slash/", reply)

	r.Route("/api/v1", func(r chi.Router) {
		r.Use(withDeadline)
		r.Get("/", reply)
		r.Get("/item/{id}", reply)
		r.Route("/deep", func(r chi.Router) {
			r.Use(withContext)
			r.HandleFunc("/leaf/{id}", reply)
		})
	})
	r.Route("/own", func(r chi.Router) {
		r.Use(withOwnContext)
		r.Get("/user/{id}", reply)
	})
	sub := chi.NewRouter()
	sub.Get("/leaf/{id}", reply)
	r.Mount("/mounted/{tenant}", sub)
	r.Mount("/foreign", http.HandlerFunc(reply))
	r.Group(func(r chi.Router) {
		r.Use(answering)
		r.Get("/blocked/{id}", reply)
	})
	guarded := chi.NewRouter()
	guarded.Use(answering)
	guarded.Get("/{id}", reply)
	r.Mount("/guarded", guarded)
	contexts := func(w http.ResponseWriter, r *http.Request) {
		callWith(map[string]context.Context{"request": r.Context()})
	}
	r.Get("/contexts", contexts)
	r.Get("/deadline/contexts", withDeadline(http.HandlerFunc(contexts)).ServeHTTP)
	serveHTTP(l, r)
}

type ownContext struct {
	began time.Time
	context.Context
}

// withOwnContext hands on a context that does not begin with its parent.
func withOwnContext(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(&ownContext{time.Now(), r.Context()}))
	})
}

func withDeadline(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
