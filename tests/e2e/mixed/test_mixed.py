# SPDX-License-Identifier: Apache-2.0
"""HTTP, gRPC and SQL in one program (harness/go/mixed): the right spans under load, and nothing of it
stays behind."""
import collections
import os
import time

import pytest

from bench import machine
from harness import client, skip
from harness.otlp import CLIENT, SERVER
from harness.process import eventually

GRPC = (("google.golang.org/grpc", "1.85.0"),)
OLD_GRPC = (("google.golang.org/grpc", "1.46.0"),)

# What holds something of spans under way. contexts, births and joins are LRUs, whose entries outlive
# their span on purpose: what a call offered whose client gave up before the server began stays.
LIVE = {"in_flight", "goroutines", "objects"}
FEW_OFFERS = 1000  # of the hundred thousand and more that a run makes; the busier the machine the more


def five_of_its_own(spans, requests):
    traces = collections.defaultdict(list)
    for span in spans:
        traces[span.trace_id].append(span)
    assert len(traces) == len(requests)
    for request in requests:
        by_name = {(s.kind, s["url.path"] or s.name.rpartition(" ")[2]): s
                   for s in traces[request["trace_id"]]}
        n = request["id"]
        server = by_name[SERVER, "/five"]
        call, = (s for s in by_name.values() if s["url.full"])
        leaf = by_name[SERVER, f"/leaf/{n}"]
        queries = [by_name[CLIENT, f"{name}_{n}"] for name in ("first", "second")]
        assert len(traces[request["trace_id"]]) == len(by_name) == 5
        assert server.parent_id == request["parent_span_id"]
        assert call["url.full"].endswith(f"/leaf/{n}")
        assert {s.parent_id for s in (call, *queries)} == {server.span_id}
        assert leaf.parent_id == call.span_id


@pytest.mark.parametrize("version, modules", [("1.19.13", OLD_GRPC), ("1.27.1", GRPC)])
def test_10000_requests_of_five_spans(start_server, trace, version, modules):
    server = start_server(name="mixed", version=version, modules=modules)
    agent = trace(server)
    report = client.load(server.http, 10_000, 200, path="/five?n={id}")
    assert report.sent == 10_000
    time.sleep(0.5)  # the last handlers' ends
    spans = agent.stop()
    assert agent.done.dropped == 0, agent.done
    five_of_its_own(spans, report.requests)


@pytest.mark.parametrize("connections", ["h1", "close"])
@pytest.mark.parametrize("version, modules", [("1.19.13", OLD_GRPC), ("1.27.1", GRPC)])
def test_contexts_whose_memory_is_used_again(start_server, trace, version, modules, connections):
    """Addresses of contexts return after each garbage collection, most quickly where each connection has
    one request: the call of a request is never below an earlier one, a job's below none."""
    server = start_server(name="mixed", version=version, modules=modules,
                          env={"GOGC": "20", "JOBS": "1"})
    agent = trace(server)
    report = client.load(server.http, 3000, 4, mode=connections, path="/derived?n={id}")
    assert report.sent == 3000
    time.sleep(0.5)  # what goes on when the handlers are over
    spans = agent.stop()
    trace_of = {str(request["id"]): request["trace_id"] for request in report.requests}
    leaves = {s["url.full"].rpartition("/")[2]: s for s in spans if s["url.full"]}
    later = {s.name.rpartition("_")[2]: s for s in spans if s.name.startswith("SELECT later_")}
    jobs = [s for s in spans if s.name == "SELECT job"]
    assert len(leaves) == len(later) == 1000 and len(jobs) > 50
    assert [n for n, s in (*leaves.items(), *later.items()) if s.trace_id != trace_of[n]] == []
    assert [s for s in jobs if s.parent_id] == []


def live(agent):
    return machine.map_entries(agent.pid, LIVE)


def nothing_stays(start_server, trace, seconds, **program):
    """Load of every kind of beginning and end; afterwards nothing is under way in the kernel's maps, and
    the agent is as large as it was early in the run."""
    skip.unless_bpftool()
    server = start_server(name="mixed", **program)
    agent = trace(server, otlp_file=False, env={"OTEL_TRACES_EXPORTER": "none"})
    assert set(live(agent)) == LIVE
    begun = time.monotonic()
    sizes, largest = [], collections.Counter()
    while time.monotonic() < begun + seconds:
        client.load(server.http, 10 ** 9, 32, path="/mixture?n={id}", seconds=min(5, seconds / 3),
                    brief=True)
        client.load(server.http, 10 ** 9, 16, path="/five?n={id}", seconds=1, brief=True)
        sizes.append(machine.resident_bytes(agent.pid)[0] >> 10)
        largest |= collections.Counter(live(agent))
    nothing = dict.fromkeys(LIVE, 0)
    eventually(lambda: live(agent) == nothing, 5, 0.2)
    assert live(agent) == nothing, f"at most, while it ran: {largest}"
    assert machine.map_entries(agent.pid, {"joins"})["joins"] <= FEW_OFFERS
    assert server.status is None, f"the target ended: {server.stderr.text()}"
    agent.signal(15)
    assert agent.wait(10) == 0
    done = agent.done.check()
    assert done.unfinished == done.dropped == 0, done
    assert done.produced > 1000 * seconds
    assert max(sizes[1:], default=0) < sizes[0] + 4096, sizes
    return done


@pytest.mark.parametrize("version, modules", [("1.19.13", OLD_GRPC), ("1.27.1", GRPC)])
def test_nothing_stays_behind(start_server, trace, version, modules):
    nothing_stays(start_server, trace, 6, version=version, modules=modules)


def test_nothing_stays_behind_where_there_was_no_room(start_server, trace):
    """A goroutine whose span found no room takes none itself, or soon there would be none at all."""
    skip.unless_bpftool()
    server = start_server(name="mixed", modules=GRPC)
    agent = trace(server, otlp_file=False,
                  env={"OTEL_TRACES_EXPORTER": "none", "GOSPAN_MAX_IN_FLIGHT": "16"})
    for _ in range(3):
        client.load(server.http, 10 ** 9, 48, path="/mixture?n={id}", seconds=1, brief=True)

    nothing = dict.fromkeys(LIVE, 0)
    eventually(lambda: live(agent) == nothing, 5, 0.2)
    assert live(agent) == nothing
    agent.signal(15)
    assert agent.wait(10) == 0
    assert "in_flight_full" in agent.done.check().reasons


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", ["default", "pie stripped"])
def test_soak(start_server, trace, mode):
    """A minute, or what SOAK_SECONDS says."""
    seconds = float(os.environ.get("SOAK_SECONDS", 60))
    print(nothing_stays(start_server, trace, seconds, modules=GRPC, mode=mode))
