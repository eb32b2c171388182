# SPDX-License-Identifier: Apache-2.0
import dataclasses
import urllib.parse

import pytest

from harness import build, otlp
from harness.client import get

CLIENT = 3
SCOPE = "gospan/database/sql"


@dataclasses.dataclass
class Seen:
    """The spans of some requests: calls in order of their start, requests likewise."""
    calls: list
    requests: list
    agent: object

    @property
    def call(self):
        call, = self.calls
        return call

    @property
    def request(self):
        request, = self.requests
        return request

    def names(self):
        return [span.name for span in self.calls]


def do(q="", **form):
    """Path of a request that makes one call: see harness/go/httpsql, do()."""
    return "/do?" + urllib.parse.urlencode({"db": "fake", "on": "db", "op": "query", "q": q, **form})


def is_child(call, parent):
    """By exact ids, within its time, and the parent is said to be of this process."""
    assert (call.trace_id, call.parent_id) == (parent.trace_id, parent.span_id)
    assert call.flags & 0x300 == 0x100
    assert parent.start_ns <= call.start_ns <= call.end_ns <= parent.end_ns


@pytest.fixture
def see(start_server, trace):
    """see(*paths, calls=, requests=) -> Seen, of requests made one after the other."""
    def run(*paths, calls=1, requests=None, version=build.NEWEST, mode="default", env=None,
            name="httpsql", send=None):
        requests = len(paths) if requests is None else requests
        server = start_server(name=name, version=version, mode=mode)
        agent = trace(server, env=env)
        if send:
            send(server)
        for path in paths:
            assert get(server.http, path), path
        agent.wait_spans(calls + requests, timeout=5)
        spans = sorted(agent.stop(), key=lambda span: span.start_ns)
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        seen = Seen([s for s in spans if s.scope == SCOPE], [s for s in spans if s.kind == otlp.SERVER],
                    agent)
        assert (len(seen.calls), len(seen.requests)) == (calls, requests), [
            f"{s.name} {s.attributes}" for s in spans]
        assert all(call.kind == CLIENT for call in seen.calls)
        assert all(call.status in (otlp.UNSET, otlp.ERROR) for call in seen.calls)
        return seen
    return run
