// SPDX-License-Identifier: Apache-2.0

//go:build httprouter

package main

import (
	"net"
	"net/http"

	"github.com/julienschmidt/httprouter"
)

func serve(l net.Listener) {
	r := httprouter.New()
	answer := http.HandlerFunc(reply)
	r.Handler("GET", "/", answer)
	r.Handler("GET", "/static", answer)
	r.Handler("GET", "/stats/:kind", answer)
	r.Handler("GET", "/user/:id", answer)
	r.Handler("HEAD", "/user/:id", answer)
	r.Handler("GET", "/user/:id/post/:post", answer)
	r.Handler("POST", "/user/:id/post/:post", answer)
	r.Handler("GET", "/files/*path", answer)
	r.Handler("GET", "/with space/:id", answer)
	r.Handler("GET", "/api/v1/item/:id", withContext(answer))
	r.Handler("GET", "/slash/", answer)
	r.Handler("GET", "/blocked/:id", answering(answer))
	serveHTTP(l, withContext(r))
}
