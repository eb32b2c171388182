// SPDX-License-Identifier: Apache-2.0

//go:build go1.27

package main

import (
	"context"
	"net/http"
	"net/url"
)

// newClientConn is a connection of its own, without a pool.
func newClientConn(to string, h2 bool) http.RoundTripper {
	u, err := url.Parse(to)
	check(err)
	t := &http.Transport{TLSClientConfig: trusting.Clone(), ForceAttemptHTTP2: h2}
	conn, err := t.NewClientConn(context.Background(), u.Scheme, u.Host)
	check(err)
	return conn
}
