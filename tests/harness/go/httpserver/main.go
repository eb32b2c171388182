// SPDX-License-Identifier: Apache-2.0

// The server most tests trace: one source for Go 1.19 to the newest. It serves the same routes over
// HTTP/1.1, HTTPS (HTTP/1.1 and HTTP/2 by ALPN) and, from Go 1.24, HTTP/2 without TLS.
//
// It talks to its test over pipes, so that control traffic makes no spans: it prints one JSON line
// with its ports when it listens, answers the line "stats" on stdin with a JSON line of what it
// served, and ends when stdin closes; a test that dies never leaves a server behind.
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	port      = flag.Int("port", 0, "port of the plain HTTP listener; 0 takes a free one")
	gcPercent = flag.Int("gcpercent", 100, "debug.SetGCPercent")
	oldMux    = flag.Bool("oldmux", false, "register patterns of Go <= 1.21 only")
	bare      = flag.Bool("bare", false, "no middleware around the mux")
	detached  = flag.Bool("detached", false, "do not end when stdin closes")
	profile   = flag.String("profile", "", "write a CPU profile of the whole run here")
	verbose   = flag.Bool("verbose", false, "let net/http log panics and errors")
)

// What the test compares with what was traced.
var started, finished int64

func main() {
	flag.Parse()
	debug.SetGCPercent(*gcPercent)
	signal.Ignore(syscall.SIGHUP)
	if *profile != "" {
		f, err := os.Create(*profile)
		check(err)
		check(pprof.StartCPUProfile(f))
		defer f.Close()
		defer pprof.StopCPUProfile()
	}

	plain := listen(*port)
	secure := listen(0)
	selfAddress = plain.Addr().String()
	handler := newHandler()
	ports := map[string]interface{}{
		"http":  portOf(plain),
		"https": portOf(secure),
		"pid":   os.Getpid(),
		"go":    runtime.Version(),
	}
	go newServer(handler).Serve(plain)
	tlsServer := newServer(handler)
	tlsServer.TLSConfig = &tls.Config{Certificates: []tls.Certificate{selfSigned()}}
	go tlsServer.ServeTLS(secure, "", "")
	if h2c := newServer(handler); allowH2C(h2c) {
		l := listen(0)
		ports["h2c"] = portOf(l)
		go h2c.Serve(l)
	}
	say(ports)
	serveControl()
}

func listen(port int) net.Listener {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	check(err)
	return l
}

func portOf(l net.Listener) int {
	return l.Addr().(*net.TCPAddr).Port
}

func newServer(handler http.Handler) *http.Server {
	s := &http.Server{Handler: handler, MaxHeaderBytes: 1 << 20}
	if !*verbose {
		s.ErrorLog = log.New(io.Discard, "", 0)
	}
	return s
}

// serveControl answers the test until stdin closes.
func serveControl() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch lines.Text() {
		case "stats":
			say(map[string]interface{}{
				"started":    atomic.LoadInt64(&started),
				"finished":   atomic.LoadInt64(&finished),
				"goroutines": runtime.NumGoroutine(),
			})
		case "exit":
			return
		}
	}
	if *detached {
		time.Sleep(10 * time.Minute)
	}
}

func say(v interface{}) {
	line, err := json.Marshal(v)
	check(err)
	os.Stdout.Write(append(line, '\n'))
}

func selfSigned() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		DNSNames:     []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "httpserver:", err)
		os.Exit(1)
	}
}
