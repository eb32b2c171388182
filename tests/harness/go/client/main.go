// SPDX-License-Identifier: Apache-2.0

// The load: N requests over C connections to harness/go/httpserver, each with an id that is in its
// path, query, User-Agent, X-Request-Id and traceparent, and a status chosen by the id. Every answer
// is compared byte by byte with what the server must say. Prints one JSON object: what was sent, when
// (wall clock), and what went wrong.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

var (
	addr     = flag.String("addr", "", "host:port of the server")
	count    = flag.Int("n", 200, "requests")
	conns    = flag.Int("c", 8, "connections")
	firstID  = flag.Int("first", 1, "id of the first request")
	mode     = flag.String("mode", "h1", "h1, close (a connection a request), pipeline, tls, h2, h2c, abort")
	path     = flag.String("path", "", "this path for all; {id} is replaced. Default: a mix of routes")
	headers  = flag.Int("headers", 0, "additional header lines a request")
	unparent = flag.Bool("no-traceparent", false, "send no traceparent")
	seconds  = flag.Float64("seconds", 0, "begin no request after so many seconds")
	rate     = flag.Float64("rate", 0, "requests a second at most; 0 is no limit")
	brief    = flag.Bool("brief", false, "print the totals only")
)

type report struct {
	Sent     int        `json:"sent"`
	Failed   int        `json:"failed"`
	Errors   []string   `json:"errors"`
	Requests []*request `json:"requests,omitempty"`
}

func main() {
	flag.Parse()
	var next int64 = int64(*firstID) - 1
	last := int64(*firstID + *count - 1)
	begun := time.Now()
	var mu sync.Mutex
	var out report
	take := func() *request {
		id := atomic.AddInt64(&next, 1)
		if id > last || (*seconds > 0 && time.Since(begun).Seconds() > *seconds) {
			return nil
		}
		if *rate > 0 {
			due := time.Duration(float64(id-int64(*firstID)) / *rate * float64(time.Second))
			time.Sleep(time.Until(begun.Add(due)))
		}
		return newRequest(int(id))
	}
	done := func(r *request, err error) {
		mu.Lock()
		defer mu.Unlock()
		out.Sent++
		if !*brief {
			out.Requests = append(out.Requests, r)
		}
		if err != nil {
			r.Failed = true
			out.Failed++
			if len(out.Errors) < 10 {
				out.Errors = append(out.Errors, fmt.Sprintf("request %d %s: %v", r.ID, r.URI, err))
			}
		}
	}
	var wg sync.WaitGroup
	for i := 0; i < *conns; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if *mode == "pipeline" {
				pipeline(take, done)
			} else {
				oneByOne(take, done)
			}
		}()
	}
	wg.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		os.Exit(1)
	}
}
