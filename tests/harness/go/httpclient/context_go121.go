// SPDX-License-Identifier: Apache-2.0

//go:build go1.21

package main

import (
	"context"
	"time"
)

func withoutCancel(ctx context.Context) context.Context {
	return context.WithoutCancel(ctx)
}

// afterFunc derives a context in the way of context.AfterFunc: below one that has a function attached.
func afterFunc(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, context.Canceled)
	context.AfterFunc(ctx, cancel)
	return ctx
}
