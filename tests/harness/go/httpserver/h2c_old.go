// SPDX-License-Identifier: Apache-2.0

//go:build !go1.24

package main

import "net/http"

// allowH2C: net/http had no HTTP/2 without TLS of its own.
func allowH2C(s *http.Server) bool { return false }
