// SPDX-License-Identifier: Apache-2.0

//go:build bare

package main

import (
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
)

// Without otelhttp: the call's span is made by hand.
func byHand(w http.ResponseWriter, r *http.Request) {
	ctx, span := otel.Tracer("example.test/beside").Start(r.Context(), "fetch",
		trace.WithSpanKind(trace.SpanKindClient))
	call(w, r.WithContext(ctx))
	span.End()
}

func register(mux *http.ServeMux) {
	mux.HandleFunc("/hand", byHand)
}
