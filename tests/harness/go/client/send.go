// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"
)

const patience = 30 * time.Second

// transport makes one connection, which all requests of one worker share.
func transport() *http.Transport {
	t := &http.Transport{
		MaxConnsPerHost:    1,
		DisableCompression: true,
		DisableKeepAlives:  *mode == "close",
		TLSClientConfig:    &tls.Config{InsecureSkipVerify: true}, // loopback, certificate of the test
		Protocols:          new(http.Protocols),
	}
	t.Protocols.SetHTTP1(*mode != "h2" && *mode != "h2c")
	t.Protocols.SetHTTP2(*mode == "h2")
	t.Protocols.SetUnencryptedHTTP2(*mode == "h2c")
	return t
}

// oneByOne sends each request when the one before is answered. In HTTP/2 four at a time share the
// connection.
func oneByOne(take func() *request, done func(*request, error)) {
	client := &http.Client{Transport: transport(), Timeout: patience}
	streams := 1
	if *mode == "h2" || *mode == "h2c" {
		streams = 4
	}
	ended := make(chan bool)
	for i := 0; i < streams; i++ {
		go func() {
			for r := take(); r != nil; r = take() {
				done(r, exchange(client, r))
			}
			ended <- true
		}()
	}
	for i := 0; i < streams; i++ {
		<-ended
	}
	client.CloseIdleConnections()
}

func exchange(client *http.Client, r *request) error {
	h, err := r.http()
	if err != nil {
		return err
	}
	if *mode == "abort" {
		// Goes away after 0 to 9 ms, most often in the middle of the handler.
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.ID%10)*time.Millisecond)
		defer cancel()
		h = h.WithContext(ctx)
	}
	r.Start = time.Now().UnixNano()
	answer, err := client.Do(h)
	if err == nil {
		err = r.check(answer)
	}
	r.End = time.Now().UnixNano()
	return err
}

// pipeline writes sixteen requests at once, then reads sixteen answers.
func pipeline(take func() *request, done func(*request, error)) {
	conn, err := net.Dial("tcp", *addr)
	if err != nil {
		for r := take(); r != nil; r = take() {
			done(r, err)
		}
		return
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	for {
		var batch []*request
		for r := take(); r != nil; r = take() {
			if batch = append(batch, r); len(batch) == 16 {
				break
			}
		}
		if len(batch) == 0 {
			return
		}
		conn.SetDeadline(time.Now().Add(patience))
		out := bufio.NewWriterSize(conn, 1<<16)
		for _, r := range batch {
			h, err := r.http()
			if err == nil {
				err = h.Write(out)
			}
			if err != nil {
				panic(fmt.Sprint("cannot write to a buffer: ", err))
			}
			r.Start = time.Now().UnixNano()
		}
		out.Flush()
		for _, r := range batch {
			answer, err := http.ReadResponse(answers, &http.Request{Method: r.Method})
			if err == nil {
				err = r.check(answer)
			}
			r.End = time.Now().UnixNano()
			done(r, err)
		}
	}
}
