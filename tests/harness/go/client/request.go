// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
)

type request struct {
	ID           int    `json:"id"`
	Method       string `json:"method"`
	URI          string `json:"uri"`
	Route        string `json:"route"` // what Go >= 1.22 matches
	Status       int    `json:"status"`
	UserAgent    string `json:"user_agent"`
	TraceID      string `json:"trace_id"`
	ParentSpanID string `json:"parent_span_id"`
	Start        int64  `json:"start_ns"` // wall clock
	End          int64  `json:"end_ns"`
	Failed       bool   `json:"failed,omitempty"`
	body         string
}

var statuses = []int{200, 201, 202, 400, 404, 418, 500, 503}

// mix is what a request looks like by its id: method, path, route.
var mix = [][3]string{
	{"GET", "/item/%d", "/item/{id}"},
	{"POST", "/order/%d", "/order/{id}"},
	{"GET", "/api/user/%d", "/api/user/{id}"},
	{"PUT", "/files/a/%d/b", "/files/{path...}"},
	{"GET", "/wrapped/%d", "/wrapped/{id}"},
	{"GET", "/api/deep/leaf/%d", "/api/deep/leaf/{id}"},
}

func newRequest(id int) *request {
	kind := mix[id%len(mix)]
	r := &request{ID: id, Method: kind[0], URI: fmt.Sprintf(kind[1], id), Route: kind[2]}
	if *path != "" {
		r.Method, r.Route = "GET", ""
		r.URI = strings.ReplaceAll(*path, "{id}", fmt.Sprint(id))
	}
	r.Status = statuses[id%len(statuses)]
	separator := "?"
	if strings.Contains(r.URI, "?") {
		separator = "&"
	}
	r.URI += fmt.Sprintf("%sstatus=%d&i=%d", separator, r.Status, id)
	r.UserAgent = fmt.Sprintf("load/%d", id)
	if !*unparent {
		r.TraceID = fmt.Sprintf("%016x%016x", rand.Uint64()|1, id)
		r.ParentSpanID = fmt.Sprintf("%08x%08x", rand.Uint32()|1, id)
	}
	if r.Method != "GET" {
		r.body = strings.Repeat("b", id%700+1)
	}
	return r
}

// http makes the request that is sent.
func (r *request) http() (*http.Request, error) {
	scheme := "http"
	if *mode == "tls" || *mode == "h2" {
		scheme = "https"
	}
	var body io.Reader
	if r.body != "" {
		body = strings.NewReader(r.body)
	}
	h, err := http.NewRequest(r.Method, scheme+"://"+*addr+r.URI, body)
	if err != nil {
		return nil, err
	}
	h.Header.Set("User-Agent", r.UserAgent)
	h.Header.Set("X-Request-Id", fmt.Sprint(r.ID))
	if r.TraceID != "" {
		h.Header.Set("Traceparent", "00-"+r.TraceID+"-"+r.ParentSpanID+"-01")
	}
	for i := 0; i < *headers; i++ {
		h.Header.Set(fmt.Sprintf("X-More-%d", i), fmt.Sprintf("value %d of request %d", i, r.ID))
	}
	return h, nil
}

// check compares the answer with what handlers.go's echo writes.
func (r *request) check(answer *http.Response) error {
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	want := fmt.Sprintf("%s %s id=%d body=%d\n", r.Method, r.URI, r.ID, len(r.body)) +
		strings.Repeat(string(rune('a'+r.ID%26)), r.ID*37%1500)
	switch {
	case answer.StatusCode != r.Status:
		return fmt.Errorf("status %d, not %d", answer.StatusCode, r.Status)
	case answer.Header.Get("X-Request-Id") != fmt.Sprint(r.ID):
		return fmt.Errorf("X-Request-Id is %q", answer.Header.Get("X-Request-Id"))
	case !bytes.Equal(got, []byte(want)):
		return fmt.Errorf("body %.80q, not %.80q", got, want)
	}
	return nil
}
