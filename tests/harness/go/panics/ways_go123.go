// SPDX-License-Identifier: Apache-2.0

//go:build go1.23

package main

func (l *list[T]) all(yield func(T) bool) {
	for _, item := range l.items {
		if !yield(item) {
			return
		}
	}
}

func init() {
	ways["range"] = func(*stacks) {
		for n := range (&list[int]{numbers}).all {
			sink = n / zero
		}
	}
}
