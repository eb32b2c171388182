// SPDX-License-Identifier: Apache-2.0

// A server whose handlers use texts that are constants of the executable, in pages that it has taken out
// of its memory just before: the state of those that a program never read, or not for long.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
)

// The kernel maps what lies around a page that is read, 64 KiB: no other text may be as near to these.
const (
	line  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	kib   = line + line + line + line + line + line + line + line + line + line + line + line + line + line + line + line
	kib8  = kib + kib + kib + kib + kib + kib + kib + kib
	kib64 = kib8 + kib8 + kib8 + kib8 + kib8 + kib8 + kib8 + kib8
	apart = kib64 + kib64

	raised    = "there is no more"
	query     = "DELETE FROM shelves WHERE id = ?"
	failure   = "the shelf is locked"
	name      = "count the shelves"
	key       = "shelf.name"
	value     = "the upper one"
	constants = apart + raised + query + failure + name + key + value + apart
)

var texts = constants

// TEXT, where the executable has it.
func constant(text string) string {
	at := strings.Index(texts, text)
	return texts[at : at+len(text)]
}

// From now on nobody has come to the constants yet.
func forget() {
	const page = 4096
	start := (uintptr(unsafe.Pointer(unsafe.StringData(texts))) + page - 1) &^ (page - 1)
	pages := unsafe.Slice((*byte)(unsafe.Pointer(start)), (len(texts)-page)&^(page-1))
	if err := syscall.Madvise(pages, syscall.MADV_DONTNEED); err != nil {
		panic(err)
	}
}

// A database that looks at nothing.
type database struct{ driver.Conn }

func (database) Open(string) (driver.Conn, error) { return database{}, nil }
func (database) Close() error                     { return nil }

var locked = errors.New(constant(failure))

func (database) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return nil, locked
}

func main() {
	sql.Register("none", database{})
	db, _ := sql.Open("none", "")
	panics, text, span, of, is := constant(raised), constant(query), constant(name), constant(key), constant(value)

	http.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) {
		defer func() { recover() }()
		forget()
		panic(panics)
	})
	http.HandleFunc("/query", func(_ http.ResponseWriter, r *http.Request) {
		forget()
		db.ExecContext(r.Context(), text, 1)
	})
	http.HandleFunc("/span", func(_ http.ResponseWriter, r *http.Request) {
		forget()
		_, s := otel.Tracer("example.test/shop").Start(r.Context(), span)
		s.SetAttributes(attribute.String(of, is))
		s.End()
	})

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "constants:", err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]any{"pid": os.Getpid(), "http": l.Addr().(*net.TCPAddr).Port})
	go http.Serve(l, nil)
	var b [1]byte
	os.Stdin.Read(b[:])
}
