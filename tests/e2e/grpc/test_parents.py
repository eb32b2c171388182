# SPDX-License-Identifier: Apache-2.0
"""Which span is below which, with exact ids."""
import pytest

from harness.otlp import CLIENT, SERVER

from .conftest import CORNERS, MODULE, PAIRS

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}


def is_below(span, parent):
    assert (span.trace_id, span.parent_id) == (parent.trace_id, parent.span_id)


@pytest.mark.parametrize("pair", CORNERS)
def test_remote_parent(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "hi", "metadata": PARENT},
                     {"do": "chat", "text": "hi", "metadata": PARENT},
                     {"do": "unary", "text": "hi"}, count=6, pair=pair)
    for span in spans.server[:2]:
        assert (span.trace_id, span.parent_id, span.trace_state) == (TRACE, SPAN, "a=1")
        assert span.flags & 0x301 == 0x301
    is_below(spans.server[2], spans.client[2])
    assert spans.server[2].trace_id != TRACE


@pytest.mark.parametrize("pair", [CORNERS[0], PAIRS[1], CORNERS[2]])
def test_remote_parent_below_what_stats_handlers_add(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "hi", "metadata": PARENT}, count=2, pair=pair,
                     server_args=["-tags", "12"])
    assert (spans.server[0].trace_id, spans.server[0].parent_id) == (TRACE, SPAN)


def test_sampled_out(spans_of):
    """Nothing of it, nor of what is below; the next one is not touched by it."""
    unsampled = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    spans = spans_of({"do": "unary", "text": "call:hi", "metadata": unsampled},
                     {"do": "unary", "text": "call:hi"}, count=1 + 4)
    assert sum(s.trace_id == TRACE for s in spans) == 0


@pytest.mark.parametrize("joined", [True, False])
@pytest.mark.parametrize("pair", CORNERS)
def test_without_a_header_what_is_below_is_kept(spans_of, pair, joined):
    """Both ends are in this process, so that they know of each other; unless that is not wanted."""
    env = {} if joined else {"OTEL_PROPAGATORS": "none"}
    spans = spans_of({"do": "unary", "text": "call:hi"}, count=4, pair=pair, env=env)
    outer, inner = spans.client
    handler, last = spans.server
    assert outer.parent_id == ""
    is_below(inner, handler)
    if joined:
        is_below(handler, outer)
        is_below(last, inner)
    else:
        assert handler.parent_id == last.parent_id == ""


@pytest.mark.parametrize("text", ["call:call:call:hi", "background:background:background:hi"])
def test_nested(spans_of, text):
    spans = spans_of({"do": "unary", "text": text}, count=8)
    for call, handler in zip(spans.client[1:], spans.server):
        is_below(call, handler)


@pytest.mark.parametrize("pair", CORNERS)
def test_call_inside_a_call(spans_of, pair):
    """An interceptor's own RPC, on the same goroutine, is below the RPC that it intercepts."""
    spans = spans_of({"do": "unary", "text": "token", "intercept": True}, count=5, pair=pair, web=True)
    request, = spans.http
    outer, = (s for s in spans.client if s.parent_id == request.span_id)
    inner, = (s for s in spans.client if s.parent_id == outer.span_id)
    assert inner.trace_id == outer.trace_id == request.trace_id
    assert outer.start_ns <= inner.start_ns <= inner.end_ns <= outer.end_ns


@pytest.mark.parametrize("pair", CORNERS)
def test_much_metadata(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "hi", "metadata": PARENT, "more": 40},
                     {"do": "chat", "text": "hi", "metadata": PARENT, "more": 40}, count=4, pair=pair)
    for span in spans.server:
        assert (span.trace_id, span.parent_id, span.trace_state) == (TRACE, SPAN, "a=1")


@pytest.mark.parametrize("pair", CORNERS)
def test_metadata_that_is_too_much_to_search_is_counted(start_server, trace, pair):
    server = start_server(name="grpcapp", version=pair[0], modules=((MODULE, pair[1]),))
    agent = trace(server)
    for _ in range(4):
        server.do(do="unary", text="hi", metadata=PARENT, more=300)
    agent.wait_spans(8)
    spans = agent.stop()
    # it is found by chance, or not: then the call may be known, as both ends are traced
    right = {(TRACE, SPAN)} | {(s.trace_id, s.span_id) for s in spans if s.kind == CLIENT}
    servers = [s for s in spans if s.kind == SERVER]
    assert len(servers) == 4
    assert {(s.trace_id, s.parent_id) for s in servers if s.parent_id} <= right
    assert "many_headers 4" in agent.stderr.lines[-1]


@pytest.mark.parametrize("pair", CORNERS)
def test_below_an_http_request(spans_of, pair):
    """HTTP handler -> gRPC client -> gRPC server, all in one process."""
    spans = spans_of({"do": "unary", "text": "hi"}, {"do": "chat", "text": "hi", "count": 2},
                     count=6, pair=pair, web=True)
    for call, request in zip(spans.client, spans.http):
        is_below(call, request)


@pytest.mark.parametrize("pair", CORNERS)
def test_fan_out_are_siblings(spans_of, pair):
    spans = spans_of({"do": "many", "text": "sleep:20", "count": 8, "parallel": 8}, count=17,
                     pair=pair, web=True)
    request, = spans.http
    for call in spans.client:
        is_below(call, request)


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("pair", CORNERS)
def test_calls_while_a_stream_is_open_are_siblings(spans_of, pair, intercept):
    spans = spans_of({"do": "chat and calls", "text": "x", "count": 2, "intercept": intercept},
                     count=7, pair=pair, web=True)
    request, = spans.http
    assert [s.name.rpartition("/")[2] for s in spans.client] == ["Chat", "SayHello", "SayHello"]
    for call in spans.client:
        is_below(call, request)
    chat, first, second = spans.client
    assert chat.start_ns < first.start_ns and second.end_ns < chat.end_ns


@pytest.mark.parametrize("pair", CORNERS)
def test_stream_of_another_goroutine(spans_of, pair):
    spans = spans_of({"do": "chat elsewhere", "text": "x"}, count=3, pair=pair, web=True)
    chat, = spans.client
    is_below(chat, spans.http[0])
    assert (chat["gospan.rpc.messages_sent"], chat["gospan.rpc.messages_received"]) == (1, 1)


@pytest.mark.parametrize("pair", CORNERS)
def test_after_a_recovered_panic(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "panic:boom"}, {"do": "unary", "text": "call:hi"},
                     count=6, pair=pair, server_args=("-intercept",))
    panicked, handler, _ = spans.server
    is_below(panicked, spans.client[0])
    is_below(handler, spans.client[1])
    is_below(spans.client[2], handler)


@pytest.mark.parametrize("pair", CORNERS)
def test_server_under_net_http(spans_of, pair):
    spans = spans_of({"do": "unary", "text": "call:hi", "metadata": PARENT}, count=6, pair=pair,
                     server_args=("-handler",))
    request, _ = spans.http
    handler, _ = spans.server
    assert (request.trace_id, request.parent_id) == (TRACE, SPAN)
    is_below(handler, request)
    is_below(spans.client[1], handler)
    assert request.name == "POST"
