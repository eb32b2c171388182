# SPDX-License-Identifier: Apache-2.0
"""http.response.status_code: the one that reached the client; ERROR and error.type for 5xx only."""
import pytest

from harness.client import exchange, get
from harness.otlp import ERROR, UNSET

CASES = [
    ("/nothing", 200),
    ("/early", 201),                    # after two 103
    ("/superfluous", 202),              # then 500, which net/http ignores
    ("/item/1?status=204", 204),
    ("/item/1?status=304", 304),
    ("/item/1?status=404", 404),
    ("/item/1?status=599", 599),
    ("/wrapped/1?status=503", 503),
    ("/fail", 500),
    ("/timeout/1?ms=1&status=207", 207),
    ("/timeout/1?ms=2000", 503),
    ("/body/100000", 200),
    ("/no/such", 404),
    ("/exact?status=200", 200),
]


def check(span, status):
    assert span["http.response.status_code"] == status
    assert span.status == (ERROR if status >= 500 else UNSET)
    assert span["error.type"] == (str(status) if status >= 500 else None)
    assert span.events == []


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_final_status(spans_of, version):
    def send(server):
        for target, status in CASES:
            answer = get(server.http, target)
            while answer.startswith(b"HTTP/1.1 103"):
                answer = answer.partition(b"\r\n\r\n")[2]
            assert int(answer.split(b" ", 2)[1]) == status
    spans = sorted(spans_of(send, count=len(CASES), version=version), key=lambda s: s.start_ns)
    for span, (target, status) in zip(spans, CASES):
        assert span["url.path"] == target.partition("?")[0]
        check(span, status)


def test_head(span_of):
    check(span_of(lambda s: get(s.http, "/item/1?status=503", method="HEAD")), 503)


def test_http10(span_of):
    span = span_of(lambda s: get(s.http, "/exact", version="1.0"))
    check(span, 200)
    assert span["network.protocol.version"] == "1.0"


def test_requests_net_http_refuses_have_no_span(spans_of):
    def send(server):
        assert b" 400 " in exchange(server.http, b"GET / HTTP/1.1\r\n\r\n")      # no Host
        assert b" 400 " in exchange(server.http, b"nonsense\r\n\r\n")
        assert b" 400 " in exchange(server.http, b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert b" 505 " in exchange(server.http, b"GET / HTTP/3.0\r\nHost: a\r\n\r\n")
        get(server.http, "/exact")
    check(spans_of(send, count=1)[0], 200)


def test_reverse_proxy_makes_one_span_a_request(spans_of):
    outer, client, inner = sorted(
        spans_of(lambda s: get(s.http, "/proxy/item/1?status=418"), count=3),
        key=lambda s: s.start_ns)
    assert (client.parent_id, inner.parent_id) == (outer.span_id, client.span_id)
    assert (outer["url.path"], outer["http.route"]) == ("/proxy/item/1", "/proxy/")
    assert (inner["url.path"], inner["http.route"]) == ("/item/1", "/item/{id}")
    check(outer, 418)
    check(inner, 418)
