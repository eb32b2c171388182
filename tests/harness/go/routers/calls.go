// SPDX-License-Identifier: Apache-2.0

//go:build calls

package main

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

type job struct {
	ctx   context.Context
	label string
	done  *sync.WaitGroup
}

type callsKey struct{}

func init() {
	jobs := make(chan job)
	for i := 0; i < 4; i++ { // before there are requests
		go func() {
			for j := range jobs {
				get(j)
			}
		}()
	}
	callWith = func(contexts map[string]context.Context) {
		var wg sync.WaitGroup
		for label, ctx := range contexts {
			deadline, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			group, stop := context.WithCancel(ctx) // as errgroup.WithContext does
			defer stop()
			wg.Add(3)
			jobs <- job{ctx, label, &wg}
			jobs <- job{context.WithValue(deadline, callsKey{}, 1), label + "-derived", &wg}
			go get(job{group, label + "-group", &wg})
		}
		wg.Wait()
	}
}

func get(j job) {
	defer j.done.Done()
	r, err := http.NewRequestWithContext(j.ctx, "GET", "http://"+self+"/static?label="+j.label, nil)
	check(err)
	answer, err := http.DefaultTransport.RoundTrip(r)
	check(err)
	io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}
