// SPDX-License-Identifier: Apache-2.0

// A program with an OpenTelemetry SDK, for tests: what is instrumented, build tags say (the other
// files). A line of JSON on stdin is an order, a line of JSON the answer, with the spans that the SDK
// has made since the last one. -idle: the SDK is linked, but nobody uses it.
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
	"runtime"
	"sync"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	api "go.opentelemetry.io/otel/trace"
)

// memory is an exporter.
type memory struct {
	mu    sync.Mutex
	spans []map[string]interface{}
}

func (m *memory) ExportSpans(_ context.Context, spans []trace.ReadOnlySpan) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range spans {
		parent := ""
		if s.Parent().SpanID().IsValid() {
			parent = s.Parent().SpanID().String()
		}
		m.spans = append(m.spans, map[string]interface{}{
			"name": s.Name(), "kind": int(s.SpanKind()), "parent_id": parent,
			"trace_id": s.SpanContext().TraceID().String(),
			"span_id":  s.SpanContext().SpanID().String(),
			"state":    s.SpanContext().TraceState().String(), "remote": s.Parent().IsRemote()})
	}
	return nil
}

func (m *memory) Shutdown(context.Context) error { return nil }

func (m *memory) take() []map[string]interface{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	spans := m.spans
	m.spans = nil
	return spans
}

// open counts the spans that were begun and have not reached the exporter yet: a server's span ends
// when its client has long gone on.
type open struct{ sync.WaitGroup }

func (o *open) OnStart(context.Context, trace.ReadWriteSpan) { o.Add(1) }
func (o *open) OnEnd(trace.ReadOnlySpan)                     { o.Done() }
func (o *open) Shutdown(context.Context) error               { return nil }
func (o *open) ForceFlush(context.Context) error             { return nil }

// An order is done below a span by hand, whose parent it says, if any.
type order struct {
	Do        string
	URL       string
	Via       string
	Target    string
	Trace     string // trace id of a remote parent
	State     string // its tracestate
	Unsampled bool   // its flag
}

var (
	orders   = map[string]func(context.Context, order) error{}
	handlers = http.NewServeMux()
	web      http.Handler // nil: handlers
	ports    = map[string]interface{}{"pid": os.Getpid(), "go": runtime.Version()}
	tracer   api.Tracer
	db       *sql.DB
)

// obey runs the order on a goroutine of its own, as a server does.
func (o order) obey() error {
	done := make(chan error)
	go func() {
		f := orders[o.Do]
		if f == nil {
			done <- fmt.Errorf("no such order: %q", o.Do)
			return
		}
		ctx, span := tracer.Start(o.parent(), "by hand")
		err := f(ctx, o)
		span.End()
		done <- err
	}()
	return <-done
}

func (o order) parent() context.Context {
	if o.Trace == "" {
		return context.Background()
	}
	id, err := api.TraceIDFromHex(o.Trace)
	check(err)
	state, err := api.ParseTraceState(o.State)
	check(err)
	flags := api.FlagsSampled
	if o.Unsampled {
		flags = 0
	}
	return api.ContextWithRemoteSpanContext(context.Background(), api.NewSpanContext(api.SpanContextConfig{
		TraceID: id, SpanID: api.SpanID{1}, TraceFlags: flags, TraceState: state, Remote: true}))
}

func query(ctx context.Context, text string) {
	rows, err := db.QueryContext(ctx, text)
	check(err)
	rows.Close()
}

// work is what handlers do: queries below their span, below one by hand, and on another goroutine.
func work(ctx context.Context) {
	query(ctx, "SELECT 1 FROM below_server")
	hand, span := tracer.Start(ctx, "in handler")
	query(hand, "SELECT 1 FROM below_hand")
	span.End()
	done := make(chan struct{})
	go func() {
		defer close(done)
		query(ctx, "SELECT 1 FROM elsewhere")
	}()
	<-done
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	return l
}

func port(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }

func say(v interface{}) {
	line, err := json.Marshal(v)
	check(err)
	os.Stdout.Write(append(line, '\n'))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sdkpeer:", err)
		os.Exit(1)
	}
}

var starts []func() // of the other files, once there is a provider

func main() {
	idle := flag.Bool("idle", false, "do not use the SDK")
	flag.Parse()
	exporter := &memory{}
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter),
		trace.WithSampler(trace.ParentBased(trace.AlwaysSample())))
	unended := &open{}
	provider.RegisterSpanProcessor(unended) // behind the exporter's
	if !*idle {
		otel.SetTracerProvider(provider)
		otel.SetTextMapPropagator(propagation.TraceContext{})
	}
	tracer = otel.Tracer("example.test/peer")
	var err error
	db, err = sql.Open("nothing", "")
	check(err)
	for _, start := range starts {
		start()
	}
	handlers.HandleFunc("/raw", func(http.ResponseWriter, *http.Request) {})
	if web == nil {
		web = handlers
	}
	l := listen()
	go http.Serve(l, web)
	ports["http"] = port(l)
	say(ports)
	for in := bufio.NewReader(os.Stdin); ; {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return
		}
		check(err)
		var o order
		check(json.Unmarshal(line, &o))
		failed := ""
		if o.Do != "spans" {
			if err := o.obey(); err != nil {
				failed = err.Error()
			}
		}
		unended.Wait()
		say(map[string]interface{}{"error": failed, "spans": exporter.take()})
	}
}
