// SPDX-License-Identifier: Apache-2.0

// The program whose calls the benchmark measures: requests by net/http, RPCs, queries, spans by hand.
// It is a server as well, so that two of it can call each other: the one that is traced, and another
// on the other CPU. -sdk instruments all of it by OpenTelemetry's SDK, which is linked in either way.
//
// Prints a JSON line with its addresses when it listens and ends when stdin closes. A line "SECONDS
// KIND HTTP-ADDRESS GRPC-ADDRESS" on stdin has it make calls of that kind for so long, and print how
// many.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

var sdk = flag.Bool("sdk", false, "trace by the OpenTelemetry SDK")

// As many at once as keep both sides from going to sleep between calls, also while the agent takes
// its share of the other's CPU: who wakes up for each call pays for that, and the less for who is late.
const callers = 64

type userKey struct{}

// What makes one call, and how many of them are under way at once.
type kind struct {
	prepare func(httpAddress, grpcAddress string) (call func(context.Context) error, err error)
	callers int
}

var kinds = map[string]kind{
	"http1":       {prepareHTTP1, callers},
	"http2":       {prepareHTTP2, callers},
	"grpc":        {prepareGRPC, callers},
	"exec":        {prepareExec, 1},
	"query":       {prepareQuery, 1},
	"transaction": {prepareTransaction, 1},
	"byhand":      {prepareByHand, 1},
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench calls:", err)
		os.Exit(1)
	}
}

var prepared = map[string]func(context.Context) error{}

// Connections stay open from one time to the next.
func callOf(name string, k kind, httpAddress, grpcAddress string) func(context.Context) error {
	key := name + " " + httpAddress
	if prepared[key] == nil {
		call, err := k.prepare(httpAddress, grpcAddress)
		check(err)
		prepared[key] = call
	}
	return prepared[key]
}

func repeat(call func(context.Context) error, callers int, duration time.Duration) int64 {
	var cnt atomic.Int64
	var over atomic.Bool
	var done sync.WaitGroup
	ctx := context.WithValue(context.Background(), userKey{}, "someone")
	for i := 0; i < callers; i++ {
		done.Add(1)
		go func() {
			defer done.Done()
			for !over.Load() {
				check(call(ctx))
				cnt.Add(1)
			}
		}()
	}
	time.AfterFunc(duration, func() { over.Store(true) })
	done.Wait()
	return cnt.Load()
}

func main() {
	flag.Parse()
	if *sdk {
		startSDK()
	}
	addresses := map[string]string{"http": serveHTTP(), "grpc": serveGRPC()}
	check(json.NewEncoder(os.Stdout).Encode(addresses))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var seconds float64
		var name, httpAddress, grpcAddress string
		fmt.Sscan(lines.Text(), &seconds, &name, &httpAddress, &grpcAddress)
		k, ok := kinds[name]
		if !ok {
			check(fmt.Errorf("no such kind: %q", name))
		}
		call := callOf(name, k, httpAddress, grpcAddress)
		start := time.Now()
		cnt := repeat(call, k.callers, time.Duration(seconds*float64(time.Second)))
		fmt.Printf("{\"requests\": %d, \"seconds\": %f}\n", cnt, time.Since(start).Seconds())
	}
}
