// SPDX-License-Identifier: Apache-2.0

// A server that already makes spans by hand: the OpenTelemetry SDK is linked in. Control as in
// httpserver: a JSON line with the port, ends when stdin closes.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"go.opentelemetry.io/otel/sdk/trace"
)

func main() {
	provider := trace.NewTracerProvider()
	defer provider.Shutdown(context.Background())
	tracer := provider.Tracer("httpotel")
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_, span := tracer.Start(r.Context(), "by hand")
		defer span.End()
		fmt.Fprintln(w, span.SpanContext().TraceID())
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "httpotel:", err)
		os.Exit(1)
	}
	go http.Serve(l, nil)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}
