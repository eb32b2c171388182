// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

type order struct {
	Do        string            // what, see obey
	Target    string            // "": the own server
	Method    string            // "": the one that belongs to Do
	Text      string            // of the requests; "#" becomes the number of the call
	Count     int               // calls, or messages of a stream
	Parallel  int               // goroutines that make the calls
	Conns     int               // connections that they share
	Metadata  map[string]string // of each call
	More      int               // other fields of it
	TimeoutMs int
	CancelMs  int
	Intercept bool // client interceptors
	TLS       bool // the server wants that
	Streams   bool // every second call is a stream
	Retry     bool // what fails for UNAVAILABLE, up to three times in all
}

type answer struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Codes   map[string]int `json:"codes"` // how often each came
}

var (
	mu          sync.Mutex
	connections = map[string]*grpc.ClientConn{}
)

const retries = `{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 3,
	"initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1,
	"retryableStatusCodes": ["UNAVAILABLE"]}}]}`

func (o order) connect(options ...grpc.DialOption) *grpc.ClientConn {
	secrecy := insecure.NewCredentials()
	if o.TLS {
		secrecy = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	options = append(options, grpc.WithTransportCredentials(secrecy))
	if o.Intercept {
		options = append(options, grpc.WithUnaryInterceptor(interceptCall),
			grpc.WithStreamInterceptor(interceptOpen))
	}
	if o.Retry {
		options = append(options, grpc.WithDefaultServiceConfig(retries))
	}
	cc, err := grpc.Dial(o.Target, options...)
	if err != nil {
		log.Fatal(err)
	}
	return cc
}

func (o order) connection() *grpc.ClientConn {
	mu.Lock()
	defer mu.Unlock()
	key := fmt.Sprint(o.Target, o.Intercept, o.TLS, o.Retry)
	if connections[key] == nil {
		connections[key] = o.connect()
	}
	return connections[key]
}

// "twice" is called twice, "elsewhere" on a goroutine of its own, "token" after a call of its own, "deny" not at all, "plain" fails with an error of no status.
func interceptCall(ctx context.Context, method string, request, reply interface{},
	cc *grpc.ClientConn, invoker grpc.UnaryInvoker, options ...grpc.CallOption) error {
	switch request.(*text).Value {
	case "deny":
		return status.Error(codes.Unauthenticated, "no token")
	case "plain":
		return fmt.Errorf("no token at all")
	case "eof":
		return io.EOF
	case "wrapped eof":
		return fmt.Errorf("cache: %w", io.EOF)
	case "wrap":
		return fmt.Errorf("greeter: %w", status.Error(codes.NotFound, "nobody"))
	case "token": // gets one first, by a call of its own
		if err := cc.Invoke(ctx, method, wrapperspb.String("before"), reply); err != nil {
			return err
		}
	case "elsewhere":
		done := make(chan error)
		go func() { done <- invoker(ctx, method, request, reply, cc, options...) }()
		return <-done
	case "swallow":
		invoker(ctx, method, wrapperspb.String("status:5:nobody"), reply, cc, options...)
		return nil
	case "twice":
		if err := invoker(ctx, method, wrapperspb.String("status:14:busy"), reply, cc, options...); err == nil {
			return status.Error(codes.Internal, "was not busy")
		}
	}
	time.Sleep(2 * time.Millisecond)
	return invoker(ctx, method, request, reply, cc, options...)
}

func interceptOpen(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string,
	streamer grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	if _, ok := ctx.Value(denied{}).(bool); ok {
		return nil, status.Error(codes.Unauthenticated, "no token")
	}
	stream, err := streamer(ctx, desc, cc, method, options...)
	if err != nil {
		return nil, err
	}
	return &opened{stream}, nil
}

type denied struct{}

type opened struct{ grpc.ClientStream }

func (o order) method(name string) string {
	if o.Method != "" {
		return o.Method
	}
	return "/" + service + "/" + name
}

func unary(ctx context.Context, cc *grpc.ClientConn, o order) error {
	return cc.Invoke(ctx, o.method("SayHello"), wrapperspb.String(o.Text), new(text))
}

// Sends COUNT messages and reads until the end.
func stream(ctx context.Context, cc *grpc.ClientConn, desc *grpc.StreamDesc, o order,
	between func()) error {
	s, err := cc.NewStream(ctx, desc, o.method(desc.StreamName))
	if err != nil {
		return err
	}
	between()
	sent := 0
	for ; sent < o.Count || sent == 0; sent++ {
		if err := s.SendMsg(wrapperspb.String(o.Text)); err != nil {
			break // the answer says why
		}
		if desc.ServerStreams && desc.ClientStreams {
			if err := s.RecvMsg(new(text)); err != nil {
				return ended(err)
			}
		}
		if !desc.ClientStreams {
			break
		}
	}
	between()
	if err := s.CloseSend(); err != nil {
		return err
	}
	for {
		if err := s.RecvMsg(new(text)); err != nil {
			return ended(err)
		}
		if !desc.ServerStreams {
			return nil
		}
	}
}

func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// Count calls by Parallel goroutines over Conns connections, all with the same context.
func many(ctx context.Context, o order, out *answer) error {
	var group sync.WaitGroup
	jobs := make(chan int, o.Count)
	for i := 0; i < o.Count; i++ {
		jobs <- i
	}
	close(jobs)
	conns := []*grpc.ClientConn{o.connection()}
	for len(conns) < o.Conns {
		conns = append(conns, o.connect())
	}
	for p := 0; p < o.Parallel || p == 0; p++ {
		group.Add(1)
		go func(cc *grpc.ClientConn) {
			defer group.Done()
			for i := range jobs {
				call := ctx
				if o.Metadata["traceparent"] == "numbered" {
					call = metadata.AppendToOutgoingContext(ctx, "traceparent",
						fmt.Sprintf("00-%032x-%016x-01", i+1, i+1))
				}
				mine := o
				mine.Text = strings.Replace(o.Text, "#", fmt.Sprint(i), 1)
				err := error(nil)
				if o.Streams && i%2 == 1 {
					mine.Count = 1
					err = stream(call, cc, &both, mine, func() {})
				} else {
					err = unary(call, cc, mine)
				}
				mu.Lock()
				out.Codes[status.Code(err).String()]++
				mu.Unlock()
			}
		}(conns[p%len(conns)])
	}
	group.Wait()
	return nil
}

func (o order) run(ctx context.Context, out *answer) error {
	cc := o.connection()
	nothing := func() {}
	switch o.Do {
	case "unary":
		return unary(ctx, cc, o)
	case "fresh": // on a connection of its own
		cc := o.connect()
		defer cc.Close()
		return unary(ctx, cc, o)
	case "hang up": // in the middle of the call
		cc := o.connect()
		time.AfterFunc(100*time.Millisecond, func() { cc.Close() })
		return unary(ctx, cc, o)
	case "in memory": // to a server that no network leads to
		cc := o.connect(grpc.WithContextDialer(inMemory()))
		defer cc.Close()
		return unary(ctx, cc, o)
	case "late": // with a context that is over
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return unary(ctx, cc, o)
	case "repeat": // one after the other
		for i := 0; i < o.Count; i++ {
			if err := unary(ctx, cc, o); err != nil {
				return err
			}
		}
		return nil
	case "many":
		return many(ctx, o, out)
	case "answers":
		return stream(ctx, cc, &manyAnswers, o, nothing)
	case "requests":
		return stream(ctx, cc, &manyRequests, o, nothing)
	case "chat":
		return stream(ctx, cc, &both, o, nothing)
	case "chat and calls": // calls on the same goroutine while the stream is open
		return stream(ctx, cc, &both, o, func() {
			if err := unary(ctx, cc, order{Text: "between"}); err != nil {
				log.Fatal(err)
			}
		})
	case "chat elsewhere": // opened on a goroutine that ends, used on another
		opened := make(chan grpc.ClientStream)
		go func() {
			s, err := cc.NewStream(ctx, &both, o.method("Chat"))
			if err != nil {
				log.Fatal(err)
			}
			opened <- s
		}()
		s := <-opened
		s.SendMsg(wrapperspb.String(o.Text))
		s.RecvMsg(new(text))
		s.CloseSend()
		return ended(s.RecvMsg(new(text)))
	case "open denied":
		return stream(context.WithValue(ctx, denied{}, true), cc, &both, o, nothing)
	case "leave": // opens a stream and forgets it, but for its context
		_, err := cc.NewStream(ctx, &both, o.method("Chat"))
		return err
	}
	return fmt.Errorf("no such order: %q", o.Do)
}

func (o order) obey(ctx context.Context) answer {
	out := answer{Codes: map[string]int{}}
	if o.Target == "" {
		o.Target = address
	}
	for key, value := range o.Metadata {
		if value != "numbered" {
			ctx = metadata.AppendToOutgoingContext(ctx, key, value)
		}
	}
	for i := 0; i < o.More; i++ {
		ctx = metadata.AppendToOutgoingContext(ctx, fmt.Sprintf("x-more-%d", i), fmt.Sprint(i))
	}
	cancel := context.CancelFunc(func() {})
	if o.TimeoutMs != 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(o.TimeoutMs)*time.Millisecond)
	} else if o.CancelMs != 0 {
		ctx, cancel = context.WithCancel(ctx)
		time.AfterFunc(time.Duration(o.CancelMs)*time.Millisecond, cancel)
	}
	err := o.run(ctx, &out)
	out.Code, out.Message = status.Code(err).String(), status.Convert(err).Message()
	cancel()
	return out
}
