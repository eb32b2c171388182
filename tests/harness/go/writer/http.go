// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

// alike is a header that is sorted before Traceparent and has the same in it, for another vendor.
const alike = "Elastic-Apm-Traceparent"

// echo notes what came and sends the body back. Header keys are those of the wire, made canonical.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		bad(r.URL.Path, err)
	}
	saw(r.URL.Path, r.Header.Values("Traceparent"))
	for key := range r.Trailer {
		if key != "X-Trailer" {
			bad(r.URL.Path, "trailer "+key)
		}
	}
	if came := r.Header.Get("X-Came"); came != strings.ReplaceAll(r.Header.Get(alike), "-", "_") {
		bad(r.URL.Path, alike+" is "+r.Header.Get(alike)+", was "+came)
	}
	hold(r.URL.Path)
	w.Header().Set("X-Names", fmt.Sprint(countOwn(r.Header)))
	w.Write(body)
}

// countOwn counts the headers that requests() made.
func countOwn(header http.Header) int {
	count := 0
	for name := range header {
		if strings.HasPrefix(name, "X-Header-") || name == "X-Pad" {
			count++
		}
	}
	return count
}

// Of sdk.go, if it is built.
var (
	wrapHandler   = func(h http.Handler) http.Handler { return h }
	wrapTransport = func(t http.RoundTripper) http.RoundTripper { return t }
)

func startHTTP(kind, address string) *side {
	client := &http.Client{Transport: transportOf(kind)}
	if address != "" {
		return &side{kind: kind, address: address, call: httpCaller(client, address)}
	}
	handler := wrapHandler(http.HandlerFunc(echo))
	if kind == "x2" {
		handler = h2c.NewHandler(handler, &http2.Server{MaxConcurrentStreams: maxStreams})
	}
	server := httptest.NewUnstartedServer(handler)
	if kind == "h2" {
		server.EnableHTTP2 = true
		allowStreams(server.Config)
		server.StartTLS()
	} else {
		server.Start()
	}
	s := &side{kind: kind, address: server.URL, call: httpCaller(client, server.URL)}
	if !instrumented {
		s.proxied = httpCaller(http.DefaultClient, startProxy(server, client.Transport))
	}
	return s
}

func transportOf(kind string) http.RoundTripper {
	if kind == "x2" {
		return wrapTransport(&http2.Transport{AllowHTTP: true,
			DialTLS: func(network, address string, _ *tls.Config) (net.Conn, error) {
				return net.Dial(network, address)
			}})
	}
	return wrapTransport(&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: kind == "h2"})
}

// startProxy hands requests, with all of their headers, on to SERVER by what SERVER speaks.
func startProxy(server *httptest.Server, transport http.RoundTripper) string {
	target, err := url.Parse(server.URL)
	if err != nil {
		panic(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.Transport = transport
	director := proxy.Director
	proxy.Director = func(r *http.Request) {
		director(r)
		came := r.Header.Get("Traceparent")
		r.Header.Set(alike, came)
		r.Header.Set("X-Came", strings.ReplaceAll(came, "-", "_"))
	}
	return httptest.NewServer(proxy).URL
}

func httpCaller(client *http.Client, base string) caller {
	return func(r request) {
		if err := callHTTP(client, base, r); err != nil {
			bad(r.path, err)
		}
	}
}

func callHTTP(client *http.Client, base string, r request) error {
	var body io.Reader
	method := "GET"
	if r.body != "" {
		method, body = "POST", strings.NewReader(r.body)
	}
	if r.trailer {
		body = io.MultiReader(body) // of unknown length
	}
	q, err := http.NewRequest(method, base+r.path, body)
	if err != nil {
		return err
	}
	names := 0
	for i := 0; i < len(r.headers); i += 2 {
		q.Header[r.headers[i]] = []string{r.headers[i+1]} // in the case of letters that it is given in
		if strings.HasPrefix(r.headers[i], "X-") {
			names++
		}
	}
	if r.trailer {
		q.Trailer = http.Header{"X-Trailer": {"behind"}}
	}
	answer, err := client.Do(q)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if (answer.ProtoMajor == 2) != (r.path[1:3] != "h1") && !strings.Contains(r.path, "/proxied/") {
		return fmt.Errorf("by %s", answer.Proto)
	}
	if answer.StatusCode != 200 || string(text) != r.body || answer.Header.Get("X-Names") != fmt.Sprint(names) {
		return fmt.Errorf("status %d, %d bytes, %s headers of %d", answer.StatusCode, len(text),
			answer.Header.Get("X-Names"), names)
	}
	return nil
}
