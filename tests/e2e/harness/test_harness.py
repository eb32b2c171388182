# SPDX-License-Identifier: Apache-2.0
"""The harness itself: the load tells right answers from wrong ones, and right spans from wrong ones.
"""
import dataclasses

import pytest

from harness import build, client, expect, gospan, otlp


@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.27.1"])
def test_server_and_load_agree_byte_by_byte(start_server, version):
    server = start_server(version=version)
    ports = {"h1": server.http, "close": server.http, "pipeline": server.http, "tls": server.https,
             "h2": server.https, "h2c": server.h2c}
    for n, (mode, port) in enumerate(ports.items()):
        if port:
            assert len(client.load(port, 100, 4, mode=mode, first=n * 100).check().requests) == 100
    assert server.stats()["started"] == 100 * sum(p is not None for p in ports.values())
    server.exit()


def test_load_notices_a_wrong_answer(start_server):
    server = start_server()
    report = client.load(server.http, 10, 2, path="/nothing")
    assert report.failed == 10
    with pytest.raises(AssertionError):
        report.check()


REQUEST = {"id": 7, "method": "GET", "uri": "/item/7?status=503&i=7", "route": "/item/{id}",
           "status": 503, "user_agent": "load/7", "trace_id": "a" * 32, "parent_span_id": "b" * 16,
           "start_ns": 10 ** 18, "end_ns": 10 ** 18 + 5_000_000}


@pytest.fixture
def span():
    """The right span for REQUEST."""
    return otlp.Span(
        name="GET /item/{id}", kind=2, trace_id="a" * 32, span_id="c" * 16, parent_id="b" * 16,
        flags=0x301, trace_state="", start_ns=10 ** 18 + 1_000_000, end_ns=10 ** 18 + 2_000_000,
        status=2, message="", events=[], links=[], resource={}, scope="", scope_version="",
        schema_url="", attributes={
            "http.request.method": "GET", "http.route": "/item/{id}", "url.path": "/item/7",
            "http.response.status_code": 503, "url.query": "status=503&i=7", "url.scheme": "http",
            "user_agent.original": "load/7", "network.protocol.version": "1.1",
            "network.peer.address": "127.0.0.1", "network.peer.port": 1, "error.type": "503",
            "client.address": "127.0.0.1", "server.address": "127.0.0.1", "server.port": 80})


def test_right_span_matches(span):
    expect.spans_match([span], [REQUEST], True, 80)


@pytest.mark.parametrize("change", [
    {"name": "GET"}, {"kind": 3}, {"parent_id": ""}, {"status": 0}, {"flags": 0x101},
    {"trace_id": "d" * 32}, {"start_ns": 10 ** 18 - 2_000_000}, {"end_ns": 10 ** 18 + 9_000_000},
    {"end_ns": 10 ** 18}, {"events": [otlp.Event("exception", 0, {})]},
    *({"attributes": {key: value}} for key, value in [
        ("http.route", None), ("url.path", "/item/8"), ("http.response.status_code", 200),
        ("error.type", None), ("user_agent.original", "load/8"), ("server.port", 81)]),
])
def test_wrong_span_does_not_match(span, change):
    if "attributes" in change:
        change = {"attributes": {**span.attributes, **change["attributes"]}}
    with pytest.raises(AssertionError):
        expect.spans_match([dataclasses.replace(span, **change)], [REQUEST], True, 80)


def test_missing_doubled_and_strange_spans_do_not_match(span):
    other = dataclasses.replace(span, trace_id="e" * 32)
    for spans in ([], [span, span], [span, other]):
        with pytest.raises(AssertionError):
            expect.spans_match(spans, [REQUEST], True, 80)


def test_done_line():
    line = "gospan: done: 164 spans produced, 160 exported, 4 dropped (ring full 4), 1 unfinished"
    done = gospan.parse_done(line)
    assert (done.produced, done.exported, done.dropped, done.unfinished) == (164, 160, 4, 1)
    assert done.reasons == "ring full 4"
    done.check()
    with pytest.raises(AssertionError):
        gospan.parse_done(line.replace("160", "150")).check()


def test_no_sections_is_what_it_says():
    try:
        data = build.build("httpserver", mode="no sections").read_bytes()
    except build.CannotBuild as e:
        pytest.skip(str(e))
    assert data[40:48] == bytes(8) and data[58:64] == bytes(6)
