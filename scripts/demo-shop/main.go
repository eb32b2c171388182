// SPDX-License-Identifier: Apache-2.0

// Shop is the service that `make demo` traces: an ordinary net/http program that knows nothing of
// gospan or OpenTelemetry, with an ordinary program's habits and faults. It is also its own
// customer: shop -send 120 -to http://127.0.0.1:8080
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

type product struct {
	ID    int    `json:"id"`
	Name  string `json:"name"`
	Cents int    `json:"cents"`
}

type shop struct {
	mu       sync.Mutex
	products []product
	carts    map[int][]product
	bought   map[string][]product // by customer
}

func newShop() *shop {
	return &shop{
		products: []product{{1, "teapot", 1800}, {2, "kettle", 3500}, {3, "cup", 700}},
		carts:    map[int][]product{42: {{3, "cup", 700}}},
		bought:   map[string][]product{"ada": {{1, "teapot", 1800}, {2, "kettle", 3500}, {3, "cup", 700}}},
	}
}

// query stands for a database: it takes a while, more or less.
func (s *shop) query(ctx context.Context, usually time.Duration) error {
	wait := usually/2 + time.Duration(rand.Int63n(int64(usually)))
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *shop) getProduct(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		http.Error(w, "not a product id", http.StatusBadRequest)
		return
	}
	s.query(r.Context(), time.Millisecond)
	for _, p := range s.products {
		if p.ID == id {
			reply(w, p)
			return
		}
	}
	http.NotFound(w, r)
}

func (s *shop) getCart(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	s.query(r.Context(), 3*time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	reply(w, s.carts[id])
}

var errPayment = errors.New("payment service: connection refused")

func (s *shop) pay(ctx context.Context, customer string) error {
	if err := s.query(ctx, 15*time.Millisecond); err != nil {
		return err
	}
	if customer == "bob" { // his bank is down today
		return errPayment
	}
	return nil
}

func (s *shop) postOrder(w http.ResponseWriter, r *http.Request) {
	if err := s.pay(r.Context(), r.FormValue("customer")); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// suggest forgets that there are customers who have bought less than three things.
func (s *shop) suggest(w http.ResponseWriter, r *http.Request) {
	bought := s.bought[r.PathValue("customer")]
	reply(w, bought[2])
}

// report is slow: everybody knows, nobody knows why.
func (s *shop) report(w http.ResponseWriter, r *http.Request) {
	for range s.products {
		s.query(r.Context(), 120*time.Millisecond)
	}
	fmt.Fprintln(w, "all is well")
}

func (s *shop) stock(w http.ResponseWriter, r *http.Request) {
	var levels map[string]int
	levels[r.PathValue("id")]++ // panics: the map was never made
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

type customerKey struct{}

// withCustomer does what most middleware does: it puts something into the request's context, and so
// hands a copy of the request to the next handler.
func withCustomer(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), customerKey{}, r.Header.Get("X-Customer"))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recovered turns a panic of next into a 500.
func recovered(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if recover() != nil {
				http.Error(w, "sorry", http.StatusInternalServerError)
			}
		}()
		next(w, r)
	}
}

func (s *shop) handler() http.Handler {
	api := http.NewServeMux()
	api.HandleFunc("GET /product/{id}", s.getProduct)
	api.HandleFunc("GET /stock/{id}", recovered(s.stock))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /cart/{id}", s.getCart)
	mux.HandleFunc("POST /order", s.postOrder)
	mux.HandleFunc("GET /suggest/{customer}", s.suggest)
	mux.HandleFunc("GET /report", s.report)
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", api))
	return withCustomer(mux)
}

// serve listens on a free port and writes where to the file of that name, complete or not at all.
func serve(urlFile string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if urlFile != "" {
		url := "http://" + listener.Addr().String()
		if err := os.WriteFile(urlFile+".part", []byte(url+"\n"), 0o644); err != nil {
			return err
		}
		if err := os.Rename(urlFile+".part", urlFile); err != nil {
			return err
		}
	}
	server := &http.Server{
		Handler:  newShop().handler(),
		ErrorLog: log.New(io.Discard, "", 0), // the panic's stack: gospan tells of it
	}
	return server.Serve(listener)
}

// What customers do, most of them most of the time.
var habits = []struct{ method, path, body string }{
	{"GET", "/api/v1/product/1", ""},
	{"GET", "/cart/42", ""},
	{"POST", "/order", "customer=ada"},
	{"GET", "/api/v1/product/2", ""},
	{"GET", "/cart/7?currency=eur", ""},
	{"GET", "/api/v1/product/99", ""},
	{"POST", "/order", "customer=eve"},
	{"GET", "/cart/42", ""},
	{"GET", "/suggest/ada", ""},
	{"POST", "/order", "customer=bob"},
	{"GET", "/api/v1/product/3", ""},
	{"GET", "/report", ""},
	{"GET", "/cart/8", ""},
	{"GET", "/api/v1/stock/1", ""},
	{"POST", "/order", "customer=ada"},
	{"GET", "/suggest/eve", ""},
	{"GET", "/api/v1/product/1", ""},
}

// send makes cnt requests, spread evenly over the time.
func send(url string, cnt int, over time.Duration) error {
	// A connection each: one that is used again and breaks makes the client repeat the request.
	client := &http.Client{
		Timeout:   10 * time.Second,
		Transport: &http.Transport{DisableKeepAlives: true},
	}
	failed := make(chan error, cnt)
	var wait sync.WaitGroup
	for i := 0; i < cnt; i++ {
		wait.Add(1)
		go func(i int) {
			defer wait.Done()
			time.Sleep(over * time.Duration(i) / time.Duration(cnt))
			habit := habits[i%len(habits)]
			if err := request(client, habit.method, url+habit.path, habit.body); err != nil {
				failed <- err
			}
		}(i)
	}
	wait.Wait()
	close(failed)
	for err := range failed {
		if !errors.Is(err, io.EOF) { // a handler that panics closes the connection
			return err
		}
	}
	return nil
}

func request(client *http.Client, method, url, body string) error {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return err
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func main() {
	urlFile := flag.String("url-file", "", "write the URL that is served to this file")
	to := flag.String("to", "", "the URL to send requests to, instead of serving")
	cnt := flag.Int("send", 100, "so many requests")
	over := flag.Duration("over", 5*time.Second, "spread over this time")
	flag.Parse()
	var err error
	if *to != "" {
		err = send(*to, *cnt, *over)
	} else {
		err = serve(*urlFile)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "shop:", err)
		os.Exit(1)
	}
}
