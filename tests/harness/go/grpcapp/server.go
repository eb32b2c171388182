// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const service = "helloworld.Greeter"

type text = wrapperspb.StringValue

type greeter struct{}

// What the text of a request says is done: "verb:argument".
func (greeter) obey(ctx context.Context, said string) (string, error) {
	verb, argument, _ := cut(said, ":")
	switch verb {
	case "status": // status:5:no such thing
		code, message, _ := cut(argument, ":")
		n, _ := strconv.Atoi(code)
		return "", status.Error(codes.Code(n), message)
	case "plain":
		return "", errors.New(argument)
	case "sleep":
		ms, _ := strconv.Atoi(argument)
		time.Sleep(time.Duration(ms) * time.Millisecond)
	case "wait":
		<-ctx.Done()
		return "", ctx.Err()
	case "panic":
		panic(argument)
	case "exit":
		runtime.Goexit()
	case "begin": // the answer, then sleep
		grpc.SendHeader(ctx, nil)
		time.Sleep(300 * time.Millisecond)
	case "call": // another RPC, with the handler's context
		return "", unary(ctx, order{Target: address}.connection(), order{Text: argument})
	case "background": // another RPC, without
		return "", unary(context.Background(), order{Target: address}.connection(), order{Text: argument})
	}
	return said, nil
}

type tagger int

func (n tagger) TagRPC(ctx context.Context, info *stats.RPCTagInfo) context.Context {
	for i := 0; i < int(n); i++ {
		ctx = context.WithValue(ctx, tagger(i), info.FullMethodName)
	}
	return ctx
}

func (tagger) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (tagger) HandleRPC(context.Context, stats.RPCStats)                         {}
func (tagger) HandleConn(context.Context, stats.ConnStats)                       {}

func cut(s, by string) (string, string, bool) {
	if i := strings.Index(s, by); i >= 0 {
		return s[:i], s[i+len(by):], true
	}
	return s, "", false
}

func sayHello(srv interface{}, ctx context.Context, decode func(interface{}) error,
	interceptor grpc.UnaryServerInterceptor) (interface{}, error) {
	in := new(text)
	if err := decode(in); err != nil {
		return nil, err
	}
	handle := func(ctx context.Context, request interface{}) (interface{}, error) {
		said, err := srv.(greeter).obey(ctx, request.(*text).Value)
		if err != nil {
			return nil, err
		}
		return wrapperspb.String(said), nil
	}
	if interceptor == nil {
		return handle(ctx, in)
	}
	info := &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + service + "/SayHello"}
	return interceptor(ctx, in, info, handle)
}

// One request; as many answers as its text says ("3" or "3|verb:argument", which comes last).
func sendMany(srv interface{}, stream grpc.ServerStream) error {
	in := new(text)
	if err := stream.RecvMsg(in); err != nil {
		return err
	}
	count, then, _ := cut(in.Value, "|")
	n, _ := strconv.Atoi(count)
	for i := 0; i < n; i++ {
		if err := stream.SendMsg(wrapperspb.String(fmt.Sprint(i))); err != nil {
			return err
		}
	}
	_, err := srv.(greeter).obey(stream.Context(), then)
	return err
}

// Requests until the client has no more, then one answer.
func takeMany(srv interface{}, stream grpc.ServerStream) error {
	for n := 0; ; n++ {
		in := new(text)
		switch err := stream.RecvMsg(in); err {
		case nil:
			if _, err := srv.(greeter).obey(stream.Context(), in.Value); err != nil {
				return err
			}
		case io.EOF:
			return stream.SendMsg(wrapperspb.String(fmt.Sprint(n)))
		default:
			return err
		}
	}
}

// An answer to each request.
func chat(srv interface{}, stream grpc.ServerStream) error {
	for {
		in := new(text)
		if err := stream.RecvMsg(in); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		said, err := srv.(greeter).obey(stream.Context(), in.Value)
		if err != nil {
			return err
		}
		if err := stream.SendMsg(wrapperspb.String(said)); err != nil {
			return err
		}
	}
}

var (
	manyAnswers  = grpc.StreamDesc{StreamName: "SendMany", Handler: sendMany, ServerStreams: true}
	manyRequests = grpc.StreamDesc{StreamName: "TakeMany", Handler: takeMany, ClientStreams: true}
	both         = grpc.StreamDesc{StreamName: "Chat", Handler: chat, ServerStreams: true, ClientStreams: true}
)

func register(server *grpc.Server) {
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*interface{})(nil),
		Methods:     []grpc.MethodDesc{{MethodName: "SayHello", Handler: sayHello}},
		Streams:     []grpc.StreamDesc{manyAnswers, manyRequests, both},
	}, greeter{})
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = status.Errorf(codes.Internal, "recovered: %v", r)
	}
}

func interceptUnary(ctx context.Context, request interface{}, _ *grpc.UnaryServerInfo,
	handler grpc.UnaryHandler) (answer interface{}, err error) {
	defer recovered(&err)
	if request.(*text).Value == "deny" {
		return nil, status.Error(codes.PermissionDenied, "not you")
	}
	return handler(ctx, request)
}

func interceptStream(srv interface{}, stream grpc.ServerStream, info *grpc.StreamServerInfo,
	handler grpc.StreamHandler) (err error) {
	defer recovered(&err)
	if strings.HasSuffix(info.FullMethod, "Many") {
		return handler(srv, stream)
	}
	return handler(srv, wrapped{stream})
}

type wrapped struct{ grpc.ServerStream }

// The gRPC server as a handler of net/http's HTTP/2 server, by TLS or without.
func serveHandler(l net.Listener, server *grpc.Server, secure bool) {
	if secure {
		web := &http.Server{Handler: server, TLSConfig: certificate()}
		web.ServeTLS(l, "", "")
	} else {
		(&http.Server{Handler: h2c.NewHandler(server, &http2.Server{})}).Serve(l)
	}
}

func inMemory() func(context.Context, string) (net.Conn, error) {
	l := bufconn.Listen(1 << 16)
	server := grpc.NewServer()
	register(server)
	go server.Serve(l)
	return func(context.Context, string) (net.Conn, error) { return l.Dial() }
}

func certificate() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}
