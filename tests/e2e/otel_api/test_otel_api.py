# SPDX-License-Identifier: Apache-2.0
"""Spans that a program makes by hand with OpenTelemetry's API and no SDK (harness/go/otelapi)."""
import pytest

from harness import otlp
from harness.client import traceparent

from .conftest import PAIRS

INTERNAL, CLIENT, PRODUCER, CONSUMER, OK = 1, 3, 4, 5, 1
MOMENT = 1700000000_123456789
ALL = ("/nested", "/attributes", "/large", "/events", "/status", "/options")

BUILDS = [(pair, mode) for pair in PAIRS for mode in ("default", "pie stripped")]


@pytest.mark.parametrize("pair, mode", BUILDS)
def test_all_of_it(run, pair, mode):
    spans = run(*ALL, pair=pair, mode=mode)
    nesting_is_right(spans)
    attributes_are_right(spans["attributes"])
    nothing_but_the_surplus_is_lost(spans["large"])
    events_are_right(spans["events"])
    unset_times_are_now(spans["/events"], spans["unset times"])
    statuses_are_right(spans)
    options_are_right(spans, pair[1])
    by_hand = [s for s in spans.values() if s.scope == "example.test/shop"]
    assert len(by_hand) == (16 if "link added" in spans else 15)
    assert spans["other tracer"].scope == "example.test/other"
    assert all(s.scope_version == "" and s.schema_url == "" for s in by_hand), "not ours to say"
    assert run.done.unfinished == 1, "the one that /nested forgets"


def nesting_is_right(spans):
    server = spans["/nested"]
    parents = {"outer": server.span_id, "middle": spans["outer"].span_id,
               "inner": spans["middle"].span_id, "sibling": spans["outer"].span_id}
    assert {name: spans[name].parent_id for name in parents} == parents
    for name in parents:
        assert spans[name].trace_id == server.trace_id
        assert spans[name].flags & 0x301 == 0x101, "sampled, the parent is local"
        assert server.start_ns <= spans[name].start_ns <= spans[name].end_ns
        assert spans[name].end_ns <= server.end_ns
        assert spans[name].kind == INTERNAL
    assert spans["inner"].attributes == {"from": "context"}
    assert spans["middle"].end_ns <= spans["sibling"].start_ns


def attributes_are_right(span):
    assert span.attributes == {
        "start.text": "again", "start.number": -5, "start.yes": True, "no": False, "ratio": 0.25,
        "large": 1 << 62, "empty": "", "names": ["one", "", "three"],
        "numbers": [1, -2, 3, 4, 5], "ratios": [0.5], "flags": [True, False], "nobody": []}


def nothing_but_the_surplus_is_lost(span):
    text = "".join(chr(ord("a") + i % 26) for i in range(300))
    kept = len(span.attributes)
    assert span.attributes == {f"key.{i:02}": text for i in range(kept)}
    assert 3 <= kept < 40 and span.dropped_attributes == 40 - kept
    assert len(span.events) + span.dropped_events == 20 and span.dropped_events
    assert (span.status, span.message) == (otlp.ERROR, "still said")


def events_are_right(span):
    plain, more, error, wrapped, network = span.events
    assert (plain.name, plain.attributes) == ("plain", {})
    assert span.start_ns <= plain.time_ns <= error.time_ns
    assert (more.name, more.attributes, more.time_ns) == ("with more", {"n": 7, "s": "t"}, MOMENT)
    assert error.name == wrapped.name == "exception"
    assert error.attributes == {"exception.type": "*errors.errorString",
                                "exception.message": "out of stock"}
    assert wrapped.attributes == {"exception.type": "*fmt.wrapError", "retried": True,
                                  "exception.message": "order: context deadline exceeded"}
    assert network.attributes == {
        "exception.type": "*net.OpError",
        "exception.message": "dial tcp 192.0.2.7:4711->192.0.2.1:80: no way"}
    assert span.end_ns == MOMENT + 3_000_000_000, "as End was told"
    assert span.status == otlp.UNSET, "an error that was recorded is not yet a failure"


def unset_times_are_now(server, span):
    event, = span.events
    assert server.start_ns <= span.start_ns <= event.time_ns <= span.end_ns <= server.end_ns


def statuses_are_right(spans):
    assert (spans["failed"].status, spans["failed"].message) == (otlp.ERROR, "no such order")
    assert (spans["ok"].status, spans["ok"].message) == (OK, "")
    assert "second name" in spans and "first name" not in spans and "after the end" not in spans


def options_are_right(spans, version):
    assert (spans["kind"].kind, spans["kind"].start_ns) == (PRODUCER, MOMENT)
    assert spans["root"].parent_id == ""
    assert spans["root"].trace_id != spans["kind"].trace_id
    assert spans["below root"].parent_id == spans["root"].span_id
    assert spans["below root"].trace_id == spans["root"].trace_id
    assert spans["below root"].kind == CLIENT
    assert spans["linked"].dropped_links == 1, "one of the program's own"
    linked = [spans["linked"]]
    if int(version.split(".")[1]) >= 27:
        linked.append(spans["link added"])
    for span in linked:
        link, = span.links
        assert link["traceId"] == "0102030000000000" "0000000000000010"
        assert link["spanId"] == "0102000000000008"
        assert link["attributes"] == [{"key": "why", "value": {"stringValue": "batch"}}]
        assert span.kind == INTERNAL and span.parent_id == spans["kind"].parent_id


def test_goroutines_share_a_context(run):
    spans = run("/fan", count=18)
    by_id = {s.span_id: s for s in spans}
    fan, = (s for s in spans if s.name == "fan")
    ones = [s for s in spans if s.name == "one of many"]
    assert len(ones) == 8 and {s.parent_id for s in ones} == {fan.span_id}
    twos = [s for s in spans if s.name == "below one"]
    assert len(twos) == 8 and len({s.parent_id for s in twos}) == 8
    assert all(by_id[s.parent_id].name == "one of many" for s in twos)


def test_forgotten_spans_leave_room_for_others(run):
    spans = run(*["/leak"] * 4, env={"GOSPAN_MAX_IN_FLIGHT": "1024"})
    assert "/leak" in spans
    assert 0 < run.done.unfinished <= 560, "about half of the room"
    assert "in_flight_full" in run.done.reasons
    assert "abandoned" in run.stderr.text(), "where their memory was used again"
    assert run.requests == 4, "none of the server's spans is lost"


@pytest.mark.parametrize("flag", ["00", "01"])
def test_sampling_is_the_servers(run, flag):
    spans = run("/attributes", count=0 if flag == "00" else 2,
                headers=[traceparent()[:-2] + flag])
    assert len(spans) == (0 if flag == "00" else 2)
