// SPDX-License-Identifier: Apache-2.0

//go:build gin

package main

import (
	"context"
	"flag"
	"net"
	"net/http"
	"reflect"

	"github.com/gin-gonic/gin"
)

var fallback = flag.Bool("fallback", false, "gin's context looks into its request's")

func serve(l net.Listener) {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.HandleMethodNotAllowed = true
	answer := func(c *gin.Context) { reply(c.Writer, c.Request) }
	r.GET("/", answer)
	r.GET("/static", answer)
	r.GET("/user/:id", answer)
	r.HEAD("/user/:id", answer)
	r.POST("/user/:id/post/:post", answer)
	r.GET("/files/*path", answer)
	r.GET("/with space/:id", answer)

	api := r.Group("/api/v1")
	api.Use(func(c *gin.Context) {
		c.Request = copied(c.Request)
		c.Next()
	})
	api.GET("/item/:id", answer)
	api.Group("/deep").Any("/leaf/:id", answer)

	r.GET("/blocked/:id", func(c *gin.Context) { c.AbortWithStatus(http.StatusForbidden) }, answer)
	r.GET("/again/:id", func(c *gin.Context) {
		c.Request.URL.Path = "/user/7"
		r.HandleContext(c)
	})
	if field := reflect.ValueOf(r).Elem().FieldByName("ContextWithFallback"); field.IsValid() { // from 1.8
		field.SetBool(*fallback)
	}
	r.GET("/contexts", func(c *gin.Context) {
		callWith(map[string]context.Context{"own": c, "request": c.Request.Context(), "copy": c.Copy()})
	})
	var kept context.Context // outlives its handler, as a copy may
	r.GET("/keep", func(c *gin.Context) { kept = c.Copy() })
	r.GET("/kept", func(c *gin.Context) { callWith(map[string]context.Context{"kept": kept}) })
	api.GET("/contexts", func(c *gin.Context) { callWith(map[string]context.Context{"own": c}) })
	r.GET("/panic/:id", gin.Recovery(), func(*gin.Context) { panic("gin") })
	serveHTTP(l, r)
}
