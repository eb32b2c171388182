// SPDX-License-Identifier: Apache-2.0

// Package catalogue is the warehouse's gRPC service. What protoc would write is written by hand
// here, and messages travel as JSON, so that building needs no generator.
package catalogue

import (
	"context"
	"encoding/json"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
)

type ProductRequest struct{ ID int }

type Product struct {
	ID    int
	Name  string
	Cents int
}

type BoughtRequest struct{ Customer string }

type BoughtReply struct{ Products []Product }

// Server is what a warehouse implements.
type Server interface {
	Product(context.Context, *ProductRequest) (*Product, error)
	Bought(context.Context, *BoughtRequest) (*BoughtReply, error)
}

const service = "warehouse.Catalogue"

func Register(registrar grpc.ServiceRegistrar, server Server) {
	registrar.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*Server)(nil),
		Methods: []grpc.MethodDesc{
			{MethodName: "Product", Handler: handler("Product", Server.Product)},
			{MethodName: "Bought", Handler: handler("Bought", Server.Bought)},
		},
	}, server)
}

type methodHandler = func(server any, ctx context.Context, decode func(any) error,
	interceptor grpc.UnaryServerInterceptor) (any, error)

func handler[In, Out any](name string, method func(Server, context.Context, *In) (*Out, error)) methodHandler {
	return func(server any, ctx context.Context, decode func(any) error,
		interceptor grpc.UnaryServerInterceptor) (any, error) {
		in := new(In)
		if err := decode(in); err != nil {
			return nil, err
		}
		if interceptor == nil {
			return method(server.(Server), ctx, in)
		}
		info := &grpc.UnaryServerInfo{Server: server, FullMethod: "/" + service + "/" + name}
		return interceptor(ctx, in, info, func(ctx context.Context, in any) (any, error) {
			return method(server.(Server), ctx, in.(*In))
		})
	}
}

// Client calls a warehouse.
type Client struct{ Conn grpc.ClientConnInterface }

func (c Client) Product(ctx context.Context, id int) (*Product, error) {
	return call[Product](ctx, c.Conn, "Product", &ProductRequest{ID: id})
}

func (c Client) Bought(ctx context.Context, customer string) (*BoughtReply, error) {
	return call[BoughtReply](ctx, c.Conn, "Bought", &BoughtRequest{Customer: customer})
}

func call[Out any](ctx context.Context, conn grpc.ClientConnInterface, name string, in any) (*Out, error) {
	out := new(Out)
	err := conn.Invoke(ctx, "/"+service+"/"+name, in, out, grpc.CallContentSubtype(codec{}.Name()))
	return out, err
}

type codec struct{}

func (codec) Marshal(v any) ([]byte, error)      { return json.Marshal(v) }
func (codec) Unmarshal(data []byte, v any) error { return json.Unmarshal(data, v) }
func (codec) Name() string                       { return "json" }

func init() {
	encoding.RegisterCodec(codec{})
}
