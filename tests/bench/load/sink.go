// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

// Calls VISIT with each length-delimited field NUMBER of a protobuf message.
func eachField(message []byte, number uint64, visit func([]byte)) {
	for len(message) > 0 {
		tag, n := binary.Uvarint(message)
		if n <= 0 {
			return
		}
		message = message[n:]
		value, n := binary.Uvarint(message)
		switch {
		case n <= 0:
			return
		case tag&7 == 0:
			message = message[n:]
		case tag&7 == 1 && len(message) >= 8:
			message = message[8:]
		case tag&7 == 2 && value <= uint64(len(message)-n):
			if tag>>3 == number {
				visit(message[n : n+int(value)])
			}
			message = message[n+int(value):]
		case tag&7 == 5 && len(message) >= 4:
			message = message[4:]
		default:
			return
		}
	}
}

// ExportTraceServiceRequest.resource_spans = 1, .scope_spans = 2, .spans = 2.
func countSpans(message []byte) (spans int64) {
	eachField(message, 1, func(resource []byte) {
		eachField(resource, 2, func(scope []byte) {
			eachField(scope, 2, func([]byte) { spans++ })
		})
	})
	return spans
}

// Prints its endpoint; GET /count tells how many spans came.
func runSink() error {
	var spans, bytes atomic.Int64
	http.HandleFunc("/v1/traces", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		spans.Add(countSpans(body))
		bytes.Add(int64(len(body)))
		w.Header().Set("Content-Type", "application/x-protobuf")
	})
	http.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "{\"spans\": %d, \"bytes\": %d}\n", spans.Load(), bytes.Load())
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go http.Serve(l, nil)
	fmt.Printf("{\"endpoint\": \"http://%s\"}\n", l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
