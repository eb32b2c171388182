// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net"
	"net/http"
)

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	return l
}

// HTTP/1.1, and HTTP/2 without TLS by prior knowledge.
func serveHTTP() string {
	l := listen()
	server := http.Server{
		Protocols: new(http.Protocols),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "all is well\n")
		}),
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	go server.Serve(l)
	return l.Addr().String()
}

func prepareHTTP(address string, transport *http.Transport) (func(context.Context) error, error) {
	client := http.Client{Transport: http.RoundTripper(transport)}
	if *sdk {
		client.Transport = tracedTransport(transport)
	}
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, "GET", "http://"+address+"/item/42?full=yes", nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}, nil
}

func prepareHTTP1(address, _ string) (func(context.Context) error, error) {
	return prepareHTTP(address, &http.Transport{MaxIdleConnsPerHost: callers})
}

func prepareHTTP2(address, _ string) (func(context.Context) error, error) {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return prepareHTTP(address, transport)
}
