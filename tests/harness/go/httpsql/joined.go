// SPDX-License-Identifier: Apache-2.0

//go:build go1.20
// +build go1.20

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
)

func init() {
	failures["fail alone"] = func() error { return errors.Join(nil, io.ErrUnexpectedEOF) }
	failures["fail joined"] = func() error {
		return errors.Join(context.Canceled, &fakeError{"not closed"}, io.EOF)
	}
	failures["fail wrapped"] = func() error {
		return fmt.Errorf("retry: %w", errors.Join(fmt.Errorf("first: %w", &fakeError{"no such table"})))
	}
	failures["fail twofold"] = func() error {
		return fmt.Errorf("%w, after %w", &fakeError{"no such table"}, context.Canceled)
	}
}
