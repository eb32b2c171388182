// SPDX-License-Identifier: Apache-2.0

//go:build sdk

package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
)

var servers struct{ begun, ended atomic.Int64 }

// printer is an exporter: a line "span KIND PATH TRACE SPAN PARENT FLAGS HEADER" a span. PARENT is -
// if there is none; FLAGS are those that came with it, and "remote"; HEADER is what the SDK makes of
// the span for others.
type printer struct{}

func (printer) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	for _, s := range spans {
		parent, flags, header := "-", "-", propagation.MapCarrier{}
		if s.Parent().SpanID().IsValid() {
			parent, flags = s.Parent().SpanID().String(), s.Parent().TraceFlags().String()
		}
		if s.Parent().IsRemote() {
			flags += "remote"
		}
		propagation.TraceContext{}.Inject(api.ContextWithSpanContext(context.Background(), s.SpanContext()),
			header)
		path := s.Name()
		if path[0] != '/' { // otelgrpc's have none in front
			path = "/" + path
		}
		say("span %d %s %s %s %s %s %s", s.SpanKind(), path, s.SpanContext().TraceID(),
			s.SpanContext().SpanID(), parent, flags, header["traceparent"])
		if s.SpanKind() == api.SpanKindServer {
			servers.ended.Add(1)
		}
	}
	return nil
}

func (printer) Shutdown(context.Context) error { return nil }

// counter knows which spans are to come.
type counter struct{ trace.SpanProcessor }

func (c counter) OnStart(ctx context.Context, s trace.ReadWriteSpan) {
	if s.SpanKind() == api.SpanKindServer {
		servers.begun.Add(1)
	}
	c.SpanProcessor.OnStart(ctx, s)
}

// A client may have its answer before the server's span has ended.
func waitForServers() {
	for i := 0; i < 1000 && servers.ended.Load() != servers.begun.Load(); i++ {
		time.Sleep(10 * time.Millisecond)
	}
}

func init() {
	otel.SetTracerProvider(trace.NewTracerProvider(
		trace.WithSpanProcessor(counter{trace.NewSimpleSpanProcessor(printer{})})))
	otel.SetTextMapPropagator(propagation.TraceContext{})
	byPath := otelhttp.WithSpanNameFormatter(func(_ string, r *http.Request) string { return r.URL.Path })
	instrumented, settle = true, waitForServers
	wrapHandler = func(h http.Handler) http.Handler { return otelhttp.NewHandler(h, "", byPath) }
	wrapTransport = func(t http.RoundTripper) http.RoundTripper { return otelhttp.NewTransport(t, byPath) }
	serverOptions = append(serverOptions, grpc.StatsHandler(otelgrpc.NewServerHandler()))
	clientOptions = append(clientOptions, grpc.WithStatsHandler(otelgrpc.NewClientHandler()))
}
