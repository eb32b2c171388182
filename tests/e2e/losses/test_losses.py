# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost uncounted: produced = exported + dropped(by reason), checked by every stop()."""
import socket
import time

import pytest

from harness import client
from harness.cgroup import Cgroup, Unavailable
from harness.receiver import Receiver


def rss_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def test_tiny_ring_under_full_load(start_server, trace):
    server = start_server()
    agent = trace(server, env={"GOSPAN_RING_BYTES": "4096"})
    report = client.load(server.http, 20000, 16, brief=True).check()
    time.sleep(0.5)
    spans = agent.stop()
    done = agent.done
    assert done.produced == report.sent == 20000, done
    assert len(spans) + done.dropped == 20000
    if done.dropped:
        assert done.reasons, "a drop has a reason"
        assert "GOSPAN_RING_BYTES" in agent.stderr.text(), "the setting that helps is named"


def test_full_ring_is_counted(start_server, trace):
    """The agent is stopped, so that the ring surely fills: what it then misses is in the sum."""
    import signal
    server = start_server()
    agent = trace(server, env={"GOSPAN_RING_BYTES": "65536"})
    agent.signal(signal.SIGSTOP)
    client.load(server.http, 3000, 8, brief=True).check()
    agent.signal(signal.SIGCONT)
    time.sleep(0.5)
    spans = agent.stop()
    done = agent.done
    assert done.produced == 3000, done
    assert done.dropped > 1000 and len(spans) > 10, done
    assert done.reasons


def test_more_in_flight_than_there_is_room_for(start_server, trace):
    server = start_server()
    agent = trace(server, env={"GOSPAN_MAX_IN_FLIGHT": "16"})
    client.load(server.http, 200, 100, path="/slow?ms=200&n={id}").check()
    time.sleep(0.5)
    spans = agent.stop()
    done = agent.done
    assert 16 <= len(spans) < 200
    assert done.produced == 200 and done.dropped == 200 - len(spans), done
    assert done.reasons
    agent2 = trace(server)
    client.load(server.http, 50, 4).check()
    agent2.wait_spans(50)
    assert len(agent2.stop()) == 50


