// SPDX-License-Identifier: Apache-2.0

//go:build grpcclient && !interceptors

package main

import (
	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
)

func init() {
	starts = append([]func(){func() {
		clientOptions = append(clientOptions, grpc.WithStatsHandler(otelgrpc.NewClientHandler()))
	}}, starts...)
}
