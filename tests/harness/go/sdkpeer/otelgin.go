// SPDX-License-Identifier: Apache-2.0

//go:build otelgin

package main

import (
	"os"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin"
)

func init() { starts = append(starts, useGin) }

// useGin: requests have otelgin's span; a query has gin's own context, on another goroutine.
func useGin() {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.ContextWithFallback = os.Getenv("FALLBACK") != ""
	r.Use(otelgin.Middleware("peer"))
	r.GET("/work", func(c *gin.Context) {
		work(c.Request.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			query(c, "SELECT 1 FROM gin_context")
		}()
		<-done
	})
	web = r
}
