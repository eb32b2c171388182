// SPDX-License-Identifier: Apache-2.0

// Clients and servers in one process, for tests of headers that are written into requests by others:
// `writer KIND[@ADDRESS]...` says where its servers are, "at KIND ADDRESS" each, and obeys a line on
// stdin at a time. KINDs are h1, h2 (both net/http), x2 (golang.org/x/net/http2) and grpc; with an
// ADDRESS, of another writer's server, there is no server of its own. It obeys
//
//	requests N  all sorts of requests one after the other, then N at the same time
//	crowd N     N requests, none of which is answered before all of them have come
//	report      nothing else than what is printed after each order:
//
// what the servers saw, a line a request: "saw PATH [TRACEPARENT...]". What did not arrive as it was
// sent, either way, is a line "bad PATH: WHY". "made KIND N MS" tells how many requests there were,
// and how long they took; "done" ends it. Builds with Go 1.19 and google.golang.org/grpc 1.40 to the newest; with the tag
// sdk, all of it is instrumented by OpenTelemetry's SDK (sdk.go).
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const foreign = "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01"

// Of sdk.go, if it is built.
var (
	instrumented bool
	settle       = func() {} // waits for what is still to be printed
)

// output is kept until whoever gave an order reads it: a pipe has room for less.
var output struct {
	sync.Mutex
	bytes.Buffer
}

func say(format string, arguments ...interface{}) {
	output.Lock()
	defer output.Unlock()
	fmt.Fprintf(&output, format+"\n", arguments...)
}

func bad(path string, why interface{}) {
	say("bad %s: %v", path, why)
}

// saw is called by the servers.
func saw(path string, traceparents []string) {
	say("saw %s %s", path, strings.Join(traceparents, " "))
}

// request is what a test wants to be sent; its answer must be its body.
type request struct {
	path    string
	headers []string // names and values in turn
	body    string
	trailer bool
}

// filler is text that HPACK makes no shorter.
func filler(length int) string {
	return strings.Repeat("<>{}|^~#$@", length/10+1)[:length]
}

func headers(count int) []string {
	var all []string
	for i := 0; i < count; i++ {
		all = append(all, fmt.Sprintf("X-Header-%d", i), fmt.Sprintf("value-%d-%d", count, i))
	}
	return all
}

// A caller sends a request over one kept connection.
type caller func(r request)

// A side is one kind's client, and its server if that is ours.
type side struct {
	kind, address string
	call          caller
	proxied       caller // through a proxy; nil: there is none
	made          int
}

func (s *side) send(call caller, r request) {
	s.made++
	call(r)
}

// requests are made one after the other: the first of a connection, and those that reuse it.
func (s *side) requests() {
	path := func(what string, i int) string { return fmt.Sprintf("/%s/%s/%d", s.kind, what, i) }
	for i := 0; i < 4; i++ {
		s.send(s.call, request{path: path("plain", i)})
	}
	for count := 1; count <= 60; count++ {
		s.send(s.call, request{path: path("headers", count), headers: headers(count), body: "some"})
	}
	if !instrumented { // which would replace it
		for i, name := range []string{"Traceparent", "traceparent"} {
			s.send(s.call, request{path: path("foreign", i), headers: append(headers(20*i), name, foreign)})
		}
	}
	for i := 0; i < 3; i++ {
		s.send(s.call, request{path: path("body", i), body: filler(20000 * i)})
		s.send(s.call, request{path: path("trailer", i), body: "some", trailer: true})
	}
	for _, pad := range pads(s.kind) {
		s.send(s.call, request{path: path("pad", pad), headers: []string{"X-Pad", filler(pad)}})
	}
	for i := 0; i < 4 && s.proxied != nil; i++ {
		s.send(s.proxied, request{path: path("proxied", i), headers: headers(8 * i), body: "some"})
	}
}

// pads are sizes of a header around those at which buffers are full: 4,096 bytes of a bufio.Writer,
// 16,384 of an HTTP/2 frame.
func pads(kind string) []int {
	var sizes []int
	for size := 3840; size < 4160; size += 16 {
		sizes = append(sizes, size)
	}
	if kind == "h1" {
		return sizes
	}
	for size := 10; size < 2300; size += 90 {
		sizes = append(sizes, size)
	}
	return append(sizes, 8000, 16100, 16200, 16300, 16384, 20000)
}

func (s *side) concurrently(what string, count int) {
	var done sync.WaitGroup
	s.made += count
	for i := 0; i < count; i++ {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			s.call(request{path: fmt.Sprintf("/%s/%s/%d", s.kind, what, i), headers: headers(i % 12),
				body: strconv.Itoa(i)})
		}(i)
	}
	done.Wait()
}

func (s *side) obey(order string, count int) {
	begun := time.Now()
	switch order {
	case "requests":
		s.requests()
		s.concurrently("many", count)
	case "crowd":
		// by the first one an HTTP/2 client gets to know how many streams there may be
		s.send(s.call, request{path: "/" + s.kind + "/first/0"})
		s.concurrently(fmt.Sprintf("crowd/%d", count), count)
	}
	say("made %s %d %d", s.kind, s.made, time.Since(begun).Milliseconds())
	s.made = 0
}

func end() {
	say("done")
	output.Lock()
	defer output.Unlock()
	output.WriteTo(os.Stdout)
}

func main() {
	var sides []*side
	for _, argument := range os.Args[1:] {
		kind, address := argument, ""
		if at := strings.IndexByte(argument, '@'); at >= 0 {
			kind, address = argument[:at], argument[at+1:]
		}
		var s *side
		if kind == "grpc" {
			s = startGRPC(address)
		} else {
			s = startHTTP(kind, address)
		}
		say("at %s %s", kind, s.address)
		sides = append(sides, s)
	}
	end()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var order string
		var count int
		fmt.Sscan(in.Text(), &order, &count)
		for _, s := range sides {
			s.obey(order, count)
		}
		settle()
		end()
	}
}
