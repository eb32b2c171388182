// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net"
	"sync"
	"time"
)

// shared is a connection as those are that a multiplexer makes of one: what it embeds is that one, but
// what it reads and writes is its own. (Here it has a connection of its own for that.)
type shared struct {
	net.Conn
	own net.Conn
}

func (c *shared) Read(b []byte) (int, error)         { return c.own.Read(b) }
func (c *shared) Write(b []byte) (int, error)        { return c.own.Write(b) }
func (c *shared) Close() error                       { return c.own.Close() }
func (c *shared) SetDeadline(t time.Time) error      { return c.own.SetDeadline(t) }
func (c *shared) SetReadDeadline(t time.Time) error  { return c.own.SetReadDeadline(t) }
func (c *shared) SetWriteDeadline(t time.Time) error { return c.own.SetWriteDeadline(t) }

// sharing makes them of every connection but the first, which they embed.
type sharing struct {
	mu    sync.Mutex
	first net.Conn
}

func (s *sharing) wrap(c net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = c
		return c
	}
	return &shared{s.first, c}
}

var (
	dialed    sharing
	dialFirst sync.Once
)

func dialShared(ctx context.Context, network, addr string) (net.Conn, error) {
	dialFirst.Do(func() {
		first, err := net.Dial(network, addr)
		check(err)
		dialed.wrap(first)
	})
	c, err := new(net.Dialer).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return dialed.wrap(c), nil
}

type sharingListener struct {
	net.Listener
	accepted *sharing
}

func (l sharingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.accepted.wrap(c), nil
}
