# SPDX-License-Identifier: Apache-2.0
"""The remote parent: traceparent and tracestate as W3C Trace Context says, and sampling by it."""
import pytest

from harness import client
from harness.client import get, traceparent

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

GOOD = [
    f"00-{TRACE}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-03",
    f"cc-{TRACE}-{SPAN}-01",
    f"cc-{TRACE}-{SPAN}-01-what-the-future-will-be-like",
    f"  00-{TRACE}-{SPAN}-01  ",
]
BAD = [
    f"ff-{TRACE}-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-01-more",
    f"00-{TRACE}-{SPAN}-01.",
    f"00-{TRACE}-{SPAN}-0",
    f"00-{TRACE}-{SPAN}",
    f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01",
    f"00-{TRACE.upper()}-{SPAN}-01",
    f"0-{TRACE}-{SPAN}-01",
    f"00-{TRACE[:-1]}g-{SPAN}-01",
    f"00-{TRACE}-{SPAN}-zz",
    f"00_{TRACE}_{SPAN}_01",
    f"cc-{TRACE}-{SPAN}-01what",
    "",
    "00-",
    "x" * 500,
]


def test_good_and_bad(spans_of):
    def send(server):
        for n, value in enumerate(GOOD + BAD):
            get(server.http, f"/item/{n}", f"traceparent: {value}")
    spans = sorted(spans_of(send, count=len(GOOD + BAD)), key=lambda s: s.start_ns)
    for span, value in zip(spans, GOOD + BAD):
        if value in GOOD:
            assert (span.trace_id, span.parent_id) == (TRACE, SPAN), value
            assert span.flags & 0x301 == 0x301, value
        else:
            assert span.parent_id == "", value
            assert span.trace_id != TRACE, value
            assert span.flags & 0x200 == 0, value


def test_two_traceparents_are_none(span_of):
    span = span_of(lambda s: get(s.http, "/exact", traceparent(), traceparent(span_id="1" * 16)))
    assert span.parent_id == ""


def test_header_name_in_any_case(span_of):
    span = span_of(lambda s: get(s.http, "/exact", f"TraceParent: 00-{TRACE}-{SPAN}-01"))
    assert span.parent_id == SPAN


def test_new_ids_are_random_and_different(spans_of):
    def send(server):
        for _ in range(50):
            get(server.http, "/exact")
    spans = spans_of(send, count=50)
    assert len({s.trace_id for s in spans}) == 50
    assert len({s.trace_id[:8] for s in spans}) == 50, "also their first half"
    assert len({s.trace_id[-8:] for s in spans}) == 50
    assert all(s.span_id != "0" * 16 for s in spans)


def test_tracestate_is_carried(spans_of):
    def send(server):
        get(server.http, "/exact", traceparent(), "tracestate: rojo=1,congo=t61rcWkgMzE")
        get(server.http, "/exact", "tracestate: rojo=1")
    first, second = sorted(spans_of(send, count=2), key=lambda s: s.start_ns)
    assert first.trace_state == "rojo=1,congo=t61rcWkgMzE"
    assert second.trace_state == "", "worth nothing without a traceparent"


def test_a_long_tracestate_loses_whole_members(span_of):
    members = [f"vendor{n}={'x' * 50}" for n in range(10)]
    span = span_of(lambda s: get(s.http, "/exact", traceparent(), "tracestate: " + ",".join(members)))
    assert span.trace_state == ",".join(members[:8]), "of 512 bytes"


def test_propagation_can_be_turned_off(span_of):
    span = span_of(lambda s: get(s.http, "/exact", traceparent()), env={"OTEL_PROPAGATORS": "none"})
    assert span.parent_id == "" and span.trace_id != TRACE


def test_keep_alive_connection_does_not_inherit_the_parent(spans_of):
    def send(server):
        one = f"GET /exact HTTP/1.1\r\nHost: a\r\n{traceparent()}\r\n\r\n"
        two = "GET /exact HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        client.exchange(server.http, (one + two).encode())
    first, second = sorted(spans_of(send, count=2), key=lambda s: s.start_ns)
    assert first.trace_id == TRACE
    assert second.trace_id != TRACE and second.parent_id == ""


# sampler, argument, flags of the parent (None: no parent) -> sampled
SAMPLERS = [
    (None, None, None, True),
    (None, None, "01", True),
    (None, None, "00", False),
    ("always_on", None, "00", True),
    ("always_off", None, "01", False),
    ("parentbased_always_on", None, "00", False),
    ("parentbased_always_off", None, None, False),
    ("parentbased_always_off", None, "01", True),
    ("traceidratio", "0", "01", False),
    ("traceidratio", "1", "00", True),
    ("parentbased_traceidratio", "0", None, False),
    ("parentbased_traceidratio", "0", "01", True),
    ("parentbased_traceidratio", "1", "00", False),
    ("Parentbased_Always_Off", None, None, False),
    ("nonsense", None, None, True),
]


@pytest.mark.parametrize("sampler, argument, flags, sampled", SAMPLERS)
def test_sampler(spans_of, sampler, argument, flags, sampled):
    env = {"OTEL_TRACES_SAMPLER": sampler or ""}
    if argument:
        env["OTEL_TRACES_SAMPLER_ARG"] = argument
    headers = [traceparent(flags=flags)] if flags else []
    spans_of(lambda s: get(s.http, "/exact", *headers), env=env, count=1 if sampled else 0)


def test_half_of_the_traces(start_server, trace):
    server = start_server()
    agent = trace(server, env={"OTEL_TRACES_SAMPLER": "traceidratio",
                               "OTEL_TRACES_SAMPLER_ARG": "0.5"})
    client.load(server.http, 2000, 8, traceparent=False).check()
    agent.wait_spans(1)
    spans = agent.stop()
    assert 850 < len(spans) < 1150, "ten standard deviations are 224"
