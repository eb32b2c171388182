// SPDX-License-Identifier: Apache-2.0

//go:build gin

package main

import (
	"net"
	"net/http"

	"github.com/gin-gonic/gin"
)

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
	r.GET("/panic/:id", gin.Recovery(), func(*gin.Context) { panic("gin") })
	serveHTTP(l, r)
}
