# SPDX-License-Identifier: Apache-2.0
"""Unary RPCs: what the spans of both sides say, and the status that each side really saw."""
import time

import pytest

from harness.otlp import ERROR, SERVER, UNSET

from .conftest import CORNERS, MODULE, PAIRS

CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
         "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
         "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
         "UNAUTHENTICATED"]
SERVER_ERRORS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
                 "DATA_LOSS"}
METHOD = "helloworld.Greeter/SayHello"


def is_error(span, code, message, error_type=None):
    assert span["rpc.response.status_code"] == code
    assert span.status == ERROR
    assert span.message == message
    assert span["error.type"] == error_type or code


def is_fine(span, code="OK"):
    assert span["rpc.response.status_code"] == code
    assert (span.status, span.message, span["error.type"]) == (UNSET, "", None)


@pytest.mark.parametrize("pair", CORNERS)
def test_attributes(spans_of, pair):
    port = []
    spans = spans_of(lambda s: port.append(s.grpc), {"do": "unary", "text": "hi"}, count=2,
                     pair=pair)
    (client,), (server,) = spans.client, spans.server
    for span in client, server:
        assert span.name == METHOD
        assert span.scope == "gospan/google.golang.org/grpc"
        is_fine(span)
    rpc = {"rpc.system.name": "grpc", "rpc.method": METHOD, "rpc.response.status_code": "OK",
           "server.address": "127.0.0.1", "server.port": port[0]}
    assert client.attributes == rpc
    peer = server.attributes.pop("network.peer.port")
    assert isinstance(peer, int) and peer != port[0]
    assert server.attributes == {**rpc, "network.peer.address": "127.0.0.1"}


@pytest.mark.parametrize("pair", CORNERS)
def test_every_code(spans_of, pair):
    orders = [{"do": "unary", "text": f"status:{n}:because {n}"} for n in range(1, len(CODES))]
    spans = spans_of(*orders, count=2 * len(orders), pair=pair)
    for n, (client, server) in enumerate(zip(spans.client, spans.server), start=1):
        is_error(client, CODES[n], f"because {n}")
        if CODES[n] in SERVER_ERRORS:
            is_error(server, CODES[n], f"because {n}")
        else:
            is_fine(server, CODES[n])


def test_code_without_a_name(spans_of):
    spans = spans_of({"do": "unary", "text": "status:77:odd"}, count=2)
    is_error(spans.client[0], "77", "odd")
    assert spans.server[0]["rpc.response.status_code"] == "77"


def test_error_without_a_status(spans_of):
    spans = spans_of({"do": "unary", "text": "plain:out of paper"}, count=2)
    is_error(spans.client[0], "UNKNOWN", "out of paper")
    is_error(spans.server[0], "UNKNOWN", "out of paper")


def test_the_end_of_a_stream_is_no_success_of_a_call(spans_of):
    """io.EOF is one where a stream ends; as an error of an interceptor it has no status."""
    spans = spans_of({"do": "unary", "text": "eof", "intercept": True},
                     {"do": "unary", "text": "wrapped eof", "intercept": True}, count=2)
    assert [a["code"] for a in spans.answers] == ["Unknown", "Unknown"]
    is_error(spans.client[0], "UNKNOWN", "EOF")
    is_error(spans.client[1], "UNKNOWN", "cache: EOF")


@pytest.mark.parametrize("pair", PAIRS)
def test_a_client_that_hangs_up(spans_of, pair):
    """What the handler returns can no longer be sent, nor a status."""
    order = {"do": "hang up", "text": "begin"}
    spans = spans_of(order, order, lambda _: time.sleep(0.5), {"do": "unary", "text": "hi"}, count=6,
                     pair=pair)
    for span in spans.server[:2]:
        assert 250 < span.duration_ms < 1000
        assert span.status == ERROR and span["rpc.response.status_code"] in ("UNAVAILABLE", "INTERNAL")
    is_fine(spans.server[2])


@pytest.mark.parametrize("pair", CORNERS)
def test_goexit_in_a_handler(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "exit", "timeoutMs": 300}, {"do": "unary", "text": "hi"}, count=4,
                     pair=pair)
    assert spans.server[0].status == ERROR and spans.server[0]["error.type"] == "runtime.Goexit"
    is_fine(spans.server[1])


@pytest.mark.parametrize("pair", CORNERS)
def test_deadline_and_cancel(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "sleep:300", "timeoutMs": 60},
                     {"do": "unary", "text": "wait", "cancelMs": 60},
                     {"do": "late"}, count=5, pair=pair)
    deadline, cancel, late = spans.client
    is_error(deadline, "DEADLINE_EXCEEDED", spans.answers[0]["message"])
    is_error(cancel, "CANCELLED", "context canceled")
    is_error(late, "CANCELLED", "context canceled")
    for span in deadline, cancel:
        assert 50 < span.duration_ms < 290
    assert late.duration_ms < 50
    # the server's own view: 1.40 makes INTERNAL of a stream that is gone, and UNKNOWN of a context's
    # error; later ones the one or the other, as the timer or the client's reset comes first
    late, canceled = (s["rpc.response.status_code"] for s in spans.server)
    assert late == "INTERNAL" if pair[1] == "1.40.0" else late in ("DEADLINE_EXCEEDED", "CANCELLED")
    assert canceled == ("UNKNOWN" if pair[1] == "1.40.0" else "CANCELLED")


