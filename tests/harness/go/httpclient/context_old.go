// SPDX-License-Identifier: Apache-2.0

//go:build !go1.21

package main

import "context"

// detached is what programs wrote before there was context.WithoutCancel.
type detached struct{ context.Context }

func (detached) Done() <-chan struct{} { return nil }
func (detached) Err() error            { return nil }

func withoutCancel(ctx context.Context) context.Context {
	return detached{ctx}
}

func afterFunc(ctx context.Context) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	_ = cancel
	return ctx
}
