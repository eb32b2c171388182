// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// maxStreams is how many streams a connection may have here, so that a crowd fits into one.
const maxStreams = 4096

var crowds struct {
	sync.Mutex
	waiting map[string]*crowd
}

type crowd struct {
	came int
	all  chan struct{}
}

// hold returns at once, but for a request /KIND/crowd/N/...: then once N of them are here.
func hold(path string) {
	words := strings.Split(path, "/")
	if len(words) != 5 || words[2] != "crowd" {
		return
	}
	count, err := strconv.Atoi(words[3])
	if err != nil {
		bad(path, err)
		return
	}
	name := words[1] + words[3]
	crowds.Lock()
	c := crowds.waiting[name]
	if c == nil {
		if crowds.waiting == nil {
			crowds.waiting = map[string]*crowd{}
		}
		c = &crowd{all: make(chan struct{})}
		crowds.waiting[name] = c
	}
	c.came++
	if c.came == count {
		delete(crowds.waiting, name)
		close(c.all)
	}
	crowds.Unlock()
	select {
	case <-c.all:
	case <-time.After(90 * time.Second):
		bad(path, fmt.Sprintf("the crowd of %d is not complete", count))
	}
}
