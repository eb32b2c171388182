# SPDX-License-Identifier: Apache-2.0
"""otelgrpc, otelsql, otelgin (harness/go/sdkpeer) with each --with-sdk: one trace, nothing twice, and
what is below the SDK's spans has those as its parents."""
import dataclasses

import pytest

from harness import sdkpeer
from harness.client import get, status_of, traceparent
from harness.otlp import CLIENT, SERVER

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@dataclasses.dataclass
class Result:
    ours: list      # by start
    theirs: list    # of the SDK, as dicts
    said: list      # the agent's lines about the SDK
    pid: int

    def one(self, name, kind=None):
        """The SDK's span of that NAME and KIND."""
        span, = (s for s in self.theirs if s["name"] == name and kind in (None, s["kind"]))
        return span

    def children(self, span):
        """Of ours, by the SDK's: names of their tables."""
        return sorted(table(s) for s in self.ours
                      if (s.trace_id, s.parent_id) == (span["trace_id"], span["span_id"]))


def table(span):
    return span.name.rpartition(" ")[2]


def is_below(span, parent):
    assert (span["trace_id"], span["parent_id"]) == (parent["trace_id"], parent["span_id"])


def one_trace(result):
    ids = {s["trace_id"] for s in result.theirs} | {s.trace_id for s in result.ours}
    assert len(ids) == 1, [(s.name, s.trace_id) for s in result.ours] + result.theirs


@pytest.fixture
def run(start_server, trace):
    """run(peer, how, *orders or paths) -> Result of what the peer does, traced with --with-sdk=HOW;
    WAIT: for so many spans of ours, where a server's may end after its client has its answer."""
    def start(peer, how, *actions, env=None, args=(), wait=0):
        server = start_server(*args, **peer.program(), env=env)
        agent = trace(server, "--with-sdk", how)
        theirs = []
        for action in actions:
            if isinstance(action, dict):
                answer = server.do(**action)
                assert answer["error"] == "", answer
            else:
                path, *headers = action
                assert status_of(get(server.http, path, *headers)) == 200
                answer = server.do(do="spans")
            theirs += answer["spans"] or []
        theirs += server.do(do="spans")["spans"] or []  # of a path: what ended after its answer
        if how != "all" and theirs:
            agent.wait_line("makes spans with an OpenTelemetry SDK")
        agent.wait_spans(wait)
        ours = sorted(agent.stop(), key=lambda s: s.start_ns)
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        assert agent.done.dropped == agent.done.unfinished == 0
        said = [line for line in agent.stderr.lines if "SDK" in line]
        return Result(ours, theirs, said, server.pid)
    return start


BELOW = ["below_hand", "below_server", "elsewhere"]


def handler_is_right(result, server):
    """What work() of the program does below the SDK's SERVER span."""
    hand, = (s for s in result.theirs
             if s["name"] == "in handler" and s["parent_id"] == server["span_id"])
    assert result.children(server) == ["below_server", "elsewhere"]
    assert result.children(hand) == ["below_hand"]


@pytest.mark.parametrize("order", ["unary", "chat"])
@pytest.mark.parametrize("peer", sdkpeer.GRPC, ids=str)
def test_grpc_fill(run, peer, order):
    result = run(peer, "fill", {"do": order}, {"do": order})
    assert len(result.theirs) == 2 * 4 and len(result.ours) == 2 * 3, [s.name for s in result.ours]
    for hand in (s for s in result.theirs if s["name"] == "by hand"):
        trace = [s for s in result.theirs if s["trace_id"] == hand["trace_id"]]
        client, = (s for s in trace if s["kind"] == CLIENT)
        server, = (s for s in trace if s["kind"] == SERVER)
        is_below(client, hand)
        is_below(server, client)
        handler_is_right(result, server)
    assert result.said == [f"gospan: pid {result.pid} makes spans with an OpenTelemetry SDK: leaving "
                           "google.golang.org/grpc client to otelgrpc, google.golang.org/grpc server to "
                           "otelgrpc (--with-sdk)"]


