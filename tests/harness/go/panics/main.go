// SPDX-License-Identifier: Apache-2.0

// A server whose handlers panic in every way that makes a stack of its own kind. It answers with what
// debug.Stack says where the panic was recovered: a JSON array, one text for each recovery.
package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

type stacks struct{ texts []string }

func (s *stacks) add() { s.texts = append(s.texts, string(debug.Stack())) }

// A way to panic; it may recover on its own before it does.
type way func(s *stacks)

var ways = map[string]way{}

func serve(w http.ResponseWriter, r *http.Request) {
	s := &stacks{texts: []string{}}
	name := strings.TrimPrefix(r.URL.Path, "/")
	do := ways[name]
	if do == nil {
		do = quiet[name]
	}
	answer(s, do)
	text, _ := json.Marshal(s.texts)
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.Write(text)
}

func answer(s *stacks, do way) {
	defer func() {
		if recover() != nil {
			s.add()
		}
	}()
	do(s)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "panics:", err)
		os.Exit(1)
	}
	go http.Serve(l, http.HandlerFunc(serve))
	var names []string
	for name := range ways {
		names = append(names, name)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"http": l.Addr().(*net.TCPAddr).Port, "pid": os.Getpid(), "ways": names,
	})
	var b [1]byte
	os.Stdin.Read(b[:])
}
