# SPDX-License-Identifier: Apache-2.0
"""Streams: a span lasts as long as its stream, and counts the messages."""
import pytest

from harness.otlp import ERROR, UNSET

from .conftest import CORNERS


def messages(span):
    return span["gospan.rpc.messages_sent"], span["gospan.rpc.messages_received"]


@pytest.mark.parametrize("intercept", [False, True])
@pytest.mark.parametrize("pair", CORNERS)
def test_three_kinds(spans_of, pair, intercept):
    spans = spans_of({"do": "answers", "text": "7", "intercept": intercept},
                     {"do": "requests", "text": "x", "count": 5, "intercept": intercept},
                     {"do": "chat", "text": "x", "count": 3, "intercept": intercept},
                     count=6, pair=pair, server_args=("-intercept",) if intercept else ())
    for span, name in zip(spans.client, ("SendMany", "TakeMany", "Chat")):
        assert span.name == span["rpc.method"] == f"helloworld.Greeter/{name}"
    assert [messages(s) for s in spans.client] == [(1, 7), (5, 1), (3, 3)]
    assert [messages(s) for s in spans.server] == [(7, 1), (1, 5), (3, 3)]
    for span in spans:
        assert span["rpc.response.status_code"] == "OK" and span.status == UNSET


def test_unary_rpcs_do_not_count_messages(spans_of):
    spans = spans_of({"do": "unary", "text": "hi"}, count=2)
    assert [messages(s) for s in spans] == [(None, None)] * 2


@pytest.mark.parametrize("pair", CORNERS)
def test_status(spans_of, pair):
    spans = spans_of({"do": "answers", "text": "2|status:14:gone"},
                     {"do": "requests", "text": "status:5:what", "count": 1},
                     {"do": "chat", "text": "plain:oops", "count": 1},
                     {"do": "chat", "method": "/pkg.Nothing/Do"}, count=8, pair=pair)
    assert [(s["rpc.response.status_code"], s.message) for s in spans.client] == [
        ("UNAVAILABLE", "gone"), ("NOT_FOUND", "what"), ("UNKNOWN", "oops"),
        ("UNIMPLEMENTED", "unknown service pkg.Nothing")]
    assert [(s["rpc.response.status_code"], s.status) for s in spans.server] == [
        ("UNAVAILABLE", ERROR), ("NOT_FOUND", UNSET), ("UNKNOWN", ERROR), ("UNIMPLEMENTED", ERROR)]
    assert messages(spans.client[0]) == (1, 2)
    assert all(s.status == ERROR for s in spans.client)


@pytest.mark.parametrize("pair", CORNERS)
def test_lasts_as_long_as_the_stream(spans_of, pair):
    spans = spans_of({"do": "answers", "text": "2|sleep:150"}, count=2, pair=pair)
    for span in spans:
        assert 140 < span.duration_ms < 1500


@pytest.mark.parametrize("pair", CORNERS)
def test_nobody_looks(spans_of, pair):
    """A stream that is left alone ends with its context; one that waits, by its deadline."""
    spans = spans_of({"do": "leave", "cancelMs": 10000},
                     {"do": "answers", "text": "0|sleep:300", "timeoutMs": 80}, count=4, pair=pair)
    left, waited = spans.client
    assert left["rpc.response.status_code"] == "CANCELLED"
    assert waited["rpc.response.status_code"] == "DEADLINE_EXCEEDED"
    assert 70 < waited.duration_ms < 290


@pytest.mark.parametrize("pair", CORNERS)
def test_never_became_a_stream(spans_of, pair):
    spans = spans_of({"do": "open denied", "intercept": True},
                     {"do": "chat", "target": "127.0.0.1:1"}, {"do": "unary", "text": "hi"},
                     count=4, pair=pair)
    denied, refused, after = spans.client
    assert (denied["rpc.response.status_code"], denied.message) == ("UNAUTHENTICATED", "no token")
    assert refused["rpc.response.status_code"] == "UNAVAILABLE"
    assert after.parent_id == ""


@pytest.mark.parametrize("pair", CORNERS)
def test_recovered_panic(spans_of, pair):
    spans = spans_of({"do": "chat", "text": "panic:boom", "count": 1}, count=2, pair=pair,
                     server_args=("-intercept",))
    server, = spans.server
    assert (server["rpc.response.status_code"], server.message) == ("INTERNAL", "recovered: boom")
    assert [e.attributes["exception.message"] for e in server.events] == ["boom"]
    assert spans.client[0]["rpc.response.status_code"] == "INTERNAL"
