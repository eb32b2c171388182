// SPDX-License-Identifier: Apache-2.0

//go:build cgolink

package main

// Makes the linker go through the C compiler (mode "cgo external").

import "C"
