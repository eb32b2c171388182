# SPDX-License-Identifier: Apache-2.0
"""One span a request, never none, never two, never with another request's data."""
import collections

import pytest

from harness import build, client, expect
from harness.process import eventually

OLD_AND_NEW = pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])


def run(start_server, trace, version, *server_args, count, mode="h1", path=None, route=None,
        conns=8, build_mode="default"):
    """COUNT requests, all answered rightly, all with their one right span."""
    server = start_server(*server_args, version=version, mode=build_mode)
    agent = trace(server)
    report = client.load(server.http, count, conns, mode=mode, path=path).check()
    assert server.stats()["started"] == count
    agent.wait_spans(count, timeout=20)
    requests = [{**r, "route": route} if route else r for r in report.requests]
    expect.spans_match(agent.stop(), requests, build.has_patterns(version), server.http,
                       times=False)


@OLD_AND_NEW
def test_keep_alive(start_server, trace, version):
    run(start_server, trace, version, count=5000)


@OLD_AND_NEW
def test_a_connection_a_request(start_server, trace, version):
    run(start_server, trace, version, count=1000, mode="close")


@OLD_AND_NEW
def test_pipelined(start_server, trace, version):
    run(start_server, trace, version, count=2000, mode="pipeline")


@pytest.mark.parametrize("mode", ["default", "-race", "-N -l", "pie stripped"])
@OLD_AND_NEW
def test_stacks_that_grow_and_move(start_server, trace, version, mode):
    """Deep recursion in the handler while the collector runs all the time, shrinking stacks."""
    run(start_server, trace, version, "-gcpercent", "1", count=400, path="/recurse/{id}?depth=3000",
        route="/recurse/{id}", build_mode=mode)


@OLD_AND_NEW
def test_1000_connections(start_server, trace, version):
    run(start_server, trace, version, count=4000, conns=1000, path="/slow?ms=100&n={id}",
        route="/slow")


def test_large_headers(start_server, trace):
    server = start_server()
    agent = trace(server)
    report = client.load(server.http, 500, 8, headers=60).check()
    agent.wait_spans(500)
    expect.spans_match(agent.stop(), report.requests, True, server.http)


@OLD_AND_NEW
def test_client_aborts(start_server, trace, version):
    """Every handler that ran has one span, however its client went away."""
    server = start_server(version=version)
    agent = trace(server)
    report = client.load(server.http, 1000, 8, mode="abort", path="/slow?ms=5&n={id}")
    assert report.failed > 100, "most clients did not wait"

    def quiet():
        stats = server.stats()
        return stats["started"] == stats["finished"]
    assert eventually(quiet)
    handled = server.stats()["started"]
    agent.wait_spans(handled)
    spans = agent.stop()
    assert len(spans) == handled
    consistent(spans)


@OLD_AND_NEW
@pytest.mark.parametrize("kind", ["abort", "goexit", "string", "nilmap"])
def test_panics(start_server, trace, version, kind):
    server = start_server(version=version)
    agent = trace(server)
    # The client's transport would send a request again when the connection dies without an answer.
    client.load(server.http, 300, 8, mode="close", path=f"/panic/{kind}?n={{id}}")
    handled = server.stats()["started"]
    assert handled >= 300
    agent.wait_spans(handled)
    spans = agent.stop()
    assert len(spans) == handled
    consistent(spans)


@OLD_AND_NEW
def test_recovered_panics_between_ordinary_requests(start_server, trace, version):
    server = start_server(version=version)
    agent = trace(server)
    with client.Load(server.http, 20, conns=4, path="/recovered/error?n={id}", count=500,
                     brief=False, first=100_000) as panicking:
        report = client.load(server.http, 2000, 4).check()
        panicked = panicking.report()
    agent.wait_spans(2500)
    spans = agent.stop()
    ordinary = [s for s in spans if s["url.path"] != "/recovered/error"]
    expect.spans_match(ordinary, report.requests, build.has_patterns(version), server.http)
    others = [s for s in spans if s["url.path"] == "/recovered/error"]
    assert {s.trace_id for s in others} == {r["trace_id"] for r in panicked.requests}
    assert len(others) == 500
    assert all(len(s.events) == 1 and s["http.response.status_code"] == 503 for s in others)


def consistent(spans):
    """The id is the same in trace id, parent, query and User-Agent; no trace has two spans."""
    assert max(collections.Counter(s.trace_id for s in spans).values()) == 1
    for s in spans:
        number = int(s.trace_id[16:], 16)
        assert int(s.parent_id[8:], 16) == number
        assert s["user_agent.original"] == f"load/{number}"
        assert s["url.query"].endswith(f"&i={number}")
