// SPDX-License-Identifier: Apache-2.0

// The program inside the emulated machine, in two roles: `app serve` is the traced HTTP server,
// `app smoke [GROUP,...]` the first process' only job: it runs gospan on it, and on the programs
// /bin/writer-*, and reports what came of it, one line a check: "RESULT pass|fail|skip NAME: DETAIL".
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) >= 2 {
		switch os.Args[1] {
		case "serve":
			serve()
			return
		case "smoke":
			smoke(strings.Join(os.Args[2:], " "))
			return
		}
	}
	fmt.Fprintln(os.Stderr, "usage: app serve|smoke [GROUP,...]")
	os.Exit(2)
}
