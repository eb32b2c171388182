// SPDX-License-Identifier: Apache-2.0

//go:build go1.21

package main

import (
	"context"
	"errors"
	"time"
)

func init() {
	giveUpWithCause = func(ctx context.Context, after time.Duration) context.Context {
		ctx, cancel := context.WithCancelCause(ctx)
		time.AfterFunc(after, func() { cancel(errors.New("a sibling failed")) })
		return context.WithValue(ctx, outcome{}, 1)
	}
	deadlineWithCause = func(ctx context.Context, after time.Duration) context.Context {
		ctx, _ = context.WithTimeoutCause(ctx, after, errors.New("took too long"))
		return ctx
	}
}
