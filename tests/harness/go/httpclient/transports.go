// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"golang.org/x/net/http2"
)

var trusting = &tls.Config{InsecureSkipVerify: true}

// transports are the ways to send a request, by the name that ?via= has.
var transports = map[string]http.RoundTripper{
	"plain":     newTransport(),
	"fresh":     &http.Transport{DisableKeepAlives: true},
	"custom":    custom{newTransport()},
	"doctor":    doctor{newTransport()},
	"verifying": &http.Transport{},
	"http1tls":  &http.Transport{TLSClientConfig: trusting.Clone()},
	"h2":        &http.Transport{TLSClientConfig: trusting.Clone(), ForceAttemptHTTP2: true},
	"h2custom":  custom{&http.Transport{TLSClientConfig: trusting.Clone(), ForceAttemptHTTP2: true}},
	"xnet":      &http2.Transport{TLSClientConfig: trusting.Clone()},
	"xnetplain": &http2.Transport{AllowHTTP: true, DialTLS: dialPlain},
	"xnetconf":  configured(),
	"impatient": &http.Transport{ResponseHeaderTimeout: 50 * time.Millisecond},
	"handshake": &http.Transport{TLSHandshakeTimeout: 50 * time.Millisecond},
	"panicking": &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { panic("no proxy") }},
	"exiting":   &http.Transport{Proxy: exit},
	"sharing":   &http.Transport{DialContext: dialShared, MaxIdleConnsPerHost: 300},
	"wrapping":  &http.Transport{DialContext: dialWrapped},
}

func init() {
	transports["asking"] = &http.Transport{Proxy: ask} // which uses another of them
}

func newTransport() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 300}
}

func dialPlain(network, addr string, _ *tls.Config) (net.Conn, error) {
	return net.Dial(network, addr)
}

// dialError says what it embeds says, as a reverse proxy's that asks later whether it was the dialing.
type dialError struct{ error }

func dialWrapped(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, dialError{err}
	}
	return c, nil
}

// configured is a transport whose HTTP/2 is x/net's.
func configured() http.RoundTripper {
	t := &http.Transport{TLSClientConfig: trusting.Clone()}
	check(http2.ConfigureTransport(t))
	return t
}

// custom hands on a copy of the request, as instrumented and authenticating transports do.
type custom struct{ next http.RoundTripper }

func (c custom) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer x")
	return c.next.RoundTrip(r)
}

// doctor tries again after a 5xx: attempts of its own.
type doctor struct{ next http.RoundTripper }

func (d doctor) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := d.next.RoundTrip(r)
	if err == nil && response.StatusCode >= 500 {
		response.Body.Close()
		return d.next.RoundTrip(r)
	}
	return response, err
}

// ask makes a request inside another one's round trip, as for a proxy configuration.
func ask(r *http.Request) (*url.URL, error) {
	response, err := transports["plain"].RoundTrip(newRequest(context.Background(), r.URL.Query().Get("ask")))
	if err != nil {
		return nil, err
	}
	return nil, response.Body.Close()
}

// proxy forwards to ?to=, as a reverse proxy does.
func proxy(w http.ResponseWriter, r *http.Request) {
	to, err := url.Parse(r.URL.Query().Get("to"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	(&httputil.ReverseProxy{
		Director: func(out *http.Request) {
			out.URL = to
		},
		Transport: transports["plain"],
	}).ServeHTTP(w, r)
}

func viaUnix(path string) http.RoundTripper {
	return &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
}

func viaProxy(address string) http.RoundTripper {
	to, err := url.Parse(address)
	check(err)
	return &http.Transport{Proxy: http.ProxyURL(to)}
}

// certified trusts one certificate too few or too many, to fail in a given way.
func certified(name string) http.RoundTripper {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool(), ServerName: name}}
}

func newRequest(ctx context.Context, to string) *http.Request {
	r, err := http.NewRequestWithContext(ctx, "GET", to, nil)
	if err != nil {
		panic(fmt.Sprint("not a URL: ", to))
	}
	return r
}
