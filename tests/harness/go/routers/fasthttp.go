// SPDX-License-Identifier: Apache-2.0

//go:build fasthttp

package main

import (
	"flag"
	"net"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

var (
	recovers = flag.Bool("recover", false, "answer 500 when the handler panics")
	lean     = flag.Bool("lean", false, "Server.ReduceMemoryUsage")
)

func serve(l net.Listener) {
	s := &fasthttp.Server{Handler: handle, ReduceMemoryUsage: *lean}
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
		ctx.Hijack(func(c net.Conn) { c.Close() })
	case path == "/timeout":
		ctx.TimeoutErrorWithCode("too slow", 408)
		time.Sleep(time.Millisecond)
	default:
		reply(ctx)
	}
}
