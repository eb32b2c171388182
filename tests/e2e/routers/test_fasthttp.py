# SPDX-License-Identifier: Apache-2.0
"""fasthttp: a SERVER span a request; it has no routes of its own."""
import pytest

from harness import otlp
from harness.client import exchange, get, traceparent

from .conftest import Build

FASTHTTP = "github.com/valyala/fasthttp"
BUILDS = [Build("fasthttp", FASTHTTP, *rest) for rest in (
    ("1.16.0", "1.19.13"), ("1.16.0", "1.19.13", "-N -l"), ("1.34.0", "1.21.13"),
    ("1.51.0", "1.24.9"), ("1.51.0", "1.24.9", "pie stripped"), ("1.77.0", "1.27.1"),
    ("1.77.0", "1.27.1", "pie stripped"), ("1.77.0", "1.27.1", "-N -l"))]
OLDEST, NEWEST = BUILDS[0], BUILDS[5]


@pytest.mark.parametrize("of", BUILDS, ids=str)
def test_attributes(spans_of, of):
    ports = []

    def send(server):
        ports.append(server.http)
        get(server.http, "/a/b%20c?status=503&x=1", traceparent(), "User-Agent: one/1",
            "tracestate: a=b", method="POST", body=b"12345", host=f"example.test:{server.http}")
    span, = spans_of(of, send, 1, env={"GOSPAN_HTTP_BODY_SIZE": "true"})
    assert span.kind == otlp.SERVER and span.name == "POST"
    assert span.scope == "gospan/" + FASTHTTP
    assert (span.trace_id, span.parent_id) == ("0af7651916cd43dd8448eb211c80319c",
                                               "b7ad6b7169203331")
    assert span.trace_state == "a=b"
    assert span.status == otlp.ERROR
    assert isinstance(span.attributes.pop("network.peer.port"), int)
    assert span.attributes == {
        "http.request.method": "POST", "url.path": "/a/b%20c", "url.query": "status=503&x=1",
        "url.scheme": "http", "network.peer.address": "127.0.0.1", "client.address": "127.0.0.1",
        "server.address": "example.test", "server.port": ports[0],
        "network.protocol.version": "1.1", "user_agent.original": "one/1",
        "http.response.status_code": 503, "http.request.body.size": 5,
        "http.response.body.size": len(b"POST /a/b%20c?status=503&x=1 id=0 body=5\n"),
        "error.type": "503"}


@pytest.mark.parametrize("of", BUILDS, ids=str)
def test_200_at_once(each_has_its_own, of):
    each_has_its_own(of, "/user/{id}", None)


def pipelined(*targets):
    return "".join(f"GET {t} HTTP/1.1\r\nHost: a\r\nX-Request-Id: {i}\r\n\r\n"
                   for i, t in enumerate(targets)).encode()


@pytest.mark.parametrize("args", [[], ["-lean"]])
@pytest.mark.parametrize("of", [OLDEST, BUILDS[3], NEWEST], ids=str)
def test_one_connection(spans_of, of, args):
    """Requests in a row, then one that is none, which no handler sees."""
    def send(server):
        exchange(server.http, pipelined("/1", "/2?status=404", "/3") + b"nonsense\r\n\r\n")
    spans = spans_of(of, send, 3, *args)
    assert [(s["url.path"], s["http.response.status_code"]) for s in spans] == [
        ("/1", 200), ("/2", 404), ("/3", 200)]
    assert len({s.trace_id for s in spans}) == 3


@pytest.mark.parametrize("of", [OLDEST, BUILDS[3], NEWEST], ids=str)
def test_expect_continue(spans_of, of):
    head = b"POST /%d HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n"

    def send(server):
        assert b"body=3" in exchange(server.http, head % 1 + b"Connection: close\r\n\r\nabc")
    span, = spans_of(of, send, 1)
    assert (span["url.path"], span["http.response.status_code"]) == ("/1", 200)


@pytest.mark.parametrize("of", [OLDEST, NEWEST], ids=str)
def test_recovered_panic(spans_of, of):
    span, = spans_of(of, lambda s: get(s.http, "/panic/1"), 1, "-recover")
    assert span["http.response.status_code"] == 500
    assert span.events[0].attributes["exception.message"] == "fasthttp"


@pytest.mark.parametrize("of", [OLDEST, BUILDS[3], NEWEST], ids=str)
def test_hijacked_and_timed_out(spans_of, of):
    def send(server):
        for target in ("/hijack", "/silent", "/timeout"):
            exchange(server.http, pipelined(target) if target != "/timeout" else
                     b"GET /timeout HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    spans = spans_of(of, send, 3)
    assert [(s["url.path"], s["http.response.status_code"]) for s in spans] == [
        ("/hijack", 101), ("/silent", None), ("/timeout", 408)]


@pytest.mark.parametrize("args", [[], ["-verbatim"]])
def test_header_names(spans_of, args):
    """As clients send them: in lower case, or once too often."""
    def send(server):
        get(server.http, "/1", traceparent())
        get(server.http, "/2", traceparent(), traceparent(span_id="1" * 16))
        get(server.http, "/3", *[f"X-More-{i}: {i}" for i in range(30)], traceparent())
        get(server.http, "/4")
    spans = spans_of(NEWEST, send, 4, *args)
    assert [s.parent_id for s in spans] == ["b7ad6b7169203331", "", "b7ad6b7169203331", ""]


@pytest.mark.parametrize("of", [OLDEST, BUILDS[3], NEWEST], ids=str)
def test_calls_below_it(spans_of, of):
    """With the RequestCtx as context, on another goroutine."""
    spans = spans_of(of, lambda s: get(s.http, "/call"), 3)
    outer, = (s for s in spans if s["url.path"] == "/call")
    call, = (s for s in spans if s.kind != otlp.SERVER)
    assert (call.trace_id, call.parent_id) == (outer.trace_id, outer.span_id)




def test_excluded_paths(spans_of):
    spans = spans_of(NEWEST, lambda s: [get(s.http, f"/{n}/x?a=b") for n in ("live", "user")], 1,
                     env={"GOSPAN_EXCLUDE_PATHS": "/live/*"})
    assert spans[0]["url.path"] == "/user/x"
