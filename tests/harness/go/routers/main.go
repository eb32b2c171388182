// SPDX-License-Identifier: Apache-2.0

// A server behind one of many routers: the build tag says which, its file has serve(). The routes are
// alike in all of them, as far as each can express them. It talks to its test over pipes as httpserver
// does: a JSON line with its port, and its end when stdin closes.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
)

var self string // address

func main() {
	flag.Parse()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	self = l.Addr().String()
	go serve(l)
	line, err := json.Marshal(map[string]interface{}{
		"http": l.Addr().(*net.TCPAddr).Port,
		"pid":  os.Getpid(),
		"go":   runtime.Version(),
	})
	check(err)
	os.Stdout.Write(append(line, '\n'))
	io.Copy(io.Discard, os.Stdin)
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "routers:", err)
		os.Exit(1)
	}
}
