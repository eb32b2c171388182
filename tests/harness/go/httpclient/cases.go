// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// A handler that calls ?to= in some relation to its own request; calls are told apart by ?label=.
type scene struct {
	r  *http.Request
	to string
}

type contextKey struct{}

// get calls the other service, with LABEL in the URL, through VIA.
func (s scene) getVia(ctx context.Context, via, label string) {
	response, err := transports[via].RoundTrip(newRequest(ctx, s.to+"?label="+label))
	if err == nil {
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
}

func (s scene) get(ctx context.Context, label string) {
	s.getVia(ctx, "plain", label)
}

var cases = map[string]func(scene){
	"one":        func(s scene) { s.get(s.r.Context(), s.r.URL.Query().Get("label")) },
	"none":       func(s scene) {},
	"fanout":     fanOut,
	"errgroup":   errGroup,
	"pool":       func(s scene) { s.pool(s.r.Context(), "pool") },
	"poolbare":   func(s scene) { s.pool(context.Background(), "poolbare") },
	"outlive":    outlive,
	"deep":       deep,
	"hire":       hire,
	"order":      order,
	"flight":     flight,
	"recovered":  recovered,
	"deeper":     deeper,
	"again":      again,
	"lastwords":  lastWords,
	"goexit":     goexit,
	"background": func(s scene) { s.get(context.Background(), "background") },
	"nested":     nested,
	"nilcontext": func(s scene) { transports["plain"].RoundTrip(bareRequest(s.to)) },
	"inside":     inside,
	"twice":      func(s scene) { s.get(s.r.Context(), "a"); s.get(s.r.Context(), "b") },
}

func oneCase(w http.ResponseWriter, r *http.Request) {
	run := cases[path.Base(r.URL.Path)]
	if run == nil {
		http.NotFound(w, r)
		return
	}
	run(scene{r, r.URL.Query().Get("to")})
	fmt.Fprintln(w, "done")
}

// each does F for each label, on a goroutine of its own, and waits for them.
func each(f func(label string), labels ...string) {
	var wg sync.WaitGroup
	for _, label := range labels {
		label := label
		wg.Add(1)
		go func() {
			defer wg.Done()
			f(label)
		}()
	}
	wg.Wait()
}

func fanOut(s scene) {
	each(func(label string) { s.get(s.r.Context(), label) }, "a", "b")
}

func errGroup(s scene) {
	group, ctx := errgroup.WithContext(s.r.Context())
	for _, label := range []string{"a", "b", "c"} {
		label := label
		group.Go(func() error {
			s.get(ctx, label)
			return nil
		})
	}
	group.Wait()
}

type job struct {
	ctx  context.Context
	s    scene
	as   string
	done chan struct{}
}

var jobs = make(chan job)

// startPool begins before any request.
func startPool() {
	for i := 0; i < 4; i++ {
		go func() {
			for j := range jobs {
				j.s.get(j.ctx, j.as)
				close(j.done)
			}
		}()
	}
}

func (s scene) pool(ctx context.Context, label string) {
	done := make(chan struct{})
	jobs <- job{ctx, s, label, done}
	<-done
}

// outlive returns while a goroutine of its goes on, which calls with the handler's context (over by
// then), with one that does not end with it, and with none.
func outlive(s scene) {
	ctx := s.r.Context()
	go func() {
		<-ctx.Done()
		time.Sleep(50 * time.Millisecond)
		s.get(ctx, "over")
		s.get(withoutCancel(ctx), "kept")
		s.get(context.Background(), "bare")
	}()
}

// deep calls with a context that is ?n= derivations of one ?kind= away from the request's, on a
// goroutine that knows nothing else of it.
func deep(s scene) {
	ctx := s.r.Context()
	n, _ := strconv.Atoi(s.r.URL.Query().Get("n"))
	for i := 0; i < n; i++ {
		var cancel context.CancelFunc = func() {}
		switch s.r.URL.Query().Get("kind") {
		case "timeout":
			ctx, cancel = context.WithTimeout(ctx, time.Minute)
		case "cancel":
			ctx, cancel = context.WithCancel(ctx)
		case "value":
			ctx = context.WithValue(ctx, contextKey{}, i)
		case "withoutcancel":
			ctx = withoutCancel(ctx)
		case "afterfunc":
			ctx = afterFunc(ctx)
		}
		defer cancel()
	}
	s.pool(ctx, "deep")
}

var orders = make(chan chan struct{})

// hire starts a worker whose first call comes when a later request orders it.
func hire(s scene) {
	to := s.to
	go func() {
		done := <-orders
		scene{nil, to}.get(context.Background(), "worker")
		close(done)
	}()
}

func order(scene) {
	done := make(chan struct{})
	orders <- done
	<-done
}

var flights singleflight.Group

// flight shares one call among all requests that come while it lasts.
func flight(s scene) {
	flights.Do("key", func() (interface{}, error) {
		s.get(s.r.Context(), "flight")
		return nil, nil
	})
}

// recovered panics inside a call, after one and before another.
func recovered(s scene) {
	s.get(s.r.Context(), "before")
	func() {
		defer func() { recover() }()
		s.getVia(s.r.Context(), "panicking", "panics")
	}()
	s.get(s.r.Context(), "after")
}

// lastWords are those of goroutines that end when their panic is recovered.
func lastWords(s scene) {
	each(func(label string) {
		swallow(func() { s.getVia(s.r.Context(), "panicking", label) })
	}, "a", "b")
}

func swallow(f func()) {
	defer func() { recover() }()
	f()
}

// dig calls f from far down the stack.
//
//go:noinline
func dig(depth int, f func()) int {
	var room [128]int
	if depth == 0 {
		f()
		return 0
	}
	room[depth] = dig(depth-1, f)
	return room[0] + depth
}

// deeper calls from further down the stack than the call was that a panic has unwound.
func deeper(s scene) {
	swallow(func() { s.getVia(s.r.Context(), "panicking", "panics") })
	dig(10, func() { s.get(s.r.Context(), "after") })
}

// again panics once more, from further down the stack.
func again(s scene) {
	swallow(func() { s.getVia(s.r.Context(), "panicking", "panics") })
	swallow(func() { dig(10, func() { panic("the handler's own") }) })
}

// goexit ends a goroutine inside a call; its deferred function calls once more.
func goexit(s scene) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.get(s.r.Context(), "deferred")
		s.getVia(s.r.Context(), "exiting", "exits")
	}()
	<-done
	s.get(s.r.Context(), "after")
}

func exit(*http.Request) (*url.URL, error) {
	runtime.Goexit()
	return nil, nil
}

// nested calls another handler of this process, which calls on.
func nested(s scene) {
	self := s.r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	in := fmt.Sprintf("http://%s/case/one?label=inner&to=%s", self, url.QueryEscape(s.to))
	response, err := transports["plain"].RoundTrip(newRequest(s.r.Context(), in))
	if err == nil {
		response.Body.Close()
	}
}

// inside calls while another call of the same goroutine is under way.
func inside(s scene) {
	ask := url.QueryEscape(s.to + "?label=inner")
	s.getVia(s.r.Context(), "asking", "outer&ask="+ask)
}

// bareRequest has neither context nor method.
func bareRequest(to string) *http.Request {
	u, err := url.Parse(to + "?label=nilcontext")
	check(err)
	return &http.Request{URL: u, Header: http.Header{}}
}
