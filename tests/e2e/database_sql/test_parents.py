# SPDX-License-Identifier: Apache-2.0
"""Whose a call is: by context, by goroutine, by birth; by exact ids."""
import collections

import pytest

from harness import client, otlp

from .conftest import Seen, do, is_child, SCOPE

VERSIONS = ["1.19.13", "1.24.9", "1.27.1"]


@pytest.mark.parametrize("version", VERSIONS)
def test_fan_out(see, version):
    seen = see("/fanout", calls=2, version=version)
    for call in seen.calls:
        is_child(call, seen.request)
    first, second = seen.calls
    assert second.start_ns < first.end_ns, "they ran at the same time"


def test_group(see):
    seen = see("/group", calls=4)
    assert sorted(seen.names()) == ["DELETE group0", "DELETE group1", "DELETE group2", "SELECT grp"]
    for call in seen.calls:
        is_child(call, seen.request)


def test_deep_context_on_another_goroutine(see):
    seen = see("/deep")
    is_child(seen.call, seen.request)


def test_worker(see):
    """A worker that was started before all requests: the job's context tells; without one, nobody."""
    seen = see("/worker?ctx=1", "/worker", calls=2)
    is_child(seen.calls[0], seen.requests[0])
    assert seen.calls[1].parent_id == ""
    assert seen.calls[1].trace_id not in {request.trace_id for request in seen.requests}


def test_goroutine_that_outlives_its_handler(see):
    seen = see("/outlive?ctx=1", "/waitlater")
    handler = seen.requests[0]
    assert (seen.call.trace_id, seen.call.parent_id) == (handler.trace_id, handler.span_id)
    assert seen.call.start_ns > handler.end_ns
    assert (seen.call["error.type"], seen.call.message) == ("context.Canceled", "context canceled")
    assert seen.call.status == otlp.ERROR


def test_goroutine_that_outlives_its_handler_without_context(see):
    seen = see("/outlive", "/waitlater")
    assert seen.call.parent_id == ""


def test_keep_alive(see):
    """Handlers of one connection share a goroutine: each has its own calls."""
    def send(server):
        client.load(server.http, 20, 1, brief=True, path=do("SELECT a FROM b"))
    seen = see(calls=20, requests=20, send=send)
    for call, request in zip(seen.calls, seen.requests):
        is_child(call, request)


@pytest.mark.parametrize("version", VERSIONS)
def test_many_at_once(see, version):
    """500 requests, 100 at a time, each with a query and a transaction: each trace has its own."""
    def send(server):
        client.load(server.http, 500, 100, brief=True, path="/mixed")
    seen = see(calls=2500, requests=500, send=send, version=version)
    traces = collections.defaultdict(lambda: Seen([], [], None))
    for span in seen.calls:
        traces[span.trace_id].calls.append(span)
    for span in seen.requests:
        traces[span.trace_id].requests.append(span)
    assert len(traces) == 500
    for trace in traces.values():
        assert trace.names() == ["SELECT orders", "BEGIN", "INSERT orders", "UPDATE stock", "COMMIT"]
        for call in trace.calls:
            is_child(call, trace.request)
