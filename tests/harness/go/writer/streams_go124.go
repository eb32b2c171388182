// SPDX-License-Identifier: Apache-2.0

//go:build go1.24

package main

import "net/http"

func allowStreams(server *http.Server) {
	server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: maxStreams}
}
