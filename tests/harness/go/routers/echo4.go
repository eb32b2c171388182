// SPDX-License-Identifier: Apache-2.0

//go:build echo4

package main

import (
	"context"
	"flag"
	"net"
	"net/http"

	"github.com/labstack/echo/v4"
)

var pre = flag.Bool("pre", false, "run middleware before the router as well")

func serve(l net.Listener) {
	e := echo.New()
	answer := func(c echo.Context) error {
		reply(c.Response(), c.Request())
		return nil
	}
	if *pre {
		e.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
			return func(c echo.Context) error {
				if c.Request().URL.Path == "/user/pre" {
					return c.NoContent(http.StatusForbidden)
				}
				c.SetRequest(copied(c.Request()))
				return next(c)
			}
		})
	}
	e.GET("/", answer)
	e.GET("/static", answer)
	e.GET("/user/:id", answer)
	e.HEAD("/user/:id", answer)
	e.POST("/user/:id/post/:post", answer)
	e.GET("/files/*", answer)
	e.GET("/with space/:id", answer)

	api := e.Group("/api/v1", func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.SetRequest(copied(c.Request()))
			return next(c)
		}
	})
	api.GET("/item/:id", answer)
	api.Group("/deep").Any("/leaf/:id", answer)

	e.GET("/blocked/:id", answer, func(echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error { return c.NoContent(http.StatusForbidden) }
	})
	e.GET("/missing/:id", func(echo.Context) error { return echo.ErrNotFound })
	contexts := func(c echo.Context) error {
		callWith(map[string]context.Context{"request": c.Request().Context()})
		return nil
	}
	e.GET("/contexts", contexts)
	api.GET("/contexts", contexts)
	serveHTTP(l, e)
}
