// SPDX-License-Identifier: Apache-2.0

// What calls other services over HTTP: requests to its handlers make it call, in each of the ways in
// which Go programs do. It is also what is called, as a second process or the same. One source for
// Go 1.19 to the newest. Control as in httpserver: a JSON line with the ports, ends with stdin.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

var (
	gcPercent = flag.Int("gcpercent", 100, "debug.SetGCPercent")
	profile   = flag.String("profile", "", "write a CPU profile of the whole run here")
	unixPath  = flag.String("unix", "", "listen on this socket too")
	host      = flag.String("host", "127.0.0.1", "where to listen")
	wrapped   = flag.Bool("wrapped", false, "connections are of a type of our own")
	share     = flag.Bool("share", false, "they are all of what seems to be one")
)

func main() {
	flag.Parse()
	debug.SetGCPercent(*gcPercent)
	if *profile != "" {
		f, err := os.Create(*profile)
		check(err)
		check(pprof.StartCPUProfile(f))
		defer f.Close()
		defer pprof.StopCPUProfile()
	}
	startPool()
	mux := http.NewServeMux()
	mux.HandleFunc("/call", call)
	mux.HandleFunc("/proxy/", proxy)
	mux.HandleFunc("/case/", oneCase)
	addBack(mux)

	plain, secure, cleartext := listen("tcp"), listen("tcp"), listen("tcp")
	go newServer(mux).Serve(plain)
	tlsServer := newServer(mux)
	tlsServer.TLSConfig = tlsConfig()
	go tlsServer.ServeTLS(secure, "", "")
	go newServer(h2c.NewHandler(mux, &http2.Server{})).Serve(cleartext)
	if *unixPath != "" {
		l, err := net.Listen("unix", *unixPath)
		check(err)
		go newServer(mux).Serve(l)
	}
	say(map[string]interface{}{
		"http": portOf(plain), "https": portOf(secure), "h2c": portOf(cleartext),
		"pid": os.Getpid(), "go": runtime.Version(),
	})
	io.Copy(io.Discard, os.Stdin)
}

func listen(network string) net.Listener {
	l, err := net.Listen(network, net.JoinHostPort(*host, "0"))
	check(err)
	if *wrapped {
		return wrapping{l}
	}
	if *share {
		return sharingListener{l, new(sharing)}
	}
	return l
}

// wrapping is a listener as those that limit, count or multiplex connections are.
type wrapping struct{ net.Listener }

type wrappedConn struct {
	net.Conn
	listener net.Listener
}

func (l wrapping) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &wrappedConn{c, l}, nil
}

func portOf(l net.Listener) int {
	return l.Addr().(*net.TCPAddr).Port
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{Handler: handler, ErrorLog: log.New(io.Discard, "", 0)}
}

func say(v interface{}) {
	line, err := json.Marshal(v)
	check(err)
	os.Stdout.Write(append(line, '\n'))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "httpclient:", err)
		os.Exit(1)
	}
}