@pytest.mark.parametrize("pair", CORNERS)
def test_unreachable(spans_of, pair):
    spans = spans_of({"do": "fresh", "target": "127.0.0.1:1"},
                     {"do": "fresh", "target": "nowhere:///x"}, count=2, pair=pair)
    refused = spans.client[0]
    assert refused["rpc.response.status_code"] == "UNAVAILABLE"
    assert refused.status == ERROR and "connection refused" in refused.message
    assert refused.message == spans.answers[0]["message"]
    assert (refused["server.address"], refused["server.port"]) == ("127.0.0.1", 1)
    assert spans.client[1]["server.address"] == "nowhere:///x"


def test_targets(spans_of):
    spans = spans_of(
        lambda s: s.do(do="fresh", target=f"dns:///localhost:{s.grpc}"),
        lambda s: s.do(do="fresh", target=f"passthrough:///127.0.0.1:{s.grpc}"),
        lambda s: s.do(do="fresh", target="unix:///tmp/there.is.none", timeoutMs=200),
        lambda s: s.do(do="fresh", target="unix:there.is.none", timeoutMs=200), count=6)
    addresses = [(s["server.address"], s["server.port"] is not None) for s in spans.client]
    assert addresses == [("localhost", True), ("127.0.0.1", True), ("/tmp/there.is.none", False),
                         ("there.is.none", False)]
    assert spans.server[0]["server.address"] == "localhost", "the authority it was asked for"


@pytest.mark.parametrize("pair", CORNERS)
def test_unknown_method(spans_of, pair):
    spans = spans_of({"do": "unary", "method": "/pkg.Nothing/Do"},
                     {"do": "unary", "method": "/helloworld.Greeter/SayGoodbye"}, count=4,
                     pair=pair)
    for span, method in zip(spans.client, ("pkg.Nothing/Do", "helloworld.Greeter/SayGoodbye")):
        assert span.name == span["rpc.method"] == method
        assert span["rpc.response.status_code"] == "UNIMPLEMENTED"
    for span, method in zip(spans.server, ("pkg.Nothing/Do", "helloworld.Greeter/SayGoodbye")):
        assert span.name == "grpc"
        assert (span["rpc.method"], span["rpc.method_original"]) == ("_OTHER", method)
        assert span.status == ERROR


@pytest.mark.parametrize("pair", CORNERS)
def test_client_interceptor(spans_of, pair):
    texts = ["hi", "deny", "plain", "wrap", "swallow", "twice"]
    orders = [{"do": "unary", "text": text, "intercept": True} for text in texts]
    spans = spans_of(*orders, count=6 + 1 + 1 + 2, pair=pair)
    hi, deny, plain, wrap, swallow, twice = spans.client
    is_fine(hi)
    assert hi.duration_ms > 2, "the interceptor's own time counts"
    is_error(deny, "UNAUTHENTICATED", "no token")
    is_error(plain, "UNKNOWN", "no token at all", error_type="*errors.errorString")
    is_error(wrap, "NOT_FOUND", "greeter: rpc error: code = NotFound desc = nobody")
    is_fine(swallow)
    is_fine(twice)
    assert [s["rpc.response.status_code"] for s in spans.server] == [
        "OK", "NOT_FOUND", "UNAVAILABLE", "OK"]


@pytest.mark.parametrize("pair", CORNERS)
def test_server_interceptor(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "deny"}, {"do": "unary", "text": "panic:boom"},
                     {"do": "unary", "text": "hi"}, count=6, pair=pair,
                     server_args=("-intercept",))
    deny, panic, hi = spans.server
    is_fine(deny, "PERMISSION_DENIED")
    is_error(panic, "INTERNAL", "recovered: boom")
    assert [e.name for e in panic.events] == ["exception"]
    assert panic.events[0].attributes["exception.message"] == "boom"
    is_fine(hi)
    assert hi.events == []
    assert [s["rpc.response.status_code"] for s in spans.client] == [
        "PERMISSION_DENIED", "INTERNAL", "OK"]


@pytest.mark.parametrize("pair", CORNERS)
def test_two_messages_for_one(spans_of, pair):
    """The server streams where the client wants one message; the next call is not touched by it."""
    spans = spans_of({"do": "unary", "method": "/helloworld.Greeter/SendMany", "text": "3"},
                     {"do": "repeat", "text": "hi", "count": 2}, count=6, pair=pair)
    violated, *rest = spans.client
    assert spans.answers[0]["code"] in ("Internal", "Unknown")
    assert violated["rpc.response.status_code"] == spans.answers[0]["code"].upper()
    assert violated.status == ERROR
    for span in rest:
        is_fine(span)
        assert span.parent_id == ""


@pytest.mark.parametrize("pair", CORNERS)
@pytest.mark.parametrize("mode", ["default", "pie stripped"])
def test_a_panic_that_kills_the_process(start_server, trace, pair, mode):
    """The last thing that it did is what one wants to see."""
    server = start_server(name="grpcapp", version=pair[0], mode=mode, modules=((MODULE, pair[1]),))
    agent = trace(server)
    server.send(do="unary", text="panic:boom")
    span, = agent.finish(timeout=10)
    assert server.wait(5) == 2, "as without us"
    assert span.kind == SERVER and span.status == ERROR and span["error.type"] == "string"
    event, = span.events
    assert event.attributes["exception.message"] == "boom"
    assert "main.greeter.obey" in event.attributes["exception.stacktrace"]
    assert agent.done.unfinished == 1, "the client's"
