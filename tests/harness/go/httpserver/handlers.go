// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// echo answers what tests/harness/go/client computes too and compares byte by byte: the request
// line, the id, the size of the body, then padding whose length and bytes follow from the id.
func echo(w http.ResponseWriter, r *http.Request) {
	length, _ := io.Copy(io.Discard, r.Body)
	id := r.Header.Get("X-Request-Id")
	w.Header().Set("X-Request-Id", id)
	status, err := strconv.Atoi(r.URL.Query().Get("status"))
	if err != nil {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	if status == http.StatusNoContent || status == http.StatusNotModified {
		return
	}
	fmt.Fprintf(w, "%s %s id=%s body=%d\n", r.Method, r.RequestURI, id, length)
	n, _ := strconv.Atoi(id)
	io.WriteString(w, strings.Repeat(string(rune('a'+n%26)), n*37%1500))
}

// slow waits ?ms= (50 by default) or until the client is gone.
func slow(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil {
		ms = 50
	}
	select {
	case <-time.After(time.Duration(ms) * time.Millisecond):
	case <-r.Context().Done():
	}
	echo(w, r)
}

func fail(w http.ResponseWriter, r *http.Request) {
	http.Error(w, "out of stock", http.StatusInternalServerError)
}

type orderError struct {
	order int
	text  string
}

func (e *orderError) Error() string { return e.text }

type config struct{ limits map[string]int }

// Read at run time, so that the compiler cannot foresee the panics.
var (
	noLimits   map[string]int
	twoNumbers = []int{1, 2}
	noConfig   *config
	anything   interface{} = "text"
)

// panics does what the last path element says; ?written=1 answers 202 first.
func panics(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("written") != "" {
		w.WriteHeader(http.StatusAccepted)
		w.(http.Flusher).Flush()
	}
	switch r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:] {
	case "nilmap":
		noLimits["a"] = 1
	case "index":
		fmt.Fprint(w, twoNumbers[len(twoNumbers)+1])
	case "array":
		fmt.Fprint(w, (*[9]int)(twoNumbers))
	case "nilpointer":
		fmt.Fprint(w, noConfig.limits)
	case "conversion":
		fmt.Fprint(w, anything.(int))
	case "method":
		fmt.Fprint(w, anything.(fmt.Stringer))
	case "error":
		panic(errors.New("boom " + r.Header.Get("X-Request-Id")))
	case "wrapped":
		panic(fmt.Errorf("order %d: %w", 7, errors.New("no stock")))
	case "custom":
		panic(&orderError{7, "order 7 is lost"})
	case "string":
		panic("plain text")
	case "int":
		panic(42)
	case "abort":
		panic(http.ErrAbortHandler)
	case "goexit":
		runtime.Goexit()
	case "none":
		echo(w, r)
	}
}

// hijack takes the connection: "upgrade" answers 101 by hand and echoes one line, "plain" answers
// by hand, "written" has sent a status the ordinary way before.
func hijack(w http.ResponseWriter, r *http.Request) {
	kind := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	if kind == "written" {
		w.WriteHeader(http.StatusAccepted)
	}
	conn, rw, err := w.(http.Hijacker).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotImplemented)
		return
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	switch kind {
	case "upgrade":
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		rw.Flush()
		line, _ := rw.ReadString('\n')
		rw.WriteString(line)
	case "plain":
		rw.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
	}
	rw.Flush()
}

// early sends two informational answers before the final 201.
func early(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Link", "</style.css>; rel=preload")
	w.WriteHeader(http.StatusEarlyHints)
	w.WriteHeader(http.StatusEarlyHints)
	w.WriteHeader(http.StatusCreated)
	io.WriteString(w, "made\n")
}

// superfluous calls WriteHeader again: only the first one counts.
func superfluous(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusAccepted)
	w.WriteHeader(http.StatusInternalServerError)
	io.WriteString(w, "accepted\n")
}

// body answers as many bytes as the path says.
func body(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	size, _ := strconv.Atoi(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
	io.WriteString(w, strings.Repeat("x", size))
}

// recurse makes the stack grow under the handler, several times over, then answers.
func recurse(w http.ResponseWriter, r *http.Request) {
	depth, err := strconv.Atoi(r.URL.Query().Get("depth"))
	if err != nil {
		depth = 2000
	}
	if deeper(depth, 1) == 0 {
		panic("cannot be")
	}
	echo(w, r)
}

//go:noinline
func deeper(n, sum int) int {
	var frame [64]int
	frame[n%64] = sum
	if n == 0 {
		return frame[0] + 1
	}
	return deeper(n-1, frame[n%64]+1) + frame[(n+1)%64]
}
