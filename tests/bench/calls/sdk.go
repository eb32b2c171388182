// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"net/http"

	"github.com/XSAM/otelsql"
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/grpc/stats"
)

// Receives batches and forgets them: the SDK is measured without the cost of sending.
type noExporter struct{}

func (noExporter) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (noExporter) Shutdown(context.Context) error                          { return nil }

func startSDK() {
	otel.SetTracerProvider(trace.NewTracerProvider(trace.WithBatcher(noExporter{})))
	otel.SetTextMapPropagator(propagation.TraceContext{})
}

func tracedTransport(next http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(next) }

func clientHandler() stats.Handler { return otelgrpc.NewClientHandler() }
func serverHandler() stats.Handler { return otelgrpc.NewServerHandler() }

// One span a call, as gospan has: otelsql makes more of them if it is not told otherwise.
func tracedDB(connector driver.Connector) *sql.DB {
	return otelsql.OpenDB(connector, otelsql.WithSpanOptions(otelsql.SpanOptions{
		OmitConnResetSession: true, OmitRows: true, OmitConnectorConnect: true,
	}))
}

// A span by hand, as a team puts around its own functions. Without the SDK it is what otel's API
// does by itself: nothing.
func prepareByHand(_, _ string) (func(context.Context) error, error) {
	tracer := otel.Tracer("example.test/bench")
	return func(ctx context.Context) error {
		_, span := tracer.Start(ctx, "price")
		span.SetAttributes(attribute.String("item.name", "pear"), attribute.Int("item.cnt", 42))
		span.End()
		return nil
	}, nil
}
