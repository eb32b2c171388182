// SPDX-License-Identifier: Apache-2.0

//go:build otelsql

package main

import (
	"context"

	"github.com/XSAM/otelsql"
)

func init() { starts = append(starts, useSQL) }

// useSQL: every query has otelsql's span.
func useSQL() {
	var err error
	db, err = otelsql.Open("nothing", "")
	check(err)
	orders["sql"] = func(ctx context.Context, _ order) error {
		work(ctx)
		return nil
	}
}