@pytest.mark.parametrize("order", ["unary", "chat"])
@pytest.mark.parametrize("peer", [sdkpeer.GRPC[1], sdkpeer.GRPC[2]], ids=str)
def test_grpc_fill_where_only_the_server_is_instrumented(run, peer, order):
    """The client's span is gospan's, below the SDK's span by hand."""
    result = run(peer.with_tags("grpcserver"), "fill", {"do": order})
    assert len(result.theirs) == 3 and len(result.ours) == 4, [s.name for s in result.ours]
    hand, (server,) = result.one("by hand"), [s for s in result.theirs if s["kind"] == SERVER]
    call, = (s for s in result.ours if s["rpc.system.name"])
    assert call.kind == CLIENT
    assert (call.trace_id, call.parent_id) == (hand["trace_id"], hand["span_id"])
    handler_is_right(result, server)
    assert server["parent_id"] in ("", call.span_id), "where the header can be written"


@pytest.mark.parametrize("order", ["unary", "chat"])
@pytest.mark.parametrize("peer", [sdkpeer.GRPC[1], sdkpeer.GRPC[2]], ids=str)
def test_grpc_fill_where_only_the_client_is_instrumented(run, peer, order):
    """The server's span is gospan's, below the SDK's client span, whose header it has got."""
    result = run(peer.with_tags("grpcclient"), "fill", {"do": order}, wait=4)
    assert len(result.theirs) == 3 and len(result.ours) == 4, [s.name for s in result.ours]
    client, = (s for s in result.theirs if s["kind"] == CLIENT)
    server, = (s for s in result.ours if s.kind == SERVER)
    assert (server.trace_id, server.parent_id) == (client["trace_id"], client["span_id"])
    assert sorted(table(s) for s in result.ours if s.parent_id == server.span_id) == [
        "below_server", "elsewhere"]


@pytest.mark.parametrize("peer", [sdkpeer.GRPC[0], sdkpeer.GRPC[2]], ids=str)
def test_grpc_all(run, peer):
    """Both sides twice, on purpose, but still one trace: that of the header, which the SDK wrote."""
    result = run(peer, "all", {"do": "unary"}, wait=5)
    assert len(result.theirs) == 4 and len(result.ours) == 5, [s.name for s in result.ours]
    one_trace(result)
    hand, client = result.one("by hand"), next(s for s in result.theirs if s["kind"] == CLIENT)
    ours, = (s for s in result.ours if s.kind == CLIENT and s["rpc.system.name"])
    server, = (s for s in result.ours if s.kind == SERVER)
    assert server.parent_id == ours.span_id
    assert ours.parent_id in (hand["span_id"], client["span_id"])
    assert sorted(table(s) for s in result.ours if s.scope == "gospan/database/sql") == BELOW


@pytest.mark.parametrize("peer", [sdkpeer.GRPC[0], sdkpeer.GRPC[2]], ids=str)
def test_grpc_off(run, peer):
    result = run(peer, "off", {"do": "unary"}, {"do": "chat"}, ("/raw",))
    assert result.ours == [] and len(result.theirs) == 8
    assert result.said == [f"gospan: pid {result.pid} makes spans with an OpenTelemetry SDK: left "
                           "alone (--with-sdk=off)"]


@pytest.mark.parametrize("peer", sdkpeer.SQL, ids=str)
def test_sql_fill(run, peer):
    """otelsql wraps the driver, so that database/sql is the SDK's; net/http is not."""
    result = run(peer, "fill", ("/raw",), {"do": "sql"}, {"do": "sql"}, ("/raw",))
    assert [(s.kind, s["url.path"]) for s in result.ours] == [(SERVER, "/raw")] * 2
    for hand in (s for s in result.theirs if s["name"] == "by hand"):
        trace = [s for s in result.theirs if s["trace_id"] == hand["trace_id"]]
        inner, = (s for s in trace if s["name"] == "in handler")
        queries = [s["parent_id"] for s in trace if s["name"] == "sql.conn.query"]
        assert sorted(queries) == sorted([hand["span_id"], inner["span_id"], hand["span_id"]])
    assert result.said == [f"gospan: pid {result.pid} makes spans with an OpenTelemetry SDK: leaving "
                           "database/sql client to otelsql (--with-sdk)"]


@pytest.mark.parametrize("peer", [sdkpeer.SQL[0], sdkpeer.SQL[1]], ids=str)
def test_sql_all(run, peer):
    result = run(peer, "all", {"do": "sql"})
    one_trace(result)
    assert sorted(map(table, result.ours)) == BELOW
    assert result.children(result.one("by hand")) == ["below_server", "elsewhere"]
    assert result.children(result.one("in handler")) == ["below_hand"]


def test_sql_off(run):
    result = run(sdkpeer.SQL[1], "off", {"do": "sql"}, ("/raw",))
    assert result.ours == []


