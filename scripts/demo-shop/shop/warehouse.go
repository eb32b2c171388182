// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"example.com/shop/catalogue"
)

// warehouse is the other service as the shop knows it: gRPC for the catalogue, HTTP for the rest.
type warehouse struct {
	url       string
	http      *http.Client
	catalogue catalogue.Client
}

func newWarehouse(url, grpcAddress string) (*warehouse, error) {
	conn, err := grpc.NewClient(grpcAddress, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &warehouse{
		url:       url,
		http:      &http.Client{Timeout: 5 * time.Second},
		catalogue: catalogue.Client{Conn: conn},
	}, nil
}

func (w *warehouse) get(ctx context.Context, path string) (any, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", w.url+path, nil)
	if err != nil {
		return nil, err
	}
	var v any
	return v, w.do(r, &v)
}

func (w *warehouse) order(ctx context.Context, customer, product, count string) error {
	form := url.Values{"customer": {customer}, "product": {product}, "count": {count}}
	r, err := http.NewRequestWithContext(ctx, "POST", w.url+"/orders", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return w.do(r, nil)
}

func (w *warehouse) do(r *http.Request, v any) error {
	response, err := w.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 400 {
		return fmt.Errorf("the warehouse says %s: %s", response.Status, strings.TrimSpace(string(body)))
	}
	if v == nil {
		return nil
	}
	return json.Unmarshal(body, v)
}
