# SPDX-License-Identifier: Apache-2.0
"""Texts of the executable that are not in the program's memory (harness/go/constants)."""
import pytest

from harness import build
from harness.client import get, status_of
from harness.otlp import CLIENT

BUILDS = [("1.21.13", "default", "1.16.0"), (build.NEWEST, "default", "1.47.0"),
          (build.NEWEST, "pie stripped", "1.47.0")]


@pytest.mark.parametrize("version, mode, otel", BUILDS)
def test_constants_are_read_from_the_executable(start_server, trace, version, mode, otel):
    modules = tuple((path, otel) for path in ("go.opentelemetry.io/otel",
                                              "go.opentelemetry.io/otel/trace"))
    server = start_server(name="constants", version=version, mode=mode, modules=modules)
    agent = trace(server)
    for path in ("/panic", "/query", "/span"):
        assert status_of(get(server.http, path)) == 200
    agent.wait_spans(5, timeout=5)
    spans = agent.stop()
    assert agent.done.reasons == "", "nothing was unreadable"
    panic, = (s for s in spans if s["url.path"] == "/panic")
    assert panic.events[0].attributes["exception.message"] == "there is no more"
    call, = (s for s in spans if s.kind == CLIENT)
    assert (call.name, call["db.query.text"]) == ("DELETE shelves",
                                                  "DELETE FROM shelves WHERE id = ?")
    assert call.message == "the shelf is locked"
    span, = (s for s in spans if s.scope == "example.test/shop")
    assert (span.name, span["shelf.name"]) == ("count the shelves", "the upper one")
