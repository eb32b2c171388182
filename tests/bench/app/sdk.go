// SPDX-License-Identifier: Apache-2.0

//go:build sdk

package main

import (
	"context"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Receives batches and forgets them: the SDK is measured without the cost of sending.
type noExporter struct{}

func (noExporter) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (noExporter) Shutdown(context.Context) error                          { return nil }

func init() {
	withSDK = func(h http.Handler) http.Handler {
		provider := trace.NewTracerProvider(trace.WithBatcher(noExporter{}))
		return otelhttp.NewHandler(h, "bench", otelhttp.WithTracerProvider(provider),
			otelhttp.WithPropagators(propagation.TraceContext{}))
	}
}
