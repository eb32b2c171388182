// SPDX-License-Identifier: Apache-2.0

//go:build grpcserver || grpcclient || plaingrpc

package main

import (
	"context"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

func init() { starts = append(starts, useGRPC) }

// Of the files that instrument a side, if they are built.
var (
	serverOptions []grpc.ServerOption
	clientOptions []grpc.DialOption
)

func sayHello(_ interface{}, ctx context.Context, decode func(interface{}) error,
	interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(wrapperspb.StringValue)
	if err := decode(in); err != nil {
		return nil, err
	}
	handle := func(ctx context.Context, request interface{}) (interface{}, error) {
		work(ctx)
		return request, nil
	}
	if interceptor == nil {
		return handle(ctx, in)
	}
	return interceptor(ctx, in, &grpc.UnaryServerInfo{FullMethod: "/helloworld.Greeter/SayHello"}, handle)
}

func chat(_ interface{}, stream grpc.ServerStream) error {
	for {
		in := new(wrapperspb.StringValue)
		if err := stream.RecvMsg(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		work(stream.Context())
		if err := stream.SendMsg(in); err != nil {
			return err
		}
	}
}

var both = grpc.StreamDesc{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true}

func useGRPC() {
	server := grpc.NewServer(serverOptions...)
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "helloworld.Greeter",
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "SayHello", Handler: sayHello}},
		Streams:     []grpc.StreamDesc{both},
	}, struct{}{})
	l := listen()
	go server.Serve(l)
	ports["grpc"] = port(l)
	options := append(clientOptions, grpc.WithTransportCredentials(insecure.NewCredentials()))
	connect := func(target string) *grpc.ClientConn {
		if target == "" {
			target = l.Addr().String()
		}
		cc, err := grpc.Dial(target, options...)
		check(err)
		return cc
	}
	orders["unary"] = func(ctx context.Context, o order) error {
		cc := connect(o.Target)
		defer cc.Close()
		return cc.Invoke(ctx, "/helloworld.Greeter/SayHello", wrapperspb.String("hi"), new(wrapperspb.StringValue))
	}
	orders["chat"] = func(ctx context.Context, o order) error {
		cc := connect(o.Target)
		defer cc.Close()
		return talk(ctx, cc)
	}
}

func talk(ctx context.Context, cc *grpc.ClientConn) error {
	stream, err := cc.NewStream(ctx, &both, "/helloworld.Greeter/Chat")
	if err != nil {
		return err
	}
	in := new(wrapperspb.StringValue)
	if err := stream.SendMsg(wrapperspb.String("hi")); err != nil {
		return err
	}
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	if err := stream.RecvMsg(in); err != io.EOF {
		return err
	}
	return nil
}
