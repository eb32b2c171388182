// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// rawCodec sends bytes as they are, so that no generated code is needed.
type rawCodec struct{}

func (rawCodec) Marshal(v interface{}) ([]byte, error) { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(data []byte, v interface{}) error {
	*v.(*[]byte) = append([]byte{}, data...)
	return nil
}
func (rawCodec) Name() string { return "raw" }

// echoAny answers any method, by as many messages as it was sent.
func echoAny(_ interface{}, stream grpc.ServerStream) error {
	path, _ := grpc.MethodFromServerStream(stream)
	came, _ := metadata.FromIncomingContext(stream.Context())
	names := 0
	for name := range came {
		if strings.HasPrefix(name, "x-header-") || name == "x-pad" {
			names++
		}
	}
	saw(path, came["traceparent"])
	hold(path)
	stream.SetHeader(metadata.Pairs("x-names", fmt.Sprint(names)))
	for {
		var message []byte
		if stream.RecvMsg(&message) != nil {
			return nil
		}
		if err := stream.SendMsg(&message); err != nil {
			return err
		}
	}
}

// Of sdk.go, if it is built.
var (
	serverOptions []grpc.ServerOption
	clientOptions []grpc.DialOption
)

func startGRPC(address string) *side {
	if address == "" {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		server := grpc.NewServer(append(serverOptions, grpc.ForceServerCodec(rawCodec{}),
			grpc.UnknownServiceHandler(echoAny))...)
		go server.Serve(listener)
		address = listener.Addr().String()
	}
	conn, err := grpc.Dial(address, append(clientOptions, grpc.WithInsecure(),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))...)
	if err != nil {
		panic(err)
	}
	return &side{kind: "grpc", address: address, call: func(r request) {
		if err := callGRPC(conn, r); err != nil {
			bad(r.path, err)
		}
	}}
}

func callGRPC(conn *grpc.ClientConn, r request) error {
	names := 0
	var pairs []string
	for i := 0; i < len(r.headers); i += 2 {
		pairs = append(pairs, r.headers[i], r.headers[i+1])
		if strings.HasPrefix(r.headers[i], "X-") {
			names++
		}
	}
	ctx := metadata.AppendToOutgoingContext(context.Background(), pairs...)
	in, out := []byte(r.body), []byte{}
	header := metadata.MD{}
	var err error
	if r.trailer { // there is no such thing in gRPC: a stream instead
		err = streamGRPC(ctx, conn, r.path, &in, &out, &header)
	} else {
		err = conn.Invoke(ctx, r.path, &in, &out, grpc.Header(&header))
	}
	if err != nil {
		return err
	}
	if string(out) != r.body || strings.Join(header["x-names"], "") != fmt.Sprint(names) {
		return fmt.Errorf("%d bytes, %s headers of %d", len(out), header["x-names"], names)
	}
	return nil
}

func streamGRPC(ctx context.Context, conn *grpc.ClientConn, path string, in, out *[]byte,
	header *metadata.MD) error {
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, path)
	if err != nil {
		return err
	}
	for i := 0; i < 3; i++ {
		if err := stream.SendMsg(in); err != nil {
			return err
		}
		if err := stream.RecvMsg(out); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var rest []byte
	if err := stream.RecvMsg(&rest); err == nil {
		return fmt.Errorf("a message too many")
	}
	*header, err = stream.Header()
	return err
}
