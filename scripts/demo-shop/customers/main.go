// SPDX-License-Identifier: Apache-2.0

// Customers sends requests to the shop: customers -send 68 -over 6s http://127.0.0.1:8080
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// What customers do, most of them most of the time.
var habits = []struct{ method, path, body string }{
	{"GET", "/api/v1/product/1", ""},
	{"GET", "/cart/42", ""},
	{"POST", "/order", "customer=ada&product=3"},
	{"GET", "/api/v1/product/2", ""},
	{"GET", "/cart/7?currency=eur", ""},
	{"GET", "/api/v1/product/99", ""},
	{"POST", "/order", "customer=eve&product=1"},
	{"GET", "/cart/42", ""},
	{"GET", "/suggest/ada", ""},
	{"POST", "/order", "customer=bob&product=2&count=1000"},
	{"GET", "/api/v1/product/3", ""},
	{"GET", "/report", ""},
	{"GET", "/cart/8", ""},
	{"GET", "/api/v1/visits/1", ""},
	{"POST", "/order", "customer=ada&product=1"},
	{"GET", "/suggest/zoe", ""},
	{"GET", "/api/v1/product/1", ""},
}

// send makes cnt requests, spread evenly over the time.
func send(url string, cnt int, over time.Duration) error {
	// A connection each: one that is used again and breaks makes the client repeat the request.
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	failed := make(chan error, cnt)
	var wait sync.WaitGroup
	for i := 0; i < cnt; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			time.Sleep(over * time.Duration(i) / time.Duration(cnt))
			habit := habits[i%len(habits)]
			if err := request(client, habit.method, url+habit.path, habit.body); err != nil {
				failed <- err
			}
		}(i)
	}
	wait.Wait()
	close(failed)
	for err := range failed {
		if !errors.Is(err, io.EOF) { // a handler that panics closes the connection
			return err
		}
	}
	return nil
}

func request(client *http.Client, method, url, body string) error {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func main() {
	cnt := flag.Int("send", 100, "so many requests")
	over := flag.Duration("over", 5*time.Second, "spread over this time")
	flag.Parse()
	if err := send(flag.Arg(0), *cnt, *over); err != nil {
		fmt.Fprintln(os.Stderr, "customers:", err)
		os.Exit(1)
	}
}
