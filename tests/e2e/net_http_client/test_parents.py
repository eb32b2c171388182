# SPDX-License-Identifier: Apache-2.0
"""Whose child a CLIENT span is: by its context, its goroutine, or who started that; never a guess."""
import time

import pytest

from harness import client
from harness.client import traceparent

from .conftest import CLIENT, SERVER, by_label, label, server_of

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
VERSIONS = pytest.mark.parametrize("version", ["1.19.13", "1.22.12", "1.24.9", "1.26.8", "1.27.1"])
OLD_AND_NEW = pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
BUILDS = pytest.mark.parametrize("mode", ["-race", "-N -l", "pie stripped", "pgo"])


def siblings(spans, labels):
    """The one SERVER span has exactly these calls, as its children."""
    server, clients = server_of(spans), by_label(spans)
    assert set(clients) == set(labels)
    for span in clients.values():
        assert (span.trace_id, span.parent_id) == (server.trace_id, server.span_id), label(span)
    assert server.parent_id == ""


@VERSIONS
def test_two_goroutines_with_the_same_context(calls, version):
    both = calls(version=version)
    both.case("fanout")
    siblings(both.spans(3), "ab")


@BUILDS
def test_two_goroutines_in_other_builds(calls, mode):
    both = calls(mode=mode)
    both.case("fanout")
    siblings(both.spans(3), "ab")


@VERSIONS
def test_errgroup(calls, version):
    both = calls(version=version)
    both.case("errgroup")
    siblings(both.spans(4), "abc")


@VERSIONS
def test_worker_with_the_context_in_its_job(calls, version):
    both = calls(version=version)
    for _ in range(8):  # each of the four workers more than once
        both.case("pool")
    spans = both.spans(16)
    servers = {s.span_id: s for s in spans if s.kind == SERVER}
    clients = [s for s in spans if s.kind == CLIENT]
    assert len({c.parent_id for c in clients}) == 8
    assert all(c.trace_id == servers[c.parent_id].trace_id for c in clients)


@VERSIONS
def test_worker_without_a_context_has_no_parent(calls, version):
    both = calls(version=version)
    both.case("poolbare")
    server, call = sorted(both.spans(2), key=lambda s: s.kind)
    assert call.parent_id == "" and call.trace_id != server.trace_id


@VERSIONS
def test_goroutine_that_outlives_its_handler(calls, version):
    both = calls(version=version)
    both.case("outlive")
    spans = both.spans(4)
    server, found = server_of(spans), by_label(spans)
    for name in ("over", "kept"):
        assert (found[name].trace_id, found[name].parent_id) == (server.trace_id, server.span_id)
        assert found[name].start_ns > server.end_ns
    assert (found["over"].status, found["over"]["http.response.status_code"]) == (0, None)
    assert found["kept"]["http.response.status_code"] == 200
    assert found["bare"].parent_id == "" and found["bare"].trace_id != server.trace_id


@OLD_AND_NEW
@pytest.mark.parametrize("kind", ["timeout", "cancel", "value", "withoutcancel", "afterfunc"])
@pytest.mark.parametrize("n", [1, 20])
def test_derived_contexts(calls, version, kind, n):
    both = calls(version=version)
    both.case("deep", kind=kind, n=n)
    siblings(both.spans(2), ["deep"])


@pytest.mark.parametrize("version", ["1.20.14", "1.21.13", "1.23.12"])
def test_derived_contexts_of_other_versions(calls, version):
    both = calls(version=version)
    for kind in ("timeout", "afterfunc", "withoutcancel"):
        both.case("deep", kind=kind, n=20)
    spans = both.spans(6)
    servers = {s.span_id for s in spans if s.kind == SERVER}
    assert {s.parent_id for s in spans if s.kind == CLIENT} == servers


