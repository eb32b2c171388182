// SPDX-License-Identifier: Apache-2.0

// Clients and servers in one process, for tests of headers that are written into requests by others:
// `writer N KIND...` makes its requests once a line came on stdin, N of them at the same time, and
// prints what the servers saw, a line a request: "saw PATH [TRACEPARENT...]". What did not arrive as
// it was sent, either way, is a line "bad PATH: WHY". KINDs are h1, h2 (both net/http), x2
// (golang.org/x/net/http2) and grpc. Builds with Go 1.19 and google.golang.org/grpc 1.40 to the
// newest.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

const foreign = "00-abababababababababababababababab-cdcdcdcdcdcdcdcd-01"

var output struct {
	sync.Mutex
	*bufio.Writer
}

func say(format string, arguments ...interface{}) {
	output.Lock()
	defer output.Unlock()
	fmt.Fprintf(output, format+"\n", arguments...)
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

// requests are made one after the other: the first of a connection, and those that reuse it.
func requests(kind string, call caller, pads []int) {
	path := func(what string, i int) string { return fmt.Sprintf("/%s/%s/%d", kind, what, i) }
	for i := 0; i < 4; i++ {
		call(request{path: path("plain", i)})
	}
	for count := 1; count <= 60; count++ {
		call(request{path: path("headers", count), headers: headers(count), body: "some"})
	}
	for i, name := range []string{"Traceparent", "traceparent"} {
		call(request{path: path("foreign", i), headers: append(headers(20*i), name, foreign)})
	}
	for i := 0; i < 3; i++ {
		call(request{path: path("body", i), body: filler(20000 * i)})
		call(request{path: path("trailer", i), body: "some", trailer: true})
	}
	for _, pad := range pads {
		call(request{path: path("pad", pad), headers: []string{"X-Pad", filler(pad)}})
	}
}

func concurrently(kind string, call caller, count int) {
	var done sync.WaitGroup
	for i := 0; i < count; i++ {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			call(request{path: fmt.Sprintf("/%s/many/%d", kind, i), headers: headers(i % 12),
				body: strconv.Itoa(i)})
		}(i)
	}
	done.Wait()
}

func main() {
	output.Writer = bufio.NewWriter(os.Stdout)
	count, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	var runs []func(int)
	for _, kind := range os.Args[2:] {
		if kind == "grpc" {
			runs = append(runs, startGRPC())
		} else {
			runs = append(runs, startHTTP(kind))
		}
	}
	in := bufio.NewReader(os.Stdin)
	in.ReadString('\n')
	for _, run := range runs {
		run(count)
	}
	say("done")
	output.Flush()
	in.ReadString('\n') // until it is closed: whoever traces this wants to see a live process
}
