# SPDX-License-Identifier: Apache-2.0
"""Request data is the enemy's: valid UTF-8 leaves, nothing reaches the terminal raw, sizes hold."""
import pytest

from harness.client import get


def test_percent_ff(span_of):
    assert span_of(lambda s: get(s.http, "/%ff"))["url.path"] == "/%ff"


def test_raw_bytes_become_replacement_characters(span_of):
    span = span_of(lambda s: get(s.http, "/item/\xff\xfe?q=\xc3", "User-Agent: a\xffb"))
    assert span["url.path"] == "/item/\ufffd\ufffd"
    assert span["url.query"] == "q=\ufffd"
    assert span["user_agent.original"] == "a\ufffdb"


def test_surrogates_and_overlong_forms_are_not_utf8(span_of):
    span = span_of(lambda s: get(s.http, "/item/\xed\xa0\x80/\xc0\xaf/\xf5\x80\x80\x80"))
    span["url.path"].encode("utf-8")  # a lone surrogate would raise
    assert "\ufffd" in span["url.path"]


@pytest.mark.parametrize("length", [1000, 1024, 8192])
def test_long_url(span_of, length):
    target = "/item/" + "9" * (length - 6)
    path = span_of(lambda s: get(s.http, target))["url.path"]
    assert path == target[:len(path)]
    assert len(path) <= 1024
    assert len(path) == length or length > 1024


def test_cut_is_at_a_character(span_of):
    raw = "/item/x" + "é" * 1000
    span = span_of(lambda s: get(s.http, raw.encode().decode("latin-1")))
    path = span["url.path"]
    assert path == raw[:len(path)], "no half character"
    assert 900 <= len(path.encode()) <= 1024


def test_long_query_and_path(span_of):
    span = span_of(lambda s: get(s.http, "/item/1?q=" + "z" * 8000 + "&token=s3cret"))
    assert span["url.path"] == "/item/1"
    assert span["url.query"].startswith("q=zzz")
    assert len(span["url.path"]) + len(span["url.query"]) <= 1024
    assert "s3cret" not in span["url.query"]


def test_long_user_agent(span_of):
    span = span_of(lambda s: get(s.http, "/exact", "User-Agent: " + "u" * 5000))
    agent = span["user_agent.original"]
    assert agent == "u" * len(agent) and 0 < len(agent) <= 256


def test_100_kb_of_headers(span_of):
    span = span_of(lambda s: get(s.http, "/exact", "X-Large: " + "h" * 100_000, "User-Agent: me"))
    assert span["http.response.status_code"] == 200
    assert span["user_agent.original"] == "me"


def test_more_headers_than_are_searched(span_of):
    """400; newer Go refuses more than 500. The parent may be missed then, the request may not."""
    many = [f"X-H{n}: {n}" for n in range(400)]
    assert span_of(lambda s: get(s.http, "/exact", *many))["http.response.status_code"] == 200


def test_a_header_400_times(span_of):
    """Go makes the map as large as there are lines, so most of it is beyond what is searched."""
    many = [f"X-Forwarded-For: 10.0.0.{n % 250}" for n in range(400)]
    span = span_of(lambda s: get(s.http, "/exact", *many))
    assert span["http.response.status_code"] == 200
    assert span["client.address"] in ("10.0.0.0", "127.0.0.1")


def test_long_method(span_of):
    span = span_of(lambda s: get(s.http, "/exact", method="M" * 3000))
    assert span["http.request.method"] == "_OTHER"


@pytest.mark.parametrize("text", ["\x9b31m", "\u202e", "\x85"])
def test_nothing_reaches_the_terminal_raw(start_server, trace, text):
    server = start_server()
    agent = trace(server, console=True)
    wire = text.encode().decode("latin-1")
    get(server.http, f"/item/b{wire}e", f"User-Agent: {wire}")
    agent.wait_spans(1)
    agent.stop()
    shown = agent.stdout.text() + agent.stderr.text()
    assert "/item/b" in shown
    controls = [c for c in shown if (ord(c) < 32 and c not in "\n\t") or 0x7f <= ord(c) < 0xa0]
    assert not controls, controls
    if text == "\u202e":
        assert text not in shown, "it would turn the line around"
