// SPDX-License-Identifier: Apache-2.0

// What stands around the measured server: `load rate` sends requests at a fixed rate, whether or
// not answers come (open loop: latency counts from when a request was due), and prints a JSON line;
// `load sink` is an OTLP/HTTP receiver that counts spans and keeps nothing.
package main

import (
	"fmt"
	"os"
)

func main() {
	var err error
	switch {
	case len(os.Args) > 1 && os.Args[1] == "rate":
		err = runRate(os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "sink":
		err = runSink()
	default:
		err = fmt.Errorf("usage: load rate|sink [OPTION]...")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}
