// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	stormConns = 4
	stormBlock = 32 // requests that arrive at once
)

// A connection whose client has pipelined requests without end and throws answers away.
type stormConn struct {
	end      time.Time
	interval time.Duration // between blocks, 0: none
	next     time.Time
	block    string
	rest     string
	closed   atomic.Bool
}

func (c *stormConn) Read(p []byte) (int, error) {
	if c.rest == "" {
		now := time.Now()
		if now.After(c.end) || c.closed.Load() {
			return 0, io.EOF
		}
		if c.interval > 0 {
			time.Sleep(c.next.Sub(now))
			c.next = c.next.Add(c.interval)
		}
		c.rest = c.block
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *stormConn) Write(p []byte) (int, error)        { return len(p), nil }
func (c *stormConn) Close() error                       { c.closed.Store(true); return nil }
func (c *stormConn) LocalAddr() net.Addr                { return &net.TCPAddr{} }
func (c *stormConn) RemoteAddr() net.Addr               { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7} }
func (c *stormConn) SetDeadline(t time.Time) error      { return nil }
func (c *stormConn) SetReadDeadline(t time.Time) error  { return nil }
func (c *stormConn) SetWriteDeadline(t time.Time) error { return nil }

// Hands out the connections it was given, then waits until it is closed.
type stormListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *stormListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errors.New("closed")
	}
}

func (l *stormListener) Close() error   { close(l.closed); return nil }
func (l *stormListener) Addr() net.Addr { return &net.TCPAddr{} }

// Serves for that long, over a few such connections; returns how many requests were served. HEADERS
// are base64 of the lines besides Host, or "-".
func serveStorm(h http.Handler, headers string, rate float64, duration time.Duration) int64 {
	var served atomic.Int64
	var open sync.WaitGroup
	l := &stormListener{make(chan net.Conn, stormConns), make(chan struct{})}
	lines, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(headers, "-"))
	request := "GET /item/42 HTTP/1.1\r\nHost: localhost\r\n" + string(lines) + "\r\n"
	now := time.Now()
	for i := 0; i < stormConns; i++ {
		c := &stormConn{end: now.Add(duration), next: now, block: strings.Repeat(request, stormBlock)}
		if rate > 0 {
			c.interval = time.Duration(stormConns * stormBlock / rate * float64(time.Second))
		}
		l.conns <- c
	}
	open.Add(stormConns)
	server := http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(w, r)
			served.Add(1)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				open.Done()
			}
		},
	}
	go server.Serve(l)
	open.Wait()
	server.Close()
	return served.Load()
}
