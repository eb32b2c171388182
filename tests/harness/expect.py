# SPDX-License-Identifier: Apache-2.0
"""What the spans of a load must look like, request by request."""
import collections

from . import otlp

SLACK_NS = 1_000_000


def spans_match(spans, requests, routes, port=None, scheme="http", protocol="1.1", times=True):
    """Exactly one span for each request of a client.Report, and every one is right.

    ROUTES: whether the target's ServeMux has patterns. A request is found by its trace id, which
    carries its id, as do path, query, User-Agent, status and parent: mixed-up data shows.
    """
    by_trace = collections.defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    missing = [r for r in requests if r["trace_id"] not in by_trace]
    doubled = {t: len(s) for t, s in by_trace.items() if len(s) > 1}
    wanted = {r["trace_id"] for r in requests}
    strangers = [s for s in spans if s.trace_id not in wanted]
    assert not (missing or doubled or strangers), (
        f"{len(spans)} spans for {len(requests)} requests: {len(missing)} without a span, "
        f"{len(doubled)} with several, {len(strangers)} spans of no request; "
        f"first: {missing[:1]} {list(doubled.items())[:1]} {strangers[:1]}")
    for request in requests:
        span, = by_trace[request["trace_id"]]
        span_matches(span, request, routes, port, scheme, protocol)
        if times:
            within(span, request["start_ns"], request["end_ns"])


def span_matches(span, request, routes, port=None, scheme="http", protocol="1.1"):
    path, _, query = request["uri"].partition("?")
    route = request["route"] if routes else None
    status = request["status"]
    want = {
        "http.request.method": request["method"],
        "http.route": route or None,
        "http.response.status_code": status,
        "url.path": path,
        "url.query": query or None,
        "url.scheme": scheme,
        "user_agent.original": request["user_agent"],
        "network.protocol.version": protocol,
        "network.peer.address": "127.0.0.1",
        "client.address": "127.0.0.1",
        "server.address": "127.0.0.1",
        "error.type": str(status) if status >= 500 else None,
    }
    if port:
        want["server.port"] = port
    got = {key: span[key] for key in want}
    assert got == want, differences(got, want)
    assert isinstance(span["network.peer.port"], int)
    name = f"{request['method']} {route}" if route else request["method"]
    assert span.name == name
    assert span.kind == otlp.SERVER
    assert span.status == (otlp.ERROR if status >= 500 else otlp.UNSET)
    assert span.parent_id == request["parent_span_id"]
    assert span.flags & 0x301 == 0x301, f"sampled, remote parent known: {span.flags:#x}"
    assert span.events == []


def within(span, start_ns, end_ns):
    """The client's interval around the span's, 1 ms slack."""
    assert span.start_ns <= span.end_ns
    assert span.start_ns >= start_ns - SLACK_NS, f"starts {start_ns - span.start_ns} ns too early"
    assert span.end_ns <= end_ns + SLACK_NS, f"ends {span.end_ns - end_ns} ns too late"


def differences(got, want):
    return {key: f"{got[key]!r}, not {want[key]!r}" for key in want if got[key] != want[key]}
