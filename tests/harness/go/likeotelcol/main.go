// SPDX-License-Identifier: Apache-2.0

// A collector with a module name of its own, as ocb builds them: only the module that it is started
// by tells what it is. Ends when stdin closes.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"

	"go.opentelemetry.io/collector/otelcol"
)

func main() {
	go otelcol.Run(&http.Server{Addr: "127.0.0.1:0"})
	fmt.Println(`{"pid":`, os.Getpid(), `}`)
	io.Copy(io.Discard, os.Stdin)
}