@OLD_AND_NEW
def test_worker_hired_by_an_earlier_request(calls, version):
    """Its first call comes during the second request of the same connection."""
    both = calls(version=version)
    one = f"GET /case/hire?to={both.to}/ok/1 HTTP/1.1\r\nHost: a\r\n\r\n"
    two = "GET /case/order HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    client.exchange(both.front.http, (one + two).encode())
    spans = both.spans(3)
    hire, order = server_of(spans, "/case/hire"), server_of(spans, "/case/order")
    call = by_label(spans)["worker"]
    assert order.start_ns < call.start_ns < call.end_ns < order.end_ns
    assert call.trace_id != order.trace_id
    assert call.parent_id in ("", hire.span_id)


def test_long_lived_goroutines_do_not_collect_traces(calls):
    """A worker hired by a request that is over belongs to nobody."""
    both = calls()
    both.case("hire")
    time.sleep(0.2)
    both.case("order")
    spans = both.spans(3)
    assert by_label(spans)["worker"].parent_id == ""
    assert len({s.trace_id for s in spans}) == 3


def test_singleflight(calls):
    both = calls()
    import threading
    threads = [threading.Thread(target=both.case, args=("flight",),
                                kwargs={"to": both.to + "/slow/300"}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = both.spans(5)
    call = by_label(spans)["flight"]
    servers = {s.span_id: s for s in spans if s.kind == SERVER}
    assert call.trace_id == servers[call.parent_id].trace_id


@VERSIONS
def test_two_handlers_in_sequence(calls, version):
    """On one keep-alive connection, so on one goroutine."""
    both = calls(version=version)
    request = (f"GET /case/{{}}?label={{}}&to={both.to}/ok/1 HTTP/1.1\r\nHost: a\r\n"
               "Connection: {}\r\n\r\n")
    text = (request.format("one", "a", "keep-alive") + request.format("none", "", "keep-alive") +
            request.format("one", "b", "close"))
    client.exchange(both.front.http, text.encode())
    first, a, none, second, b = both.spans(5)
    assert [s.kind for s in (first, a, none, second, b)] == [SERVER, CLIENT, SERVER, SERVER, CLIENT]
    assert (a.parent_id, b.parent_id) == (first.span_id, second.span_id)
    assert len({s.trace_id for s in (first, none, second)}) == 3


@VERSIONS
def test_recovered_panic_inside_a_call(calls, version):
    both = calls(version=version)
    both.case("recovered")
    spans = both.spans(4)
    siblings(spans, ["before", "panics", "after"])
    found = by_label(spans)
    assert found["panics"].status == 2 and found["panics"]["error.type"] == "string"
    assert found["panics"].end_ns <= found["after"].start_ns
    assert [e.attributes["exception.message"] for e in found["panics"].events] == ["no proxy"]
    assert found["before"].status == found["after"].status == server_of(spans).status == 0


@VERSIONS
def test_recovered_panic_on_a_goroutine_that_ends(calls, version):
    both = calls(version=version)
    both.case("lastwords")
    spans = both.spans(3)
    siblings(spans, ["a", "b"])
    for span in by_label(spans).values():
        assert [e.attributes["exception.message"] for e in span.events] == ["no proxy"]
        assert span.status == 2 and span.end_ns <= server_of(spans).end_ns
    assert both.agent.done.unfinished == 0


@VERSIONS
def test_a_call_from_further_down_than_one_that_a_panic_unwound(calls, version):
    both = calls(version=version)
    both.case("deeper")
    spans = both.spans(3)
    siblings(spans, ["panics", "after"])
    found = by_label(spans)
    assert found["panics"].end_ns <= found["after"].start_ns


@VERSIONS
def test_a_panic_from_further_down_than_one_that_was_recovered(calls, version):
    both = calls(version=version)
    both.case("again")
    spans = both.spans(2)
    siblings(spans, ["panics"])
    texts = [[e.attributes["exception.message"] for e in s.events]
             for s in (by_label(spans)["panics"], server_of(spans))]
    assert texts == [["no proxy"], ["the handler's own"]]


@VERSIONS
def test_goexit_inside_a_call(calls, version):
    both = calls(version=version)
    both.case("goexit")
    spans = both.spans(4)
    siblings(spans, ["exits", "deferred", "after"])
    found = by_label(spans)
    assert found["deferred"]["http.response.status_code"] == 200
    assert found["exits"]["http.response.status_code"] is None


@VERSIONS
def test_no_context_on_the_handlers_goroutine(calls, version):
    """context.Background(), and a request that has no context at all."""
    both = calls(version=version)
    both.case("background")
    both.case("nilcontext")
    spans = both.spans(4)
    servers = [s.span_id for s in spans if s.kind == SERVER]
    assert [s.parent_id for s in spans if s.kind == CLIENT] == servers


@OLD_AND_NEW
def test_call_inside_a_call(calls, version):
    both = calls(version=version)
    both.case("inside")
    server, outer, inner = both.spans(3)
    assert "label=outer" in outer["url.full"] and "label=inner" in inner["url.full"]
    assert (outer.parent_id, inner.parent_id) == (server.span_id, outer.span_id)
    assert outer.end_ns >= inner.end_ns


@OLD_AND_NEW
def test_handler_that_calls_another_of_its_process(calls, version):
    both = calls(version=version)
    both.case("nested")
    outer, call, inner, below = both.spans(4)
    assert [s.kind for s in (outer, call, inner, below)] == [SERVER, CLIENT, SERVER, CLIENT]
    assert (call.trace_id, call.parent_id) == (outer.trace_id, outer.span_id)
    assert (below.trace_id, below.parent_id) == (inner.trace_id, inner.span_id)
    assert inner.parent_id in ("", call.span_id), "joined, or not at all"


@pytest.mark.parametrize("sampler", ["always_off", "parentbased_always_on"])
def test_nothing_below_a_request_that_is_not_sampled(calls, sampler):
    both = calls(env={"OTEL_TRACES_SAMPLER": sampler})
    for name in ("one", "fanout", "errgroup", "pool", "background"):
        both.case(name, traceparent(flags="00"), label="x")
    assert both.spans(0) == []


def test_sampled_parent_from_outside(calls):
    both = calls(env={"OTEL_TRACES_SAMPLER": "parentbased_always_off"})
    both.case("one", traceparent(), label="x")
    both.case("one", label="y")
    server, call = sorted(both.spans(2), key=lambda s: s.kind)
    assert (server.trace_id, server.parent_id) == (TRACE, SPAN)
    assert (call.trace_id, call.parent_id) == (TRACE, server.span_id)
    assert "label=x" in call["url.full"]


@OLD_AND_NEW
@pytest.mark.parametrize("gc", [100, 1])
def test_every_trace_has_exactly_its_own_spans(calls, version, gc):
    """1,000 requests at 200 concurrency with a call each; with the collector running all the time."""
    both = calls(version=version, front=("-gcpercent", str(gc)))
    report = client.load(both.front.http, 1000, 200, path=f"/case/one?label={{id}}&to={both.to}/ok/1",
                         traceparent=True)
    assert report.sent == 1000
    spans = both.spans(2000)
    servers = {s.span_id: s for s in spans if s.kind == SERVER}
    asked = {s.span_id: client_id(s) for s in servers.values()}
    clients = [s for s in spans if s.kind == CLIENT]
    assert len(servers) == len(clients) == len({s.trace_id for s in servers.values()}) == 1000
    for span in clients:
        assert label(span) == asked[span.parent_id]
        assert span.trace_id == servers[span.parent_id].trace_id
        assert span["http.response.status_code"] == 200


def client_id(server):
    return server["url.query"].split("label=", 1)[1].split("&", 1)[0]


@OLD_AND_NEW
def test_fan_out_under_load(calls, version):
    """Goroutine ids, contexts and requests are used again and again."""
    both = calls(version=version, front=("-gcpercent", "1"))
    client.load(both.front.http, 400, 50, path=f"/case/fanout?n={{id}}&to={both.to}/ok/1")
    spans = both.spans(1200)
    children = {}
    for span in spans:
        if span.kind == CLIENT:
            children.setdefault((span.trace_id, span.parent_id), []).append(label(span))
    servers = {(s.trace_id, s.span_id) for s in spans if s.kind == SERVER}
    assert set(children) == servers
    assert all(sorted(c) == ["a", "b"] for c in children.values())
