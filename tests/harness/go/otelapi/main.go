// SPDX-License-Identifier: Apache-2.0

// A server whose handlers make spans by hand, with the OpenTelemetry API alone: no SDK. Control as in
// httpserver: a JSON line with the port, ends when stdin closes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

var tracer = otel.Tracer("example.test/shop", trace.WithInstrumentationVersion("1.2.3"))

// Kept by the compiler from being known where they are used.
var (
	kind   = trace.SpanKindProducer
	moment = time.Unix(1700000000, 123456789)
)

// Spans in spans, by contexts; the innermost one from the context, not from Start's result.
func nested(w http.ResponseWriter, r *http.Request) {
	ctx, outer := tracer.Start(r.Context(), "outer")
	defer outer.End()
	middle, span := tracer.Start(ctx, "middle")
	inner, cancel := context.WithTimeout(middle, time.Minute)
	tracer.Start(inner, "inner leaf")
	deep, _ := tracer.Start(inner, "inner")
	trace.SpanFromContext(deep).SetAttributes(attribute.String("from", "context"))
	trace.SpanFromContext(deep).End()
	cancel()
	span.End()
	_, sibling := tracer.Start(ctx, "sibling")
	sibling.End()
}

// Every kind of attribute, in an option and later.
func attributes(w http.ResponseWriter, r *http.Request) {
	_, span := tracer.Start(r.Context(), "attributes", trace.WithAttributes(
		attribute.String("start.text", "Grüße"), attribute.Int("start.number", -5)),
		trace.WithAttributes(attribute.Bool("start.yes", true)))
	span.SetAttributes(attribute.Bool("no", false), attribute.Float64("ratio", 0.25),
		attribute.Int64("large", 1<<62), attribute.String("empty", ""),
		attribute.String("start.text", "again"))
	span.SetAttributes(attribute.StringSlice("names", []string{"one", "", "three"}),
		attribute.IntSlice("numbers", []int{1, -2, 3, 4, 5}),
		attribute.Float64Slice("ratios", []float64{0.5}), attribute.BoolSlice("flags", []bool{true, false}),
		attribute.StringSlice("nobody", nil))
	span.End()
}

// More than a record holds.
func large(w http.ResponseWriter, r *http.Request) {
	_, span := tracer.Start(r.Context(), "large")
	text := make([]byte, 300)
	for i := range text {
		text[i] = 'a' + byte(i%26)
	}
	for i := 0; i < 40; i++ {
		span.SetAttributes(attribute.String(fmt.Sprintf("key.%02d", i), string(text)))
	}
	for i := 0; i < 20; i++ {
		span.AddEvent("too late")
	}
	span.SetStatus(codes.Error, "still said")
	span.End()
}

func events(w http.ResponseWriter, r *http.Request) {
	_, span := tracer.Start(r.Context(), "events")
	span.AddEvent("plain")
	span.AddEvent("with more", trace.WithAttributes(attribute.Int("n", 7), attribute.String("s", "t")),
		trace.WithTimestamp(moment))
	span.RecordError(errors.New("out of stock"))
	span.RecordError(fmt.Errorf("order: %w", context.DeadlineExceeded),
		trace.WithAttributes(attribute.Bool("retried", true)))
	span.RecordError(&net.OpError{Op: "dial", Net: "tcp", Source: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7), Port: 4711},
		Addr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 80}, Err: errors.New("no way")})
	span.RecordError(nil)
	span.End(trace.WithTimestamp(moment.Add(3 * time.Second)))
	_, unset := tracer.Start(r.Context(), "unset times", trace.WithTimestamp(time.Time{}))
	unset.AddEvent("now", trace.WithTimestamp(time.Time{}))
	unset.End(trace.WithTimestamp(time.Time{}))
}

func status(w http.ResponseWriter, r *http.Request) {
	_, failed := tracer.Start(r.Context(), "failed")
	failed.SetStatus(codes.Error, "no such order")
	failed.End()
	_, ok := tracer.Start(r.Context(), "ok")
	ok.SetStatus(codes.Error, "not the last word")
	ok.SetStatus(codes.Ok, "ignored")
	ok.SetStatus(codes.Error, "too late")
	ok.End()
	_, renamed := tracer.Start(r.Context(), "first name")
	renamed.SetName("second name")
	renamed.End()
	renamed.SetName("after the end")
	renamed.End()
}

func options(w http.ResponseWriter, r *http.Request) {
	_, span := tracer.Start(r.Context(), "kind", trace.WithSpanKind(kind), trace.WithTimestamp(moment))
	span.End()
	ctx, root := tracer.Start(r.Context(), "root", trace.WithNewRoot())
	_, below := tracer.Start(ctx, "below root", trace.WithSpanKind(trace.SpanKindClient))
	below.End()
	root.End()
	_, linked := tracer.Start(r.Context(), "linked",
		trace.WithLinks(link(), trace.Link{SpanContext: below.SpanContext()})) // which has no ids
	linked.End()
	if _, ok := linked.(interface{ AddLink(trace.Link) }); ok { // from v1.27
		_, span := tracer.Start(r.Context(), "link added")
		span.(interface{ AddLink(trace.Link) }).AddLink(link())
		span.End()
	}
	_, other := otel.Tracer("example.test/other").Start(r.Context(), "other tracer")
	other.End()
}

func link() trace.Link {
	return trace.Link{
		SpanContext: trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1, 2, 3, 15: 16}, SpanID: trace.SpanID{1, 2, 7: 8}, TraceFlags: 1}),
		Attributes: []attribute.KeyValue{attribute.String("why", "batch")},
	}
}

// What a message of a queue does: the parent came with it.
func remote(w http.ResponseWriter, r *http.Request) {
	carrier := propagation.HeaderCarrier(http.Header{"Traceparent": r.Header["X-Message"]})
	ctx := propagation.TraceContext{}.Extract(r.Context(), carrier)
	_, span := tracer.Start(ctx, "consume", trace.WithSpanKind(trace.SpanKindConsumer))
	span.End()
}

// Spans that nobody ends, and then one that somebody does.
func leak(w http.ResponseWriter, r *http.Request) {
	for i := 0; i < 20000; i++ {
		tracer.Start(context.Background(), "leaked")
	}
	runtime.GC()
	_, span := tracer.Start(r.Context(), "not leaked")
	span.End()
}

// On other goroutines, all below one.
func fan(w http.ResponseWriter, r *http.Request) {
	ctx, span := tracer.Start(r.Context(), "fan")
	done := make(chan bool)
	for i := 0; i < 8; i++ {
		go func() {
			ctx, one := tracer.Start(ctx, "one of many")
			_, two := tracer.Start(ctx, "below one")
			two.End()
			one.End()
			done <- true
		}()
	}
	for i := 0; i < 8; i++ {
		<-done
	}
	span.End()
}

func main() {
	for path, handler := range map[string]http.HandlerFunc{
		"/nested": nested, "/attributes": attributes, "/large": large, "/events": events,
		"/status": status, "/options": options, "/remote": remote, "/leak": leak, "/fan": fan,
	} {
		http.HandleFunc(path, handler)
	}
	http.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) {})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "otelapi:", err)
		os.Exit(1)
	}
	go http.Serve(l, nil)
	fmt.Printf("{\"http\": %d, \"pid\": %d}\n", l.Addr().(*net.TCPAddr).Port, os.Getpid())
	io.Copy(io.Discard, os.Stdin)
}
