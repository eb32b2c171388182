// SPDX-License-Identifier: Apache-2.0

//go:build !go1.27

package main

import "net/http"

func newClientConn(string, bool) http.RoundTripper {
	panic("from Go 1.27")
}
