// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type text = wrapperspb.StringValue

// unary answers after a query of its own.
func unary(_ interface{}, ctx context.Context, decode func(interface{}) error,
	_ grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(text)
	if err := decode(in); err != nil {
		return nil, err
	}
	if in.Value == "fail" {
		return nil, status.Error(codes.DataLoss, "it was to fail")
	}
	query(ctx, "SELECT a FROM rpc")
	return in, nil
}

func chat(_ interface{}, stream grpc.ServerStream) error {
	for {
		in := new(text)
		if err := stream.RecvMsg(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := stream.SendMsg(in); err != nil {
			return err
		}
	}
}

var (
	both = grpc.StreamDesc{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true}
	conn *grpc.ClientConn
)

// startRPC serves, and connects to that.
func startRPC() {
	server := grpc.NewServer()
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "mixed.Mixed",
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "Unary", Handler: unary}},
		Streams:     []grpc.StreamDesc{both},
	}, struct{}{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go server.Serve(l)
	conn, err = grpc.Dial(l.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
}

func call(ctx context.Context, said string) error {
	return conn.Invoke(ctx, "/mixed.Mixed/Unary", wrapperspb.String(said), new(text))
}

// talk sends COUNT messages; one that is left alone ends with its context.
func talk(ctx context.Context, count int, leave bool) error {
	stream, err := conn.NewStream(ctx, &both, "/mixed.Mixed/Chat")
	if err != nil {
		return err
	}
	for i := 0; i < count; i++ {
		if err := stream.SendMsg(wrapperspb.String("hi")); err != nil {
			return err
		}
		if err := stream.RecvMsg(new(text)); err != nil {
			return err
		}
	}
	if leave {
		return nil
	}
	stream.CloseSend()
	if err := stream.RecvMsg(new(text)); err != io.EOF {
		return err
	}
	return nil
}
