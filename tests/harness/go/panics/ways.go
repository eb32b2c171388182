// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"reflect"
	"sort"
	"strings"
)

// Set at run time, so that the compiler cannot foresee the panics.
var (
	noOrder  *order
	noLarge  *large
	noFunc   func()
	noLimits map[string]int
	numbers  = []int{3, 1, 2}
	zero     int
	anything interface{} = "text"
	sink     interface{}
)

type order struct {
	padding [40]byte
	total   int
}

type large struct{ words [100]int }

// Small enough to be inlined, twice over.
func (o *order) price() int { return o.total }
func costs(o *order) int    { return o.price() + 1 }

// No frame of its own, and not inlined: what it is called by is no frame pointer's.
//
//go:noinline
func (o *order) leaf() int { return o.total }

// The same that calls something.
//
//go:nosplit
//go:noinline
func frameless() { raise() }

//go:noinline
func raise() { panic("raised") }

//go:noinline
func divide(a, b int) int { return a / b }

//go:noinline
func copied(l *large) large { return *l }

//go:noinline
func recurse(depth int) int {
	if depth == 0 {
		raise()
	}
	return recurse(depth-1) + 1
}

func inlinedRaise(why string) { panic(why) }
func inlinedTwice(why string) { inlinedRaise(why + "!") }

type raiser interface{ raise(n int) int }

type value struct{ n int }

//go:noinline
func (v value) raise(n int) int { panic(v.n + n) }

type embedding struct{ value }

//go:noinline
func byInterface(r raiser) int { return r.raise(1) }

//go:noinline
func generic[T any](v T) T {
	sink = v
	panic("generic")
}

type list[T any] struct{ items []T }

//go:noinline
func (l *list[T]) at(i int) T { return l.items[i] }

func (l *list[T]) each(f func(T)) {
	for _, item := range l.items {
		f(item)
	}
}

//go:noinline
func deferred() {
	defer func() { panic("while panicking") }()
	panic("first")
}

//go:noinline
func raisedAgain() {
	defer func() {
		if v := recover(); v != nil {
			panic(v)
		}
	}()
	raise()
}

//go:noinline
func recovered(s *stacks) {
	defer func() {
		if recover() != nil {
			s.add()
		}
	}()
	panic(errors.New("recovered further in"))
}

func init() {
	for name, do := range map[string]func(){
		"raise":      raise,
		"frameless":  frameless,
		"inlined":    func() { inlinedTwice("inlined") },
		"nil":        func() { sink = costs(noOrder) },
		"leaf":       func() { sink = noOrder.leaf() },
		"copy":       func() { sink = copied(noLarge) },
		"function":   func() { noFunc() },
		"map":        func() { noLimits["a"] = 1 },
		"index":      func() { sink = numbers[len(numbers)+zero] },
		"slice":      func() { sink = numbers[4+zero:] },
		"divide":     func() { sink = divide(1, zero) },
		"conversion": func() { sink = anything.(error) },
		"recursion":  func() { recurse(300) },
		"interface":  func() { byInterface(&embedding{value{7}}) },
		"wrapper":    func() { byInterface((*value)(nil)) },
		"method":     func() { f := value{7}.raise; sink = f; reflect.ValueOf(f).Call([]reflect.Value{reflect.ValueOf(1)}) },
		"generic":    func() { generic("text") },
		"generics":   func() { generic(struct{ a []map[string]int }{}) },
		"list":       func() { (&list[string]{}).at(zero) },
		"closure":    func() { (&list[int]{numbers}).each(func(n int) { sink = n / zero }) },
		"sort":       func() { sort.Slice(numbers, func(i, j int) bool { raise(); return false }) },
		"library":    func() { strings.Map(func(r rune) rune { panic(r) }, "text") },
		"deferred":   deferred,
		"again":      raisedAgain,
	} {
		do := do
		ways[name] = func(*stacks) { do() }
	}
	ways["recovered"] = func(s *stacks) {
		recovered(s)
		raise()
	}
	ways["within"] = func(s *stacks) {
		defer recovered(s)
		raise()
	}
}
