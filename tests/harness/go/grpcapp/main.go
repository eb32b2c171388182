// SPDX-License-Identifier: Apache-2.0

// A gRPC server and client in one program, for tests: a line of JSON on stdin (or the query of
// GET /do) is an order, a line of JSON the answer. Builds with google.golang.org/grpc 1.40 to the
// newest, and without generated code.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/keepalive"
)

var address string // of the gRPC server

func port(l net.Listener) int {
	return l.Addr().(*net.TCPAddr).Port
}

func listen(host string) net.Listener {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		log.Fatal(err)
	}
	return l
}

func do(ctx context.Context, text []byte) []byte {
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		log.Fatalf("%s: %v", text, err)
	}
	out, err := json.Marshal(o.obey(ctx))
	if err != nil {
		log.Fatal(err)
	}
	return out
}

func main() {
	intercept := flag.Bool("intercept", false, "server interceptors: they deny \"deny\" and recover panics")
	handler := flag.Bool("handler", false, "the server is a net/http handler")
	secure := flag.Bool("tls", false, "the server speaks TLS")
	tags := flag.Int("tags", 0, "so many values are put into each RPC's context, as stats handlers do")
	age := flag.Duration("age", 0, "how long the server keeps a connection")
	host := flag.String("host", "127.0.0.1", "where the server listens")
	flag.Parse()

	rpc, web := listen(*host), listen("127.0.0.1")
	address = rpc.Addr().String()
	var options []grpc.ServerOption
	if *intercept {
		options = append(options, grpc.UnaryInterceptor(interceptUnary),
			grpc.StreamInterceptor(interceptStream))
	}
	if *secure && !*handler {
		options = append(options, grpc.Creds(credentials.NewTLS(certificate())))
	}
	if *age != 0 {
		options = append(options, grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: *age}))
	}
	if *tags != 0 {
		options = append(options, grpc.StatsHandler(tagger(*tags)))
	}
	server := grpc.NewServer(options...)
	register(server)
	if *handler {
		go serveHandler(rpc, server, *secure)
	} else {
		go server.Serve(rpc)
	}
	http.HandleFunc("/do", func(w http.ResponseWriter, r *http.Request) {
		w.Write(do(r.Context(), []byte(r.URL.Query().Get("order"))))
	})
	go http.Serve(web, nil)
	fmt.Printf(`{"pid": %d, "go": %q, "grpc": %d, "http": %d}`+"\n", os.Getpid(), runtime.Version(),
		port(rpc), port(web))

	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		// a goroutine each, as in a server: what one leaves open must not touch the next
		done := make(chan []byte)
		go func() { done <- do(context.Background(), line) }()
		fmt.Printf("%s\n", <-done)
	}
	server.Stop()
}
