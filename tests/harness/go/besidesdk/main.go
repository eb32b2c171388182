// SPDX-License-Identifier: Apache-2.0

// A server with an OpenTelemetry SDK inside: otelhttp makes the requests' spans, some are made by
// hand, and database/sql and the HTTP client are left to others. -idle: the SDK is linked, but nobody
// uses it. Control as in httpserver: a JSON line with the port, ends when stdin closes; "spans" asks
// for the SDK's spans.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

// memory is an exporter.
type memory struct {
	mu    sync.Mutex
	spans []map[string]any
}

func (m *memory) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range spans {
		m.spans = append(m.spans, map[string]any{
			"name": s.Name(), "kind": int(s.SpanKind()),
			"trace_id": s.SpanContext().TraceID().String(),
			"span_id":  s.SpanContext().SpanID().String(), "parent_id": s.Parent().SpanID().String()})
	}
	return nil
}

func (m *memory) Shutdown(context.Context) error { return nil }

func (m *memory) take() []map[string]any {
	m.mu.Lock()
	defer m.mu.Unlock()
	spans := m.spans
	m.spans = nil
	return spans
}

var db *sql.DB

func query(ctx context.Context, text string) {
	rows, err := db.QueryContext(ctx, text)
	if err != nil {
		fmt.Fprintln(os.Stderr, "besidesdk:", err)
		return
	}
	rows.Close()
}

func work(w http.ResponseWriter, r *http.Request) {
	query(r.Context(), "SELECT 1 FROM below_server")
	ctx, span := otel.Tracer("example.test/beside").Start(r.Context(), "by hand")
	query(ctx, "SELECT 1 FROM below_hand")
	inner, cancel := context.WithCancel(ctx)
	query(inner, "SELECT 1 FROM below_cancel")
	cancel()
	span.End()
	query(r.Context(), "SELECT 1 FROM after_hand")
}

// Its parent came with the request, but nobody made a span of it: the SDK only knows what it extracted.
func extracted(w http.ResponseWriter, r *http.Request) {
	ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	query(ctx, "SELECT 1 FROM extracted")
}

func call(w http.ResponseWriter, r *http.Request) {
	request, _ := http.NewRequestWithContext(r.Context(), "GET", "http://"+r.Host+"/raw", nil)
	if answer, err := http.DefaultClient.Do(request); err == nil {
		answer.Body.Close()
	}
}

func main() {
	idle := flag.Bool("idle", false, "do not use the SDK")
	unsampled := flag.Bool("unsampled", false, "the SDK samples nothing")
	flag.Parse()
	exporter := &memory{}
	sampler := trace.AlwaysSample()
	if *unsampled {
		sampler = trace.NeverSample()
	}
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter), trace.WithSampler(sampler))
	if !*idle {
		otel.SetTracerProvider(provider)
		otel.SetTextMapPropagator(propagation.TraceContext{})
	}
	db, _ = sql.Open("nothing", "")
	mux := http.NewServeMux()
	register(mux)
	mux.HandleFunc("/extracted", extracted)
	mux.HandleFunc("/raw", func(http.ResponseWriter, *http.Request) {})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "besidesdk:", err)
		os.Exit(1)
	}
	go http.Serve(l, mux)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	for in := bufio.NewReader(os.Stdin); ; {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			return
		}
		if line == "spans\n" {
			out, _ := json.Marshal(map[string]any{"spans": exporter.take()})
			fmt.Println(string(out))
		}
	}
}
