// SPDX-License-Identifier: Apache-2.0

// A Go program without net/http: there is nothing to trace in it. Ends when stdin closes.
package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	fmt.Println(`{"pid":`, os.Getpid(), `}`)
	io.Copy(io.Discard, os.Stdin)
}
