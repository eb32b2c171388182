// SPDX-License-Identifier: Apache-2.0

// Package otelcol stands for what every collector is started by.
package otelcol

import "net/http"

// Run serves until its listener fails.
func Run(server *http.Server) error {
	return server.ListenAndServe()
}
