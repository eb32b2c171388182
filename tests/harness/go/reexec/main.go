// SPDX-License-Identifier: Apache-2.0

// A server that becomes itself once more: same process, same file, new image, as programs do to upgrade
// or to read their configuration again. GET /exec?n=N execs while it and N goroutines that it started are
// in the middle of requests; with to=PATH it becomes that program. `fan N` on stdin makes N requests from
// N goroutines that no request started, and answers when they are over; with -fan N the second image does
// so before it says where it listens.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const second = "REEXEC_SECOND"

var address string

func get(path string) {
	answer, err := http.Get("http://" + address + path)
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

// fan comes back when they all have: slow enough to be under way for a while.
func fan(n int) {
	var all sync.WaitGroup
	for i := 0; i < n; i++ {
		all.Add(1)
		go func(i int) {
			defer all.Done()
			get("/leaf/" + strconv.Itoa(i) + "?ms=300")
		}(i)
	}
	all.Wait()
}

func leaf(w http.ResponseWriter, r *http.Request) {
	ms, _ := strconv.Atoi(r.FormValue("ms"))
	time.Sleep(time.Duration(ms) * time.Millisecond)
	fmt.Fprintln(w, r.URL.Path)
}

func exec(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.Atoi(r.FormValue("n"))
	for i := 0; i < n; i++ {
		go get("/stuck")
	}
	time.Sleep(500 * time.Millisecond)
	path, err := os.Executable()
	if to := r.FormValue("to"); to != "" {
		path, err = to, nil
	}
	if err == nil {
		err = syscall.Exec(path, os.Args, append(os.Environ(), second+"=1"))
	}
	log.Fatal(err)
}

func main() {
	atOnce := flag.Int("fan", 0, "requests of the second image before it says anything")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	address = listener.Addr().String()
	http.DefaultTransport.(*http.Transport).DisableKeepAlives = true
	http.HandleFunc("/leaf/", leaf)
	http.HandleFunc("/exec", exec)
	http.HandleFunc("/stuck", func(http.ResponseWriter, *http.Request) { select {} })
	go http.Serve(listener, nil)
	if os.Getenv(second) != "" {
		fan(*atOnce)
	}
	say := json.NewEncoder(os.Stdout)
	say.Encode(map[string]interface{}{"pid": os.Getpid(), "go": runtime.Version(),
		"http": listener.Addr().(*net.TCPAddr).Port})
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		n, _ := strconv.Atoi(strings.TrimPrefix(orders.Text(), "fan "))
		fan(n)
		say.Encode(map[string]int{"fan": n})
	}
}
