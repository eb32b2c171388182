// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// The health service is a unary RPC whose messages need no generated code of our own.
func serveGRPC() string {
	var options []grpc.ServerOption
	if *sdk {
		options = append(options, grpc.StatsHandler(serverHandler()))
	}
	l := listen()
	server := grpc.NewServer(options...)
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go server.Serve(l)
	return l.Addr().String()
}

func prepareGRPC(_, address string) (func(context.Context) error, error) {
	options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
	if *sdk {
		options = append(options, grpc.WithStatsHandler(clientHandler()))
	}
	conn, err := grpc.NewClient(address, options...)
	if err != nil {
		return nil, err
	}
	client := grpc_health_v1.NewHealthClient(conn)
	return func(ctx context.Context) error {
		_, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		return err
	}, nil
}
