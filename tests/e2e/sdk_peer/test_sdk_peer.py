# SPDX-License-Identifier: Apache-2.0
"""A peer with an OpenTelemetry SDK (otelhttp, otelgrpc) at the other end of the wire."""
import json

import pytest

from harness import build, gospan, sdkpeer
from harness.client import get, status_of
from harness.otlp import CLIENT, SERVER

TRACE = "0af7651916cd43dd8448eb211c80319c"
STATE = "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"
GO = [("1.19.13", "default"), ("1.24.9", "pie stripped"), (build.NEWEST, "default")]
HTTP = [(via, *go) for go in GO for via in ("h1", "h2", "h2c")
        if via != "h2c" or build.minor(go[0]) >= (1, 24)]  # which Go has by itself since then
GRPC = [("1.19.13", "1.40.0"), ("1.24.9", "1.64.0"), (build.NEWEST, "1.85.0")]


@pytest.fixture
def peer(start_server):
    return start_server(**sdkpeer.EVERYTHING.program())


def done(answer):
    assert answer["error"] == "", answer
    return answer["spans"] or []


def url_of(server, via):
    port = {"h1": server.http, "h2": server.https, "h2c": server.h2c}[via]
    return f"http{'s' * (via == 'h2')}://127.0.0.1:{port}/exact"


def client_span(spans):
    span, = (s for s in spans if s["kind"] == CLIENT)
    return span


def continues(span, theirs, state=""):
    """SPAN is the SERVER span below the SDK's CLIENT span."""
    assert span.kind == SERVER
    assert (span.trace_id, span.parent_id) == (theirs["trace_id"], theirs["span_id"])
    assert span.flags & 0x301 == 0x301, "sampled, and the parent is remote"
    assert span.trace_state == theirs["state"] == state


def orders(call):
    """The SDK's own trace; one that it continues; one that is not sampled."""
    return [{**call}, {**call, "trace": TRACE, "state": STATE},
            {**call, "trace": TRACE, "state": STATE, "unsampled": True}]


@pytest.mark.parametrize("via, version, mode", HTTP)
def test_http_client(peer, start_server, trace, via, version, mode):
    server = start_server(version=version, mode=mode)
    agent = trace(server)
    fresh, remote, unsampled = (
        done(peer.do(**o)) for o in orders({"do": "get", "url": url_of(server, via), "via": via}))
    agent.wait_spans(2)
    first, second = sorted(agent.stop(), key=lambda s: s.start_ns)
    continues(first, client_span(fresh))
    continues(second, client_span(remote), STATE)
    assert second.trace_id == TRACE and unsampled == []
    assert first["network.protocol.version"] == ("1.1" if via == "h1" else "2")


@pytest.mark.parametrize("call", ["unary", "chat"])
@pytest.mark.parametrize("pair", GRPC)
def test_grpc_client(peer, start_server, trace, pair, call):
    server = start_server(name="grpcapp", version=pair[0],
                          modules=(("google.golang.org/grpc", pair[1]),))
    agent = trace(server)
    target = f"127.0.0.1:{server.grpc}"
    fresh, remote, unsampled = (
        done(peer.do(**o)) for o in orders({"do": call, "target": target}))
    agent.wait_spans(2)
    first, second = sorted(agent.stop(), key=lambda s: s.start_ns)
    continues(first, client_span(fresh))
    continues(second, client_span(remote), STATE)
    assert second.trace_id == TRACE and unsampled == []
    assert first["rpc.method"].startswith("helloworld.Greeter/")


@pytest.mark.parametrize("sampler, flag", [("always_on", 1), ("always_off", None)])
def test_sampler_of_ours_may_overrule_its_flag(peer, start_server, trace, sampler, flag):
    server = start_server()
    agent = trace(server, env={"OTEL_TRACES_SAMPLER": sampler})
    call = {"do": "get", "url": url_of(server, "h1"), "via": "h1", "trace": TRACE, "state": STATE}
    done(peer.do(**call, unsampled=flag == 1))
    agent.wait_spans(1 if flag else 0)
    spans = agent.stop()
    assert [(s.trace_id, s.trace_state, s.flags & 1) for s in spans] == (
        [(TRACE, STATE, 1)] if flag else [])


def can_write():
    checks = json.loads(gospan.run("doctor", "--json")[1])["checks"]
    return next(c["ok"] for c in checks if c["name"] == "write_user")


def server_spans(peer):
    return [s for s in done(peer.do(do="spans")) if s["kind"] == SERVER]


def is_root_or_below(theirs, ours):
    """The SDK's SERVER span is below our CLIENT span where we may write the header; else its own root."""
    if can_write():
        assert (theirs["trace_id"], theirs["parent_id"]) == (ours.trace_id, ours.span_id)
        assert theirs["remote"]
    else:
        assert theirs["parent_id"] == "" and theirs["trace_id"] != ours.trace_id


@pytest.mark.parametrize("traced_too", [False, True])
def test_http_server(peer, start_server, start_gospan, traced_too):
    """Where its process is traced too, what the agent knows of both ends must not touch it."""
    front = start_server(name="httpclient")
    pids = [front.outer_pid] + [peer.outer_pid] * traced_too
    agent = start_gospan("trace", *[a for pid in pids for a in ("--pid", pid)], ready=len(pids))
    answer = get(front.http, f"/call?url=http://127.0.0.1:{peer.http}/work")
    assert status_of(answer) == 200 and b'"error":""' in answer.replace(b" ", b""), answer
    theirs, = server_spans(peer)
    agent.wait_spans(5 if traced_too else 2)
    ours = agent.stop()
    call, = (s for s in ours if s.kind == CLIENT and s["url.full"])
    server, = (s for s in ours if s.kind == SERVER)
    assert call.parent_id == server.span_id and server["url.path"] == "/call"
    is_root_or_below(theirs, call)
    queries = [s for s in ours if s["db.query.text"]]
    assert len(queries) == 3 * traced_too
    assert {s.trace_id for s in queries} <= {theirs["trace_id"]}


@pytest.mark.parametrize("traced_too", [False, True])
@pytest.mark.parametrize("call", ["unary", "chat"])
def test_grpc_server(peer, start_server, start_gospan, call, traced_too):
    front = start_server(name="grpcapp", version=build.NEWEST,
                         modules=(("google.golang.org/grpc", "1.85.0"),))
    pids = [front.outer_pid] + [peer.outer_pid] * traced_too
    agent = start_gospan("trace", *[a for pid in pids for a in ("--pid", pid)], ready=len(pids))
    assert front.do(do=call, text="hi", target=f"127.0.0.1:{peer.grpc}")["code"] == "OK"
    theirs, = server_spans(peer)
    agent.wait_spans(4 if traced_too else 1)
    ours = agent.stop()
    rpc, = (s for s in ours if s["rpc.system.name"])
    assert rpc.kind == CLIENT and rpc["rpc.response.status_code"] == "OK"
    is_root_or_below(theirs, rpc)
    queries = [s for s in ours if s["db.query.text"]]
    assert len(queries) == 3 * traced_too
    assert {s.trace_id for s in queries} <= {theirs["trace_id"]}
