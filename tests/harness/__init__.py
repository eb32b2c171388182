# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests stand on.

build       Go programs of harness/go, built with a chosen Go version in a chosen mode, cached
process     children that cannot outlive the test
server      the traced program (harness/go/httpserver)
client      the load (harness/go/client) and single requests byte by byte
gospan      the agent under test: starts it, waits until it is ready, stops it, reads its spans
otlp        OTLP JSON lines as plain objects
curl        HTTP/2, and single requests that need no raw bytes
expect      what the spans of a load must look like
trees       the spans of a request, from the top down
receiver    an OTLP receiver on loopback that answers by script
skip        what a machine cannot do is a skip with its reason
"""
