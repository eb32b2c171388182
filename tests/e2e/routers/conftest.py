# SPDX-License-Identifier: Apache-2.0
import dataclasses

import pytest


@dataclasses.dataclass(frozen=True)
class Build:
    """harness/go/routers with a router's version, by a Go version, in a build mode; tags by commas."""
    tag: str
    module: str
    version: str
    go: str
    mode: str = "default"

    def __str__(self):
        return f"{self.tag} {self.version}, Go {self.go}, {self.mode}"


@pytest.fixture
def spans_of(start_server, trace):
    """spans_of(build, send, count, *server's arguments, env=agent's): the spans, by start, of what
    SEND does."""
    def run(of, send, count, *args, env=None):
        server = start_server(*args, name="routers", version=of.go, mode=of.mode, tags=tuple(of.tag.split(",")),
                              modules=((of.module, of.version),))
        agent = trace(server, env=env)
        send(server)
        agent.wait_spans(count, timeout=4)
        spans = agent.stop()
        assert len(spans) == count, [f"{s.name} {s.attributes}" for s in spans]
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        return sorted(spans, key=lambda s: s.start_ns)
    return run


@pytest.fixture
def routes_of(spans_of):
    """routes_of(build, requests, *server's arguments) checks (method, target, status, route) of each.

    A target may be followed by a Host after a blank.
    """
    def run(of, requests, *args):
        from harness.client import get, status_of

        def send(server):
            for method, target, status, _ in requests:
                target, _, host = target.partition(" ")
                answer = get(server.http, target, method=method, host=host or "127.0.0.1")
                assert status_of(answer) == status, (method, target, answer)

        spans = spans_of(of, send, len(requests), *args)
        got = [(s["http.request.method"], s["url.path"], s["http.response.status_code"],
                s["http.route"]) for s in spans]
        want = [(method, target.partition(" ")[0].partition("?")[0], status, route)
                for method, target, status, route in requests]
        assert got == want
        for span in spans:
            route, method = span["http.route"], span["http.request.method"]
            assert span.name == (f"{method} {route}" if route else method)
    return run


@pytest.fixture
def each_has_its_own(spans_of):
    """each_has_its_own(build, path, route): 200 connections at once, every span is of its request."""
    def run(of, path, route):
        from harness import client
        reports = []

        def send(server):
            reports.append(client.load(server.http, 2000, 200, path=path).check())

        spans = {s.trace_id: s for s in spans_of(of, send, 2000)}
        for request in reports[0].requests:
            span = spans[request["trace_id"]]
            assert span.parent_id == request["parent_span_id"]
            assert span["url.path"] == request["uri"].partition("?")[0]
            assert span["http.response.status_code"] == request["status"]
            assert span["http.route"] == route
    return run
