// SPDX-License-Identifier: Apache-2.0

package main

import "context"

// What handlers of /contexts have to hand on: each is used for a call on a goroutine that was there
// before. Nothing is called without the tag `calls`.
var callWith = func(map[string]context.Context) {}
