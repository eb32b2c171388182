# SPDX-License-Identifier: Apache-2.0
"""Programs whose executable the kernel took out of their memory: what they do not read stays out."""
import pytest

from harness import build, memory
from harness.client import get, status_of, traceparent
from harness.otlp import CLIENT, UNSET

GRPC = "google.golang.org/grpc"


@pytest.mark.parametrize("version, mode", [("1.19.13", "default"), (build.NEWEST, "pie stripped")])
def test_requests(start_server, trace, version, mode):
    server = start_server(version=version, mode=mode)
    agent = trace(server)
    with memory.paged_out(server.outer_pid):
        for i in range(100):
            answer = get(server.http, f"/item/{i}?status=404", traceparent(f"{i + 1:032x}"))
            assert status_of(answer) == 404
    agent.wait_spans(100, timeout=5)
    spans = sorted(agent.stop(), key=lambda s: s.start_ns)
    assert [(s["url.path"], int(s.trace_id, 16), s["http.response.status_code"]) for s in spans] == \
        [(f"/item/{i}", i + 1, 404) for i in range(100)]


@pytest.mark.parametrize("go, grpc", [("1.19.13", "1.40.0"), (build.NEWEST, "1.85.0")])
def test_streams_that_end(start_server, trace, go, grpc):
    """By io.EOF, whose text nobody reads."""
    server = start_server(name="grpcapp", version=go, modules=((GRPC, grpc),))
    agent = trace(server)
    with memory.paged_out(server.outer_pid):
        for _ in range(20):
            server.do(do="answers", text="1")
            server.do(do="chat", text="x", count=1)
    agent.wait_spans(80, timeout=5)
    calls = [s for s in agent.stop() if s.kind == CLIENT]
    assert [(s["rpc.response.status_code"], s.status) for s in calls] == [("OK", UNSET)] * 40
