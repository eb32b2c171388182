// SPDX-License-Identifier: Apache-2.0

//go:build fiber

package main

import (
	"context"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

func serve(l net.Listener) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	answer := func(c *fiber.Ctx) error {
		reply(c.Context())
		return nil
	}
	app.Use(func(c *fiber.Ctx) error {
		if c, ok := interface{}(c).(hasUserContext); ok {
			c.SetUserContext(context.WithValue(c.Context(), contextKey{}, 1))
		}
		return c.Next()
	})
	app.Use(recovering)
	app.Get("/", answer)
	app.Get("/static", answer)
	app.Get("/user/:id", answer)
	app.Post("/user/:id/post/:post", answer)
	app.Get("/files/*", answer)

	api := app.Group("/api/v1", func(c *fiber.Ctx) error { return c.Next() })
	api.Get("/item/:id", answer)
	api.Group("/deep").All("/leaf/:id", answer)
	if app, ok := interface{}(app).(mounts); ok {
		sub := fiber.New()
		sub.Get("/leaf/:id", answer)
		app.Mount("/mounted", sub)
	}

	app.Get("/blocked/:id", func(c *fiber.Ctx) error { return c.SendStatus(403) }, answer)
	app.Use("/guarded", func(c *fiber.Ctx) error { return c.SendStatus(403) })
	app.Get("/guarded/:id", answer)
	app.Get("/panic/:id", func(*fiber.Ctx) error { panic("fiber") })
	app.Get("/missing/:id", func(*fiber.Ctx) error { return fiber.ErrNotFound })
	app.Get("/optional/:id?", answer)
	app.Get("/pass/:id", func(c *fiber.Ctx) error { return c.Next() })
	app.Get("/pass/*", answer)
	app.Get("/contexts", func(c *fiber.Ctx) error {
		contexts := map[string]context.Context{"fasthttp": c.Context()}
		if c, ok := interface{}(c).(hasUserContext); ok {
			contexts["user"] = c.UserContext()
		}
		callWith(contexts)
		return nil
	})
	app.Listener(l)
}

type contextKey struct{}

// What not all versions have.
type (
	hasUserContext interface {
		Context() *fasthttp.RequestCtx
		SetUserContext(context.Context)
		UserContext() context.Context
	}
	mounts interface {
		Mount(string, *fiber.App) fiber.Router
	}
)

func recovering(c *fiber.Ctx) (err error) {
	defer func() {
		if recover() != nil {
			err = fiber.ErrInternalServerError
		}
	}()
	return c.Next()
}
