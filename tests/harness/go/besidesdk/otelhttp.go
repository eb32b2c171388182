// SPDX-License-Identifier: Apache-2.0

//go:build !bare

package main

import (
	"io"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// By otelhttp's own transport, which makes the call's span.
func covered(w http.ResponseWriter, r *http.Request) {
	client := &http.Client{Transport: otelhttp.NewTransport(http.DefaultTransport)}
	request, _ := http.NewRequestWithContext(r.Context(), "GET", "http://"+r.Host+"/raw", nil)
	if answer, err := client.Do(request); err == nil {
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

func register(mux *http.ServeMux) {
	mux.Handle("/work", otelhttp.NewHandler(http.HandlerFunc(work), "work"))
	mux.Handle("/call", otelhttp.NewHandler(http.HandlerFunc(call), "call"))
	mux.Handle("/covered", otelhttp.NewHandler(http.HandlerFunc(covered), "covered"))
}
