// SPDX-License-Identifier: Apache-2.0

//go:build go1.22

package main

// ServeMux knows methods, hosts and wildcards.
const newMux = true
