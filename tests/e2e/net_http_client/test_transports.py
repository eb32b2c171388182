# SPDX-License-Identifier: Apache-2.0
"""One CLIENT span for each request given to a transport: every way to send one, HTTP/1.1 and HTTP/2."""
import pytest

from harness import build

VERSIONS = ["1.19.13", "1.22.12", "1.24.9", "1.26.8", "1.27.1"]
# transport, where to, protocol
WAYS = [("plain", "http", "1.1"), ("fresh", "http", "1.1"), ("custom", "http", "1.1"),
        ("http1tls", "https", "1.1"), ("h2", "https", "2"), ("h2custom", "https", "2"),
        ("xnet", "https", "2"), ("xnetplain", "h2c", "2"), ("xnetconf", "https", "2")]


def address(calls, where):
    return {"http": calls.to, "https": calls.tls, "h2c": calls.h2c}[where]


def check(span, to, outcome, protocol):
    port = int(to.rsplit(":", 1)[1])
    assert span.name == "GET" and span.scope == "gospan/net/http"
    assert (span.status, span.message) == (0, "")
    want = {"http.request.method": "GET", "url.full": outcome["url"], "server.address": "127.0.0.1",
            "server.port": port, "network.peer.address": "127.0.0.1", "network.peer.port": port,
            "network.protocol.version": protocol, "http.response.status_code": 200}
    assert span.attributes == want
    # what the program measured around the call holds the span
    assert span.end_ns - span.start_ns <= outcome["elapsed_ns"]
    assert span.end_ns - span.start_ns >= 1_000_000, "the handler waits as long"


def run(calls, **kwargs):
    """Each way twice: on a new connection and on one that is there."""
    both = calls(**kwargs)
    todo = [(via, address(both, where), protocol) for via, where, protocol in WAYS for _ in "12"]
    outcomes = [both.call(f"{to}/slow/1?via={via}", via=via) for via, to, _ in todo]
    assert [o["error"] for o in outcomes] == [""] * len(todo)
    spans = both.spans(2 * len(todo))
    servers, clients = ([s for s in spans if s.kind == kind] for kind in (2, 3))
    for (via, to, protocol), outcome, server, client in zip(todo, outcomes, servers, clients):
        check(client, to, outcome, protocol)
        assert (client.trace_id, client.parent_id) == (server.trace_id, server.span_id), via


@pytest.mark.parametrize("version", VERSIONS)
def test_every_way(calls, version):
    run(calls, version=version)


@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.27.1"])
@pytest.mark.parametrize("mode", ["-race", "-N -l", "pie stripped"])
def test_every_way_in_other_builds(calls, version, mode):
    run(calls, version=version, mode=mode)


@pytest.mark.parametrize("version", ["1.26.8", "1.27.1"])
def test_every_way_with_newer_xnet(calls, version):
    """From v0.56 on its RoundTripOpt is a wrapper, around its own code or, in Go 1.27, net/http's."""
    run(calls, version=version, modules=(("golang.org/x/net", "0.62.0"),))


def test_every_way_with_pgo(calls):
    run(calls, mode="pgo")


@pytest.mark.parametrize("h2", [False, True])
def test_connection_without_a_pool(calls, h2):
    """http.ClientConn, Go 1.27."""
    both = calls()
    outcome = both.call(f"{both.tls}/ok/1", via="conn", **({"h2": 1} if h2 else {}))
    span = both.client_span()
    assert span["http.response.status_code"] == outcome["status"] == 200
    assert span["network.protocol.version"] == ("2" if h2 else "1.1")
    assert span["network.peer.port"] == both.back.https


def test_unix_socket(calls, tmp_path):
    path = f"{tmp_path}/".ljust(107, "s")  # as long as can be
    both = calls(back=("-unix", path))
    both.call("http://unix.example/ok/1", via="unix", socket=path)
    span = both.client_span()
    assert span["server.address"] == "unix.example" and span["server.port"] == 80
    assert span["network.peer.address"] == path and span["network.peer.port"] is None


def test_through_a_proxy(calls):
    """The server is who was asked for, the peer is the proxy."""
    both = calls()
    both.call("http://shop.example:8080/ok/1", via="proxy", proxy=both.to)
    span = both.client_span()
    assert (span["server.address"], span["server.port"]) == ("shop.example", 8080)
    assert span["network.peer.port"] == both.back.http


def test_reverse_proxy(calls):
    both = calls()
    both.get(f"/proxy/any?to={both.to}/ok/1")
    span = both.client_span()
    assert span["url.full"] == f"{both.to}/ok/1" and span["http.response.status_code"] == 200


def test_own_attempts_of_a_round_tripper(calls):
    both = calls()
    both.call(f"{both.to}/status/503", via="doctor")
    server, first, second = both.spans(3)
    assert {first.parent_id, second.parent_id} == {server.span_id}
    assert [s["http.response.status_code"] for s in (first, second)] == [503, 503]
    assert first.end_ns <= second.start_ns


def test_programs_without_a_server_are_traced(calls):
    """What has no parent begins a trace: here a call of a goroutine that no request started."""
    both = calls(version=build.NEWEST)
    both.case("poolbare")
    server, client = sorted(both.spans(2), key=lambda s: s.kind)
    assert client.parent_id == "" and client.trace_id != server.trace_id
