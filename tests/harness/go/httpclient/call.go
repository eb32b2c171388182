// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// outcome is what a call came to, as the program sees it: what its span must say.
type outcome struct {
	Status  int    `json:"status"`
	Proto   string `json:"proto"`
	Error   string `json:"error"`
	Peer    string `json:"peer"`
	URL     string `json:"url"`
	Elapsed int64  `json:"elapsed_ns"`
}

// With a cause of the program's own; set where Go has them.
var giveUpWithCause, deadlineWithCause func(context.Context, time.Duration) context.Context

// call makes one request to ?url= and answers with its outcome. ?client=1 goes through http.Client,
// which follows redirects; else it is the transport alone.
func call(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	json.NewEncoder(w).Encode(callAs(r.Context(), q))
}

func callAs(ctx context.Context, q url.Values) outcome {
	if ms, err := strconv.Atoi(q.Get("timeout")); err == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		defer cancel()
	}
	if ms, err := strconv.Atoi(q.Get("cancel")); err == nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		time.AfterFunc(time.Duration(ms)*time.Millisecond, cancel)
	}
	if ms, err := strconv.Atoi(q.Get("cause")); err == nil {
		ctx = giveUpWithCause(ctx, time.Duration(ms)*time.Millisecond)
	}
	if ms, err := strconv.Atoi(q.Get("late")); err == nil {
		ctx = deadlineWithCause(ctx, time.Duration(ms)*time.Millisecond)
	}
	var out outcome
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { out.Peer = info.Conn.RemoteAddr().String() },
	})
	request := buildRequest(ctx, q)
	out.URL = request.URL.String()
	begun := time.Now()
	response, err := send(request, q)
	out.Elapsed = int64(time.Since(begun))
	if err != nil {
		out.Error = bare(err).Error()
		return out
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
	out.Status, out.Proto = response.StatusCode, response.Proto
	return out
}

func buildRequest(ctx context.Context, q url.Values) *http.Request {
	request := newRequest(ctx, q.Get("url"))
	if q.Has("method") {
		request.Method = q.Get("method")
	}
	if q.Has("opaque") {
		request.URL.Opaque = q.Get("opaque")
	}
	if q.Has("path") { // not what the raw path is one way to write
		request.URL.Path = q.Get("path")
	}
	for _, header := range q["header"] {
		if name, value, ok := strings.Cut(header, ": "); ok {
			request.Header.Set(name, value)
		}
	}
	if body := q.Get("body"); body != "" {
		request.Body = io.NopCloser(strings.NewReader(body))
		request.ContentLength = int64(len(body))
	}
	return request
}

func send(request *http.Request, q url.Values) (*http.Response, error) {
	transport := transportFor(q)
	if !q.Has("client") {
		return transport.RoundTrip(request)
	}
	client := &http.Client{Transport: transport}
	if ms, err := strconv.Atoi(q.Get("client")); err == nil {
		client.Timeout = time.Duration(ms) * time.Millisecond
	}
	return client.Do(request)
}

func transportFor(q url.Values) http.RoundTripper {
	switch via := q.Get("via"); {
	case via == "unix":
		return viaUnix(q.Get("socket"))
	case via == "proxy":
		return viaProxy(q.Get("proxy"))
	case via == "certified":
		return certified(q.Get("name"))
	case via == "conn":
		return newClientConn(q.Get("url"), q.Get("h2") != "")
	case via == "":
		return transports["plain"]
	default:
		return transports[via]
	}
}

// bare is the error as the transport returned it, without http.Client's words around it.
func bare(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}
