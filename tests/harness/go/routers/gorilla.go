// SPDX-License-Identifier: Apache-2.0

//go:build gorilla

package main

import (
	"flag"
	"net"
	"net/http"

	"github.com/gorilla/mux"
)

var custom = flag.Bool("custom", false, "handlers of our own for requests without a route")

func serve(l net.Listener) {
	r := mux.NewRouter()
	answer := http.HandlerFunc(reply)
	if *custom {
		r.NotFoundHandler = answer
	}
	r.Handle("/", answer)
	r.Handle("/static", answer)
	r.Handle("/user/{id}", answer).Methods("GET", "HEAD")
	r.Handle("/user/{id}/post/{post:[0-9]+}", answer).Methods("POST")
	r.PathPrefix("/files/").Handler(answer)
	r.Handle("/with space/{id}", answer)
	r.Host("hosted.test").Handler(answer)

	api := r.PathPrefix("/api/v1").Subrouter()
	api.Handle("/item/{id}", withContext(answer)).Methods("GET")
	api.PathPrefix("/deep").Subrouter().Handle("/leaf/{id}", answer)
	if *custom {
		api.NotFoundHandler = answer
	}
	strict := r.PathPrefix("/strict").Subrouter().StrictSlash(true)
	strict.Handle("/with/", answer)
	strict.Handle("/without", answer)
	r.Handle("/blocked/{id}", answering(answer))

	inner := mux.NewRouter()
	inner.Handle("/nested/leaf/{id}", answer)
	r.PathPrefix("/nested/").Handler(inner)
	serveHTTP(l, withContext(r))
}
