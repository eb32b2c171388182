# SPDX-License-Identifier: Apache-2.0
"""A real OpenTelemetry Collector says the same as gospan's own file of the same run."""
import dataclasses

import pytest

from harness import client
from harness.client import get
from harness.collector import Collector
from harness.demo import Demo

PROTOCOLS = ("http/protobuf", "grpc")


@pytest.fixture
def collector(needs_bpf, tmp_path):
    with Collector(tmp_path) as running:
        yield running


def exporting(collector, protocol, **more):
    return {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_EXPORTER_OTLP_ENDPOINT": {"http/protobuf": collector.http,
                                            "grpc": collector.grpc}[protocol], **more}


def same_spans(ours, theirs):
    """Field by field: ids, names, times, status, attributes, events, resource, scope."""
    ours, theirs = ({span.span_id: dataclasses.asdict(span) for span in spans}
                    for spans in (ours, theirs))
    assert ours.keys() == theirs.keys()
    for span_id, span in ours.items():
        assert theirs[span_id] == span


def services_above(span, spans):
    """Of SPAN itself and of its parents up to the root, all of one trace."""
    by_id = {(s.trace_id, s.span_id): s for s in spans}
    services = []
    while span:
        services.append(span.resource["service.name"])
        span = by_id.get((span.trace_id, span.parent_id))
    return services


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_requests_arrive_as_they_are_in_our_file(collector, start_server, trace, protocol):
    target = start_server()
    agent = trace(target, env=exporting(collector, protocol))
    client.load(target.http, 200, 8).check()
    get(target.http, "/fail")
    get(target.http, "/panic/error")
    get(target.http, "/%ff%00?a=\xff&token=x", "tracestate: a=b",
        client.traceparent("0123456789abcdef0123456789abcdef"))
    ours = agent.stop()
    assert len(ours) == 203
    same_spans(ours, collector.stop())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_traces_through_two_services_arrive_connected(collector, start_gospan, tmp_path, protocol):
    with Demo(tmp_path) as demo:
        agent = start_gospan("trace", *demo.targets, ready=0,
                             env=exporting(collector, protocol, OTEL_EXPORTER_OTLP_COMPRESSION="gzip"))
        agent.wait_ready(2, 100)
        demo.send()
        ours = agent.stop()
    theirs = collector.stop()
    same_spans(ours, theirs)
    carts = [s for s in theirs if s.name == "SELECT carts products"]
    assert len(carts) == 4
    for span in carts:
        assert services_above(span, theirs) == ["warehouse", "warehouse", "shop", "shop"]
