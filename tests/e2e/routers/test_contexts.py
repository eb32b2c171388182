# SPDX-License-Identifier: Apache-2.0
"""Contexts as routers hand them on: what is called with them, on goroutines that were there before the
request, is below the request's span."""
import dataclasses
import urllib.parse

import pytest

from harness.client import get, status_of, traceparent
from harness.otlp import CLIENT, SERVER

from . import test_chi, test_echo, test_fiber, test_gin

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ECHO = [test_echo.BUILDS_4[4], test_echo.NEWEST_4, test_echo.NEWEST_5]
GIN = [test_gin.BUILDS[0], test_gin.BUILDS[4], test_gin.NEWEST, test_gin.BUILDS[7]]
CHI = [test_chi.BUILDS[0], test_chi.NEWEST]
FIBER = [test_fiber.BUILDS[2], test_fiber.NEWEST, test_fiber.BUILDS[5]]


def label(span):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(span["url.full"]).query)["label"][0]


@pytest.fixture
def check(spans_of):
    """check(build, contexts, paths, *server's arguments): three calls by each of CONTEXTS of a request
    to each of PATHS."""
    def run(of, contexts, paths, *args):
        def send(server):
            for path in paths:
                assert status_of(get(server.http, path, traceparent())) == 200

        calls = 3 * len(contexts)
        of = dataclasses.replace(of, tag=of.tag + ",calls")
        spans = spans_of(of, send, len(paths) * (1 + 2 * calls), *args)
        outer = [s for s in spans if s.kind == SERVER and s["url.path"] in paths]
        assert [s["url.path"] for s in outer] == list(paths)
        for server in outer:
            assert (server.trace_id, server.parent_id) == (TRACE, SPAN)
            below = [s for s in spans if s.kind == CLIENT and s.parent_id == server.span_id]
            assert sorted(map(label, below)) == sorted(
                name + kind for name in contexts for kind in ("", "-derived", "-group"))
            assert {s.trace_id for s in below} == {TRACE}
    return run


@pytest.mark.parametrize("args", [[], ["-fallback"]])
@pytest.mark.parametrize("of", GIN, ids=str)
def test_gin(check, of, args):
    """*gin.Context is a context by itself; whether it asks its request's is a setting from 1.8."""
    check(of, ["own", "request", "copy"], ["/contexts"], *args)


@pytest.mark.parametrize("of", GIN[1:3], ids=str)
def test_gin_with_a_request_of_middleware(check, of):
    check(of, ["own"], ["/api/v1/contexts"])


@pytest.mark.parametrize("of", GIN, ids=str)
def test_gin_copy_that_is_used_later(spans_of, of):
    """While another request is served, with the gin.Context that the first one had."""
    of = dataclasses.replace(of, tag=of.tag + ",calls")
    spans = spans_of(of, lambda s: [get(s.http, path) for path in ("/keep", "/kept")], 2 + 2 * 3)
    keep, = (s for s in spans if s["url.path"] == "/keep")
    calls = [s for s in spans if s.kind == CLIENT and s.parent_id == keep.span_id]
    assert sorted(map(label, calls)) == ["kept", "kept-derived", "kept-group"]
    assert {s.trace_id for s in calls} == {keep.trace_id}


@pytest.mark.parametrize("of", ECHO, ids=str)
def test_echo(check, of):
    check(of, ["request"], ["/contexts", "/api/v1/contexts"])


@pytest.mark.parametrize("of", CHI, ids=str)
def test_chi(check, of):
    check(of, ["request"], ["/contexts", "/deadline/contexts"])


@pytest.mark.parametrize("of", FIBER, ids=str)
def test_fiber(check, of):
    check(of, ["fasthttp", "user"], ["/contexts"])
