// SPDX-License-Identifier: Apache-2.0

// Warehouse is the service behind the shop: an HTTP and a gRPC API over an SQLite database.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/shop/catalogue"
)

type warehouse struct{ stock *stock }

// -- gRPC: the catalogue --

func (w *warehouse) Product(ctx context.Context, r *catalogue.ProductRequest) (*catalogue.Product, error) {
	product, err := w.stock.product(ctx, r.ID)
	if err == errNoProduct {
		return nil, status.Errorf(codes.NotFound, "no product %d", r.ID)
	}
	return product, err
}

func (w *warehouse) Bought(ctx context.Context, r *catalogue.BoughtRequest) (*catalogue.BoughtReply, error) {
	products, err := w.stock.bought(ctx, r.Customer)
	return &catalogue.BoughtReply{Products: products}, err
}

// -- HTTP: the rest --

func (w *warehouse) getCart(rw http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil {
		http.Error(rw, "not a cart id", http.StatusBadRequest)
		return
	}
	products, err := w.stock.cart(r.Context(), id)
	answer(rw, products, err)
}

func (w *warehouse) postOrder(rw http.ResponseWriter, r *http.Request) {
	product, _ := strconv.Atoi(r.FormValue("product"))
	count, err := strconv.Atoi(r.FormValue("count"))
	if err != nil {
		count = 1
	}
	err = w.stock.order(r.Context(), r.FormValue("customer"), product, count)
	answer(rw, "ordered", err)
}

func (w *warehouse) getSales(rw http.ResponseWriter, r *http.Request) {
	sales, err := w.stock.sales(r.Context())
	answer(rw, sales, err)
}

func answer(w http.ResponseWriter, v any, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(v)
}

func run(database string) error {
	stock, err := openStock(database)
	if err != nil {
		return err
	}
	w := &warehouse{stock}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /carts/{id}", w.getCart)
	mux.HandleFunc("POST /orders", w.postOrder)
	mux.HandleFunc("GET /sales", w.getSales)
	server := grpc.NewServer()
	catalogue.Register(server, w)

	forHTTP, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	forGRPC, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s %s\n", forHTTP.Addr(), forGRPC.Addr())
	ended := make(chan error)
	go func() { ended <- http.Serve(forHTTP, mux) }()
	go func() { ended <- server.Serve(forGRPC) }()
	return <-ended
}

func main() {
	database := flag.String("database", "warehouse.db", "file of the database; made if not there")
	flag.Parse()
	log.Fatal("warehouse: ", run(*database))
}