@pytest.mark.parametrize("fallback", ["", "1"])
@pytest.mark.parametrize("peer", sdkpeer.GIN, ids=str)
def test_gin_fill(run, peer, fallback):
    """A query by gin's own context is below otelgin's span too, whether or not gin looks it up."""
    result = run(peer, "fill", ("/work", traceparent()), ("/work",), env={"FALLBACK": fallback})
    first, second = (s for s in result.theirs if s["kind"] == SERVER)
    assert (first["trace_id"], first["parent_id"], second["parent_id"]) == (TRACE, SPAN, "")
    assert len(result.theirs) == 2 * 2 and len(result.ours) == 2 * 4, [s.name for s in result.ours]
    for server in first, second:
        hand, = (s for s in result.theirs
                 if s["name"] == "in handler" and s["parent_id"] == server["span_id"])
        assert result.children(server) == ["below_server", "elsewhere", "gin_context"]
        assert result.children(hand) == ["below_hand"]
    assert result.said == [f"gospan: pid {result.pid} makes spans with an OpenTelemetry SDK: leaving "
                           "net/http server to otelgin (--with-sdk)"]


@pytest.mark.parametrize("peer", [sdkpeer.GIN[0], sdkpeer.GIN[1]], ids=str)
def test_gin_all(run, peer):
    result = run(peer, "all", ("/work", traceparent()))
    one_trace(result)
    ours, = (s for s in result.ours if s.kind == SERVER)
    theirs, = (s for s in result.theirs if s["kind"] == SERVER)
    assert ours.parent_id == theirs["parent_id"] == SPAN
    assert (ours["http.route"], ours.name) == ("/work", "GET /work")
    assert result.children(theirs) == ["below_server", "elsewhere", "gin_context"]


def test_gin_off(run):
    result = run(sdkpeer.GIN[1], "off", ("/work",), ("/work",))
    assert result.ours == [] and len(result.theirs) == 4


def idle(run, peer, *actions):
    """Spans by name of what PEER does while its SDK is linked, but not used."""
    result = run(peer, "fill", *actions, args=("-idle",))
    assert result.theirs == result.said == []
    names = [s.name for s in result.ours]
    assert len(set(names)) == len(names), names
    return {s.name: s for s in result.ours}


def is_right_without_sdk(spans, server):
    """What work() does, and nothing else, below SERVER; spans by hand are gospan's then."""
    for name, parent in (("SELECT below_server", server), ("SELECT elsewhere", server),
                         ("in handler", server), ("SELECT below_hand", spans["in handler"])):
        assert (spans[name].trace_id, spans[name].parent_id) == (parent.trace_id, parent.span_id), name


@pytest.mark.parametrize("order", ["unary", "chat"])
@pytest.mark.parametrize("peer", [sdkpeer.GRPC[0], sdkpeer.GRPC[1], sdkpeer.GRPC[2]], ids=str)
def test_grpc_idle(run, peer, order):
    """otelgrpc makes its spans by the API, which are not to be seen beside gospan's own."""
    result = run(peer, "fill", {"do": order}, args=("-idle",))
    assert result.theirs == result.said == []
    server, = (s for s in result.ours if s.kind == SERVER)
    client, = (s for s in result.ours if s.kind == CLIENT and s["rpc.system.name"])
    rest = {s.name: s for s in result.ours if s not in (client, server)}
    assert len(result.ours) == 7 == 2 + len(rest), [s.name for s in result.ours]
    assert client.parent_id == rest["by hand"].span_id
    is_right_without_sdk(rest, server)


@pytest.mark.parametrize("peer", [sdkpeer.SQL[0], sdkpeer.SQL[1]], ids=str)
def test_sql_idle(run, peer):
    spans = idle(run, peer, {"do": "sql"})
    assert len(spans) == 5
    is_right_without_sdk(spans, spans["by hand"])


@pytest.mark.parametrize("peer", [sdkpeer.GIN[0], sdkpeer.GIN[1]], ids=str)
def test_gin_idle(run, peer):
    spans = idle(run, peer, ("/work", traceparent()))
    assert len(spans) == 6
    server = spans["GET /work"]
    assert (server.kind, server.trace_id, server.parent_id) == (SERVER, TRACE, SPAN)
    is_right_without_sdk(spans, server)
    assert spans["SELECT gin_context"].parent_id == server.span_id
