# SPDX-License-Identifier: Apache-2.0
"""A hijacked connection: the span ends there, once."""
import pytest

from harness import curl
from harness.client import exchange, get


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_upgrade(span_of, version):
    def send(server):
        answer = exchange(server.http, b"GET /hijack/upgrade HTTP/1.1\r\nHost: a\r\n"
                          b"Connection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n")
        assert answer.endswith(b"\r\n\r\nhello\n")
    span = span_of(send, version=version)
    assert span["http.response.status_code"] == 101
    assert span["error.type"] is None


def test_without_upgrade_there_is_no_status(span_of):
    assert span_of(lambda s: get(s.http, "/hijack/plain"))["http.response.status_code"] is None


def test_written_status_is_kept(span_of):
    assert span_of(lambda s: get(s.http, "/hijack/written"))["http.response.status_code"] == 202


def test_hijack_is_impossible_in_http2(span_of):
    """Its ResponseWriter is no Hijacker: the handler's type assertion panics."""
    span = span_of(lambda s: curl.get(f"https://127.0.0.1:{s.https}/hijack/plain", "--http2"))
    assert span["error.type"] == "*runtime.TypeAssertionError"
