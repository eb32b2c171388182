// SPDX-License-Identifier: Apache-2.0

//go:build otelhttp

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

func init() { starts = append(starts, useHTTP) }

var transports = map[string]http.RoundTripper{}

// useHTTP: /work has otelhttp's span; "get" is made by otelhttp's transport.
func useHTTP() {
	handlers.Handle("/work", otelhttp.NewHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		work(r.Context())
	}), "work"))
	cleartext := new(http.Protocols)
	cleartext.SetUnencryptedHTTP2(true)
	for via, transport := range map[string]*http.Transport{
		"h1":  {},
		"h2":  {TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
		"h2c": {Protocols: cleartext},
	} {
		transports[via] = otelhttp.NewTransport(transport)
	}
	orders["get"] = func(ctx context.Context, o order) error {
		request, err := http.NewRequestWithContext(ctx, "GET", o.URL, nil)
		if err != nil {
			return err
		}
		answer, err := transports[o.Via].RoundTrip(request)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != 200 || (answer.ProtoMajor == 2) != (o.Via != "h1") {
			return fmt.Errorf("%s, status %d", answer.Proto, answer.StatusCode)
		}
		return nil
	}
}
