// SPDX-License-Identifier: Apache-2.0

// Package ledger is the library that bpf/README.md's example traces.
package ledger

import (
	"context"
	"errors"
	"strings"
)

// Client sends statements to its host.
type Client struct {
	sent int
	host string
}

// ErrClosed is what a closed account says.
var ErrClosed = errors.New("the account is closed")

// Exec has the statement executed.
//
//go:noinline
func (c *Client) Exec(ctx context.Context, text string) error {
	c.sent++
	if strings.Contains(text, "closed") {
		return ErrClosed
	}
	return ctx.Err()
}

// Book writes by a client.
type Book struct{ client *Client }

// Open returns the book that HOST keeps.
func Open(host string) *Book { return &Book{&Client{host: host}} }

//go:noinline
func (b *Book) post(ctx context.Context, text string) (int, error) {
	if err := b.client.Exec(ctx, text); err != nil {
		return 0, err
	}
	return b.client.sent, nil
}

// Deposit says how many statements were sent so far.
func (b *Book) Deposit(ctx context.Context, text string) (int, error) { return b.post(ctx, text) }
