// SPDX-License-Identifier: Apache-2.0

//go:build go1.24

package main

import "net/http"

// allowH2C lets s speak HTTP/2 without TLS besides HTTP/1.1.
func allowH2C(s *http.Server) bool {
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	return true
}
