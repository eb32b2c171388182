# SPDX-License-Identifier: Apache-2.0
"""Panics: an exception event on the span, whether or not somebody recovers."""
import pytest

from harness.client import get, status_of, traceparent
from harness.otlp import ERROR

# kind: exception.type, end of exception.message (None: need not be known)
PANICS = {
    "nilmap": ("runtime.plainError", "assignment to entry in nil map"),
    "index": ("runtime.boundsError", "index out of range [3] with length 2"),
    "array": ("runtime.boundsError", "pointer to array with length 9"),
    "nilpointer": ("runtime.errorString", "invalid memory address or nil pointer dereference"),
    "conversion": ("*runtime.TypeAssertionError",
                   "interface conversion: interface {} is string, not int"),
    "method": ("*runtime.TypeAssertionError",
               "interface conversion: string is not fmt.Stringer: missing method String"),
    "error": ("*errors.errorString", "boom 77"),
    "wrapped": ("*fmt.wrapError", "order 7: no stock"),
    "custom": ("*main.orderError", None),
    "string": ("string", "plain text"),
    "int": ("int", "42"),
}


def check_exception(span, kind):
    exception, message = PANICS[kind]
    assert [e.name for e in span.events] == ["exception"], span.events
    event, = span.events
    assert event.attributes["exception.type"] == exception
    assert span.start_ns <= event.time_ns <= span.end_ns
    if message:
        assert event.attributes["exception.message"].endswith(message)


def send_all(prefix, query=""):
    def send(server):
        for kind in PANICS:
            get(server.http, f"/{prefix}/{kind}{query}", "X-Request-Id: 77")
    return send


@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.27.1"])
def test_panic_ends_the_span_as_error(spans_of, version):
    spans = sorted(spans_of(send_all("panic"), count=len(PANICS), version=version),
                   key=lambda s: s.start_ns)
    for span, kind in zip(spans, PANICS):
        assert span["url.path"] == f"/panic/{kind}"
        check_exception(span, kind)
        assert span.status == ERROR
        assert span["error.type"] == PANICS[kind][0]
        assert span["http.response.status_code"] is None, "nothing was sent"


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_recovered_panic_keeps_the_response(spans_of, version):
    spans = sorted(spans_of(send_all("recovered"), count=len(PANICS), version=version),
                   key=lambda s: s.start_ns)
    for span, kind in zip(spans, PANICS):
        assert span["url.path"] == f"/recovered/{kind}"
        check_exception(span, kind)
        assert span["http.response.status_code"] == 503
        assert (span.status, span["error.type"]) == (ERROR, "503")


def test_panic_after_the_status_was_sent(span_of):
    span = span_of(lambda s: get(s.http, "/panic/string?written=1"))
    check_exception(span, "string")
    assert span["http.response.status_code"] == 202
    assert (span.status, span["error.type"]) == (ERROR, "string")


def test_abort_handler_is_no_exception(span_of):
    span = span_of(lambda s: get(s.http, "/panic/abort"))
    assert span.events == []
    assert (span.status, span["error.type"]) == (ERROR, "*errors.errorString")


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_goexit_ends_the_span(span_of, version):
    span = span_of(lambda s: get(s.http, "/panic/goexit"), version=version)
    assert span["url.path"] == "/panic/goexit"
    assert span.events == []


def test_the_connection_after_a_recovered_panic_is_clean(spans_of):
    def send(server):
        assert status_of(get(server.http, "/recovered/string")) == 503
        assert status_of(get(server.http, "/item/1")) == 200
    panicked, after = sorted(spans_of(send, count=2), key=lambda s: s.start_ns)
    check_exception(panicked, "string")
    assert after.events == []
    assert after["error.type"] is None


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
@pytest.mark.parametrize("kind", ["string", "abort", "goexit"])
def test_requests_after_a_panic_have_their_own_parents(spans_of, kind, version):
    """On new connections: the one that panicked is gone, its goroutine too."""
    numbers = range(1, 7)

    def send(server):
        for n in numbers:
            path = f"/panic/{kind}" if n % 2 else "/exact"
            get(server.http, path, traceparent(f"{n:032x}", f"{n:016x}"))
        get(server.http, "/exact")
    *spans, last = sorted(spans_of(send, count=7, version=version), key=lambda s: s.start_ns)
    assert [(int(s.trace_id, 16), int(s.parent_id, 16)) for s in spans] == [(n, n) for n in numbers]
    assert last.parent_id == "" and int(last.trace_id, 16) not in numbers
    assert last.events == spans[1].events == []


@pytest.mark.parametrize("kind", ["index", "method"])
@pytest.mark.parametrize("mode", ["-race", "-N -l", "pie stripped"])
def test_panic_in_other_builds(span_of, mode, kind):
    span = span_of(lambda s: get(s.http, f"/panic/{kind}"), mode=mode)
    check_exception(span, kind)
    assert (span.status, span["error.type"]) == (ERROR, PANICS[kind][0])
