# SPDX-License-Identifier: Apache-2.0
"""Many RPCs: on one connection, on several with equal stream ids, at once."""
import pytest

from .conftest import CORNERS, MODULE

NUMBERED = {"traceparent": "numbered"}  # call N: trace id N, parent N


def check_numbers(spans, count):
    assert sorted((int(s.trace_id, 16), int(s.parent_id, 16)) for s in spans.server) == [
        (n, n) for n in range(1, count + 1)]
    assert len({s.trace_id for s in spans.client}) == count, "a trace of its own for each call"
    assert all(s.parent_id == "" for s in spans.client)


@pytest.mark.parametrize("count", [200, 2000])
@pytest.mark.parametrize("pair", CORNERS)
def test_one_connection(spans_of, pair, count):
    spans = spans_of({"do": "many", "text": "hi", "count": count, "parallel": 4,
                      "metadata": NUMBERED}, count=2 * count, pair=pair)
    check_numbers(spans, count)


@pytest.mark.parametrize("pair", CORNERS)
def test_connections_with_equal_stream_ids(spans_of, pair):
    spans = spans_of({"do": "many", "text": "sleep:5", "count": 200, "parallel": 20, "conns": 10,
                      "metadata": NUMBERED}, count=400, pair=pair)
    check_numbers(spans, 200)
    assert len({s["network.peer.port"] for s in spans.server}) == 10


@pytest.mark.parametrize("pair", CORNERS)
def test_500_at_once(spans_of, pair):
    spans = spans_of({"do": "many", "text": "sleep:300", "count": 500, "parallel": 500, "conns": 5,
                      "metadata": NUMBERED}, count=1000, pair=pair)
    check_numbers(spans, 500)
    assert max(s.start_ns for s in spans.server) < min(s.end_ns for s in spans.server), "at once"


def test_more_streams_than_there_is_room_for(start_server, trace):
    """Those at one end that find none leave none taken when they are over."""
    server = start_server(name="grpcapp", modules=((MODULE, CORNERS[-1][1]),))
    agent = trace(server, env={"GOSPAN_MAX_IN_FLIGHT": "100"})
    for _ in range(3):
        server.do(do="many", text="sleep:300", count=80, parallel=80, streams=True)
    agent.stop()
    assert agent.done.produced == 3 * 160 == agent.done.exported + agent.done.dropped
    assert agent.done.dropped and agent.done.reasons == f"in_flight_full {agent.done.dropped}"
    assert agent.done.unfinished == 0


def test_500_requests_that_call(spans_of):
    """Every trace has exactly its own spans."""
    def send(server):
        import concurrent.futures
        import json
        import urllib.parse
        from harness.client import get
        order = urllib.parse.quote(json.dumps({"do": "unary", "text": "sleep:10"}))
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda _: get(server.http, "/do?order=" + order), range(500)))
    spans = spans_of(send, count=1500)
    requests = {s.span_id: s for s in spans.http}
    assert len(requests) == len(spans.client) == 500
    assert {s.parent_id for s in spans.client} == set(requests)
    assert all(s.trace_id == requests[s.parent_id].trace_id for s in spans.client)
