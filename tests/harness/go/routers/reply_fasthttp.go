// SPDX-License-Identifier: Apache-2.0

//go:build fiber || fasthttp

package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// reply is nethttp.go's, for fasthttp.
func reply(ctx *fasthttp.RequestCtx) {
	id, _ := strconv.Atoi(string(ctx.Request.Header.Peek("X-Request-Id")))
	status, err := ctx.QueryArgs().GetUint("status")
	if err != nil {
		status = 200
	}
	ctx.Response.Header.Set("X-Request-Id", strconv.Itoa(id))
	ctx.SetStatusCode(status)
	fmt.Fprintf(ctx, "%s %s id=%d body=%d\n", ctx.Method(), ctx.RequestURI(), id,
		len(ctx.PostBody()))
	ctx.WriteString(strings.Repeat(string(rune('a'+id%26)), id*37%1500))
}
