// SPDX-License-Identifier: Apache-2.0

package main

import (
	"syscall"
	"unsafe"
)

const page = 4096

// A runtime error's value where its page ends, before one that is not there: three words, as an object
// of that size at the end of the heap has it.
func atTheEdge(value interface{}) interface{} {
	const size = 24
	pages, err := syscall.Mmap(-1, 0, 2*page, syscall.PROT_READ|syscall.PROT_WRITE,
		syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		err = syscall.Mprotect(pages[page:], syscall.PROT_NONE)
	}
	if err != nil {
		panic(err)
	}
	words := (*[2]unsafe.Pointer)(unsafe.Pointer(&value))
	copy(pages[page-size:page], (*[size]byte)(words[1])[:])
	words[1] = unsafe.Pointer(&pages[page-size])
	return value
}

func init() {
	ways["edge"] = func(s *stacks) {
		var value interface{}
		func() {
			defer func() {
				value = recover()
				s.add()
			}()
			sink = numbers[:cap(numbers)+2]
		}()
		panic(atTheEdge(value))
	}
}