def test_kernel_without_memory(start_server, start_gospan):
    """Maps are charged to who made them. The agent itself leaves the group before it gets too small."""
    server = start_server()
    try:
        group = Cgroup(cpus=2, memory=256 << 20)
    except Unavailable as e:
        pytest.skip(str(e))
    with group:
        agent = start_gospan("trace", "--pid", server.pid, prefix=group.prefix)
        assert group.holds(agent.pid)
        group.let_out(agent.pid)
        group.allow_no_more(256 << 10)
        client.load(server.http, 1000, 1000, path="/slow?ms=500&n={id}").check()
        time.sleep(0.5)
        spans = agent.stop()
    assert agent.done.produced == 1000, agent.done
    assert agent.done.reasons == f"no_memory {1000 - len(spans)}" and len(spans) > 10
    agent.wait_line("the kernel had no memory for more spans under way (raise the memory limit of")


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_with_collector(start_server, trace, endpoint, count=500, env=None, timeout=20):
    """The agent exports to ENDPOINT only; returns it after its end."""
    server = start_server()
    agent = trace(server, otlp_file=False, env={
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1000", **(env or {})})
    before, begun = rss_kb(agent.pid), time.monotonic()
    client.load(server.http, count, 8, brief=True).check()
    assert time.monotonic() - begun < 20, "the target does not notice"
    time.sleep(0.5)
    assert rss_kb(agent.pid) - before < 40_000, "the ring's 16 MB, a queue, the transport"
    agent.signal(15)
    assert agent.wait(timeout) == 0, agent.stderr.text()
    agent.done.check()
    assert agent.done.produced == count
    return agent


def test_collector(start_server, trace):
    with Receiver() as collector:
        agent = run_with_collector(start_server, trace, collector.base)
        assert agent.done.exported == 500
        assert len(collector.spans()) == 500
        assert {r["path"] for r in collector.requests} == {"/v1/traces"}
        assert {r["headers"]["content-type"] for r in collector.requests} == {
            "application/x-protobuf"}
        assert collector.errors == []


def test_collector_over_grpc(start_server, trace):
    pytest.importorskip("h2")
    with Receiver(grpc=True) as collector:
        agent = run_with_collector(start_server, trace, collector.base, env={
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})
        assert agent.done.exported == len(collector.spans()) == 500
        assert collector.errors == []


def test_collector_is_down(start_server, trace):
    agent = run_with_collector(start_server, trace, f"http://127.0.0.1:{closed_port()}")
    assert agent.done.dropped == 500
    assert agent.done.reasons


@pytest.mark.parametrize("status", [400, 401, 404, 413])
def test_collector_refuses(start_server, trace, status):
    """Not retryable: dropped at once, each span sent once."""
    with Receiver([str(status)]) as collector:
        agent = run_with_collector(start_server, trace, collector.base)
        assert agent.done.dropped == 500
        sent = [s["span_id"] for r in collector.requests for s in r["spans"]]
        assert len(sent) == len(set(sent)) == 500


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_collector_is_busy_at_first(start_server, trace, status):
    """Retryable: sent again, exactly once accepted."""
    with Receiver([f"{status};Retry-After=1", "200"]) as collector:
        server = start_server()
        agent = trace(server, otlp_file=False, env={
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.base, "OTEL_BSP_SCHEDULE_DELAY": "100"})
        client.load(server.http, 100, 4, brief=True).check()
        assert len(collector.wait_for_spans(100, timeout=15)) == 100
        agent.signal(15)
        assert agent.wait(20) == 0
        agent.done.check()
        assert (agent.done.produced, agent.done.exported) == (100, 100)
        assert len({s["span_id"] for s in collector.spans()}) == 100


@pytest.mark.parametrize("answer", ["garbage", "close", "html", "large", "text:200:hello"])
def test_collector_talks_nonsense(start_server, trace, answer):
    with Receiver([answer]) as collector:
        run_with_collector(start_server, trace, collector.base)
        assert collector.requests


def test_unreadable_answer_is_told_once(start_server, trace):
    """A 200 is a success whatever its body, but not one to be silent about."""
    with Receiver(["text:200:hello"]) as collector:
        agent = run_with_collector(start_server, trace, collector.base,
                                   env={"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "100"})
        assert agent.done.exported == 500
        assert len(collector.requests) >= 5
        warnings = [line for line in agent.stderr.lines if "is none of OTLP" in line]
        assert len(warnings) == 1 and collector.base in warnings[0], agent.stderr.text()


def test_collector_accepts_a_part(start_server, trace):
    with Receiver(["partial:3:no room"]) as collector:
        agent = run_with_collector(start_server, trace, collector.base)
        assert agent.done.dropped == 3 * len(collector.requests)
        assert "no room" in agent.stderr.text()


def test_collector_is_slow(start_server, trace):
    with Receiver(["slow:5"]) as collector:
        begun = time.monotonic()
        run_with_collector(start_server, trace, collector.base, timeout=30)
        assert time.monotonic() - begun < 30, "the flush at the end is bounded"


def test_queue_is_bounded(start_server, trace):
    env = {"OTEL_BSP_MAX_QUEUE_SIZE": "100", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "50"}
    agent = run_with_collector(start_server, trace, f"http://127.0.0.1:{closed_port()}",
                               count=20000, env=env)
    assert agent.done.dropped == 20000


def test_own_exports_are_not_traced(start_server, start_gospan):
    """The collector is the traced process: its spans are no reason for more spans."""
    server = start_server()
    agent = start_gospan("trace", "--pid", server.pid, env={
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{server.http}",
        "OTEL_BSP_SCHEDULE_DELAY": "50"})
    client.load(server.http, 10, 1).check()
    time.sleep(1.5)
    agent.signal(15)
    agent.wait(20)
    from harness import otlp
    paths = [s["url.path"] for s in otlp.read(agent.file)]
    assert len(paths) == 10, paths
    assert "/v1/traces" not in paths
