// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
)

const address = "127.0.0.1:8080"

// slowFor is long enough to step the wall clock in the middle of it.
const slowFor = 2 * time.Second

func serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, r.PathValue("id"))
	})
	mux.HandleFunc("GET /slow", func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(slowFor)
	})
	mux.HandleFunc("GET /stack", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, lastStack.Load().(string))
	})
	mux.HandleFunc("GET /panic", func(http.ResponseWriter, *http.Request) {
		defer recovered()
		explode()
	})
	fmt.Fprintln(os.Stderr, http.ListenAndServe(address, mux))
	os.Exit(1)
}

// What debug.Stack says of the last panic where it is recovered.
var lastStack atomic.Value

func recovered() {
	recover()
	lastStack.Store(string(debug.Stack()))
}

//go:noinline
func explode() { panic("exploded") }

// startServer starts this program again, as the server, and waits until it answers.
func startServer() (*exec.Cmd, error) {
	cmd := exec.Command("/proc/self/exe", "serve")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for i := 0; i < 200; i++ {
		if _, err := get("/none"); err == nil {
			return cmd, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	stop(cmd)
	return nil, fmt.Errorf("the server does not answer")
}

func get(path string) (string, error) {
	client := http.Client{Timeout: 20 * time.Second}
	response, err := client.Get("http://" + address + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return strings.TrimSpace(string(body)), err
}

func stop(cmd *exec.Cmd) {
	cmd.Process.Kill()
	cmd.Wait()
}

// send makes cnt requests one after the other and checks that the answers are right.
func send(cnt int) error {
	for i := 0; i < cnt; i++ {
		want := fmt.Sprint(i)
		got, err := get("/item/" + want)
		if err != nil {
			return err
		}
		if got != want {
			return fmt.Errorf("asked for item %s, got %q", want, got)
		}
	}
	return nil
}
