# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on.

build       Go programs of harness/go, built with a chosen Go version in a chosen mode, cached
process     children that cannot outlive the test
server      the traced program (harness/go/httpserver)
client      the load (harness/go/client) and single requests byte by byte
gospan      the agent under test: starts it, waits until it is ready, stops it, reads its spans
otlp        OTLP JSON lines as plain objects
collector   a receiver for OTLP/HTTP on loopback that misbehaves when told to
"""
