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

func startHTTP(kind string) func(int) {
	var handler http.Handler = http.HandlerFunc(echo)
	if kind == "x2" {
		handler = h2c.NewHandler(handler, &http2.Server{})
	}
	server := httptest.NewUnstartedServer(handler)
	if kind == "h2" {
		server.EnableHTTP2 = true
		server.StartTLS()
	} else {
		server.Start()
	}
	client := server.Client()
	if kind == "x2" {
		client = &http.Client{Transport: &http2.Transport{AllowHTTP: true,
			DialTLS: func(network, address string, _ *tls.Config) (net.Conn, error) {
				return net.Dial(network, address)
			}}}
	}
	proxy := startProxy(server, client.Transport)
	return func(count int) {
		requests(kind, httpCaller(client, server.URL), pads(kind))
		call := httpCaller(http.DefaultClient, proxy)
		for i := 0; i < 4; i++ {
			call(request{path: fmt.Sprintf("/%s/proxied/%d", kind, i), headers: headers(8 * i), body: "some"})
		}
		concurrently(kind, httpCaller(client, server.URL), count)
	}
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

// pads are sizes of a header around those at which buffers are full: 4,096 bytes of a bufio.Writer,
// 16,384 of an HTTP/2 frame.
func pads(kind string) []int {
	var sizes []int
	for size := 3840; size < 4160; size += 16 {
		sizes = append(sizes, size)
	}
	if kind == "h1" {
		return sizes
	}
	for size := 10; size < 2300; size += 90 {
		sizes = append(sizes, size)
	}
	return append(sizes, 8000, 16100, 16200, 16300, 16384, 20000)
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
	if answer.StatusCode != 200 || string(text) != r.body || answer.Header.Get("X-Names") != fmt.Sprint(names) {
		return fmt.Errorf("status %d, %d bytes, %s headers of %d", answer.StatusCode, len(text),
			answer.Header.Get("X-Names"), names)
	}
	return nil
}
