// SPDX-License-Identifier: Apache-2.0

// What is over in a moment: a few requests to a server of its own, then the end.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
)

func main() {
	requests := flag.Int("requests", 3, "how many")
	flag.Parse()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go http.Serve(listener, http.NotFoundHandler())
	for i := 0; i < *requests; i++ {
		answer, err := http.Get("http://" + listener.Addr().String() + "/brief")
		if err != nil {
			log.Fatal(err)
		}
		answer.Body.Close()
	}
}
