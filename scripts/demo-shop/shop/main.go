// SPDX-License-Identifier: Apache-2.0

// Shop is one of the two services that `make demo` traces: ordinary programs that know nothing of
// gospan or OpenTelemetry, with an ordinary program's habits and faults. Customers talk to the shop;
// what it sells is known to the warehouse, the other one.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

type shop struct{ warehouse *warehouse }

func (s *shop) getProduct(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		http.Error(w, "not a product id", http.StatusBadRequest)
		return
	}
	product, err := s.warehouse.catalogue.Product(r.Context(), id)
	if status.Code(err) == codes.NotFound {
		http.NotFound(w, r)
		return
	}
	answer(w, product, err)
}

func (s *shop) getCart(w http.ResponseWriter, r *http.Request) {
	cart, err := s.warehouse.get(r.Context(), "/carts/"+r.PathValue("id"))
	answer(w, cart, err)
}

func (s *shop) postOrder(w http.ResponseWriter, r *http.Request) {
	if err := s.warehouse.order(r.Context(), r.FormValue("customer"), r.FormValue("product"),
		r.FormValue("count")); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.WriteHeader(http.StatusCreated)
}

// suggest forgets that there are customers who have bought less than three things.
func (s *shop) suggest(w http.ResponseWriter, r *http.Request) {
	bought, err := s.warehouse.catalogue.Bought(r.Context(), r.PathValue("customer"))
	if err != nil {
		answer(w, nil, err)
		return
	}
	answer(w, bought.Products[2], nil)
}

// report is slow: everybody knows, nobody knows why.
func (s *shop) report(w http.ResponseWriter, r *http.Request) {
	sales, err := s.warehouse.get(r.Context(), "/sales")
	answer(w, sales, err)
}

func (s *shop) visits(w http.ResponseWriter, r *http.Request) {
	var visits map[string]int
	visits[r.PathValue("id")]++ // panics: the map was never made
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
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
	api.HandleFunc("GET /visits/{id}", recovered(s.visits))

	mux := http.NewServeMux()
	mux.HandleFunc("GET /cart/{id}", s.getCart)
	mux.HandleFunc("POST /order", s.postOrder)
	mux.HandleFunc("GET /suggest/{customer}", s.suggest)
	mux.HandleFunc("GET /report", s.report)
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", api))
	return withCustomer(mux)
}

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address to listen at")
	url := flag.String("warehouse", "", "URL of the warehouse")
	grpcAddress := flag.String("warehouse-grpc", "", "address of its gRPC service")
	flag.Parse()
	warehouse, err := newWarehouse(*url, *grpcAddress)
	if err != nil {
		log.Fatal("shop: ", err)
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal("shop: ", err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	server := &http.Server{
		Handler:  (&shop{warehouse}).handler(),
		ErrorLog: log.New(io.Discard, "", 0), // the panic's stack: gospan tells of it
	}
	log.Fatal("shop: ", server.Serve(listener))
}
