// SPDX-License-Identifier: Apache-2.0

//go:build go1.27

package main

//go:noinline
func (l *list[T]) with[U any](u U) (T, U) {
	return l.items[len(l.items)+zero], u
}

func init() {
	ways["generic-method"] = func(*stacks) { (&list[int]{numbers}).with("text") }
}
