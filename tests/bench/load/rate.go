// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"io"
	"net"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

type result struct {
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
}

// One keep-alive connection that sends TEXT at its own moments: latencies, in order.
func sendAll(address, text string, start time.Time, first, interval, duration time.Duration) ([]float64, error) {
	var took []float64
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for due := first; due < duration; due += interval {
		time.Sleep(time.Until(start.Add(due)))
		if _, err := io.WriteString(conn, text); err != nil {
			return nil, err
		}
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return nil, err
		}
		io.Copy(io.Discard, answer.Body)
		took = append(took, float64(time.Since(start.Add(due)).Nanoseconds())/1000)
	}
	return took, nil
}

func runRate(args []string) error {
	flags := flag.NewFlagSet("rate", flag.ExitOnError)
	address := flags.String("address", "", "host and port")
	path := flags.String("path", "/", "what is asked for")
	rate := flags.Float64("rate", 2000, "requests a second")
	conns := flags.Int("conns", 16, "connections")
	seconds := flags.Float64("seconds", 2, "how long")
	headers := flags.String("headers", "", "header lines besides Host, separated by |")
	flags.Parse(args)

	text := "GET " + *path + " HTTP/1.1\r\nHost: " + *address + "\r\n"
	for _, header := range strings.Split(*headers, "|") {
		if header != "" {
			text += header + "\r\n"
		}
	}
	text += "\r\n"
	duration := time.Duration(*seconds * float64(time.Second))
	step := time.Duration(float64(time.Second) / *rate)
	start := time.Now().Add(20 * time.Millisecond)
	var all []float64
	var failure error
	var mutex sync.Mutex
	var done sync.WaitGroup
	for i := 0; i < *conns; i++ {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			took, err := sendAll(*address, text, start, time.Duration(i)*step,
				time.Duration(*conns)*step, duration)
			mutex.Lock()
			defer mutex.Unlock()
			all = append(all, took...)
			if err != nil {
				failure = err
			}
		}(i)
	}
	done.Wait()
	if failure != nil {
		return failure
	}
	sort.Float64s(all)
	return json.NewEncoder(os.Stdout).Encode(result{len(all), time.Since(start).Seconds(),
		all[len(all)/2], all[len(all)*99/100]})
}
