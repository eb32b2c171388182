// SPDX-License-Identifier: Apache-2.0

//go:build fasthttp

package main

import (
	"context"
	"flag"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

var (
	recovers = flag.Bool("recover", false, "answer 500 when the handler panics")
	lean     = flag.Bool("lean", false, "Server.ReduceMemoryUsage")
	verbatim = flag.Bool("verbatim", false, "Server.DisableHeaderNamesNormalizing")
)

func serve(l net.Listener) {
	s := &fasthttp.Server{Handler: handle, ReduceMemoryUsage: *lean,
		DisableHeaderNamesNormalizing: *verbatim}
	s.Serve(l)
}

func handle(ctx *fasthttp.RequestCtx) {
	path := string(ctx.Path())
	if *recovers {
		defer func() {
			if recover() != nil {
				ctx.SetStatusCode(500)
			}
		}()
	}
	switch {
	case strings.HasPrefix(path, "/panic/"):
		panic("fasthttp")
	case path == "/hijack":
		ctx.SetStatusCode(101)
		ctx.Hijack(func(c net.Conn) { c.Close() })
	case path == "/silent":
		ctx.Hijack(func(c net.Conn) { c.Close() })
		ctx.HijackSetNoResponse(true)
	case path == "/timeout":
		ctx.TimeoutErrorWithCode("too slow", 408)
		time.Sleep(time.Millisecond)
	case path == "/call":
		called := make(chan error)
		go func() { called <- call(context.WithValue(ctx, contextKey{}, 1), ctx.LocalAddr()) }()
		if <-called != nil {
			ctx.SetStatusCode(502)
		}
	default:
		reply(ctx)
	}
}

type contextKey struct{}

// call asks this server for something else, through net/http.
func call(ctx context.Context, self net.Addr) error {
	r, err := http.NewRequestWithContext(ctx, "GET", "http://"+self.String()+"/called", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
	return err
}
