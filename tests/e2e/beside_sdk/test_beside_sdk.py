# SPDX-License-Identifier: Apache-2.0
"""Programs with an OpenTelemetry SDK inside (harness/go/besidesdk): one trace, nothing twice."""
import pytest

from harness.client import traceparent
from harness.otlp import CLIENT, SERVER

from .conftest import BUILDS

ALL = [(kind, mode) for kind in BUILDS for mode in ("default", "pie stripped")]
QUERIES = ["below_server", "below_hand", "below_cancel", "after_hand"]
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def query(span):
    return span.name.removeprefix("SELECT ")


@pytest.mark.parametrize("kind, mode", ALL)
def test_one_trace_without_doubles(run, kind, mode):
    """otelhttp's server span, one by hand, and gospan's queries below them; the first request, in
    which the SDK is found out, is no exception."""
    result = run("/work", "/work", "/work", kind=kind, mode=mode)
    servers = [s for s in result.theirs if s["kind"] == SERVER]
    assert len(servers) == 3 and len(result.theirs) == 6
    assert len(result.ours) == 12, [s.name for s in result.ours]
    for server in servers:
        hand, = (s for s in result.theirs
                 if s["name"] == "by hand" and s["parent_id"] == server["span_id"])
        ours = [s for s in result.ours if s.trace_id == server["trace_id"]]
        assert [query(s) for s in ours] == QUERIES
        assert [s.parent_id for s in ours] == [server["span_id"], hand["span_id"],
                                               hand["span_id"], server["span_id"]]
        assert all(s.kind == CLIENT and s.flags & 0x301 == 0x101 for s in ours)
    said = [line for line in result.stderr if "SDK" in line]
    assert said == [f"gospan: pid {result.pid} makes spans with an OpenTelemetry SDK: leaving "
                    "net/http server to otelhttp (--with-sdk)"]


def test_it_is_said_even_if_the_agent_ends_at_once(run):
    for _ in range(4):  # whether its next look would have come in time is luck
        result = run("/work", at_once=True)
        assert len(result.ours) == 4
        assert [line for line in result.stderr if "makes spans with an OpenTelemetry SDK" in line]


@pytest.mark.parametrize("kind", BUILDS)
def test_client_calls_are_the_sdks_only_where_it_makes_a_span(run, kind):
    """otelhttp's transport is linked; one handler uses it, the other one http.DefaultClient."""
    result = run("/call", "/covered", kind=kind)
    call, covered = (s for s in result.theirs if s["kind"] == SERVER)
    ours, = result.ours
    assert (ours.name, ours.kind) == ("GET", CLIENT)
    assert (ours.trace_id, ours.parent_id) == (call["trace_id"], call["span_id"])
    theirs, = (s for s in result.theirs if s["kind"] == CLIENT)
    assert theirs["parent_id"] == covered["span_id"]


def test_a_call_below_a_client_span_by_hand(run):
    """Nobody else makes a span of the request: otelhttp is not linked."""
    result = run("/hand", tags=("bare",))
    hand, = result.theirs
    _, call = result.ours
    assert (hand["name"], hand["kind"]) == ("fetch", CLIENT)
    assert (call.name, call.kind, call.parent_id) == ("GET", CLIENT, hand["span_id"])


def test_idle_sdk_changes_nothing(run):
    result = run("/work", server_args=("-idle",))
    assert result.theirs == []
    server, = (s for s in result.ours if s.kind == SERVER)
    assert server.scope == "gospan/net/http"
    assert {s.trace_id for s in result.ours} == {server.trace_id}
    assert sorted(query(s) for s in result.ours if s["db.query.text"]) == sorted(QUERIES)
    assert not any("SDK" in line for line in result.stderr), result.stderr


def test_sdk_that_samples_nothing_has_nothing_below(run):
    result = run("/work", server_args=("-unsampled",))
    assert result.theirs == [] and result.ours == []


def test_parent_from_a_message(run):
    """Extracted by the program with the SDK's propagator, no span made of it: it is the parent."""
    result = run("/work", ("/extracted", traceparent(TRACE, SPAN)))
    ours, = (s for s in result.ours if query(s) == "extracted")
    assert (ours.trace_id, ours.parent_id) == (TRACE, SPAN)
    assert ours.flags & 0x301 == 0x301, "a remote one"


def test_parent_from_the_request_is_the_servers(run):
    """The same where gospan has a server span of that trace: below that, not beside it."""
    result = run(("/extracted", traceparent(TRACE, SPAN)), args=("--with-sdk", "all"))
    server, ours = result.ours
    assert (server.kind, server.parent_id) == (SERVER, SPAN)
    assert (ours.trace_id, ours.parent_id) == (TRACE, server.span_id)


def test_off_leaves_the_process_alone(run):
    result = run("/raw", "/work", "/work", "/raw", args=("--with-sdk", "off"))
    assert len(result.theirs) == 4
    assert [s["url.path"] for s in result.ours] == ["/raw"], "until the SDK was found in use"
    said = [line for line in result.stderr if "SDK" in line]
    assert said == [f"gospan: pid {result.pid} makes spans with an OpenTelemetry SDK: left alone "
                    "(--with-sdk=off)"]


def test_all_traces_everything(run):
    result = run("/work", args=("--with-sdk", "all"))
    assert len(result.theirs) == 2
    assert sorted(query(s) for s in result.ours if s["db.query.text"]) == sorted(QUERIES)
    server, = (s for s in result.ours if s.kind == SERVER)
    assert server["url.path"] == "/work"
    work, = (s for s in result.theirs if s["kind"] == SERVER)
    first = next(s for s in result.ours if query(s) == "below_server")
    assert first.parent_id == work["span_id"], "the nearer one"
