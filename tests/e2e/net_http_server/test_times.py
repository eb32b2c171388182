# SPDX-License-Identifier: Apache-2.0
"""Start and end lie within the client's own wall-clock interval."""
from harness import client, expect


def test_within_the_clients_interval(start_server, trace):
    server = start_server()
    agent = trace(server)
    report = client.load(server.http, 300, 2, path="/slow?ms=5&i={id}").check()
    agent.wait_spans(300)
    requests = [{**r, "route": "/slow"} for r in report.requests]
    spans = agent.stop()
    expect.spans_match(spans, requests, True)
    assert all(5 <= s.duration_ms < 5000 for s in spans)
