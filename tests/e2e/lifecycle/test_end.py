# SPDX-License-Identifier: Apache-2.0
"""How it ends: target or agent, in order or by force, again and again under load."""
import json
import os
import signal
import time

import pytest

from harness import client, process, skip
from harness.client import get
from harness.gospan import Gospan, run
from harness.process import eventually
from harness.server import Server


def test_target_ends(start_server, trace):
    server = start_server()
    agent = trace(server)
    client.load(server.http, 20, 2).check()
    server.exit()
    spans = agent.finish(timeout=10)
    assert len(spans) == 20
    assert any(str(server.pid) in d.who for d in agent.done_lines) or len(agent.done_lines) == 1


def test_target_is_killed_under_load(start_server, trace):
    server = start_server()
    agent = trace(server)
    with client.Load(server.http, 2):
        eventually(lambda: len(agent.spans_so_far()) > 100)
        server.signal(signal.SIGKILL)
        assert len(agent.finish(timeout=10)) > 100


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_the_agent_cleanly(start_server, trace, number):
    server = start_server()
    agent = trace(server)
    get(server.http, "/item/1")
    agent.wait_spans(1)
    begun = time.monotonic()
    assert len(agent.stop(number=number)) == 1
    assert time.monotonic() - begun < 2
    get(server.http, "/item/2")


def test_spans_just_before_the_end_are_not_lost(start_server, trace):
    server = start_server()
    agent = trace(server)
    client.load(server.http, 500, 8).check()
    assert len(agent.stop()) == 500


def test_agent_is_killed_under_load(start_server, trace):
    server = start_server()
    with client.Load(server.http, 3) as load:
        for _ in range(3):
            agent = trace(server)
            eventually(lambda: len(agent.spans_so_far()) > 50)
            agent.signal(signal.SIGKILL)
            agent.wait()
            time.sleep(0.2)
        report = load.report().check()
    assert report.sent > 100
    assert server.status is None
    agent = trace(server)
    client.load(server.http, 50, 4).check()
    agent.wait_spans(50)
    assert len(agent.stop()) == 50


def test_two_agents_at_once(start_server, trace):
    server = start_server()
    first, second = trace(server), trace(server)
    report = client.load(server.http, 200, 8).check()
    for agent in (first, second):
        agent.wait_spans(200)
    wanted = sorted(r["trace_id"] for r in report.requests)
    assert sorted(s.trace_id for s in first.stop()) == wanted
    client.load(server.http, 10, 1, first=1000).check()
    second.wait_spans(210)
    assert len(second.stop()) == 210


def start_and_stop(tmp_path, times, version, mode):
    """The agent comes and goes TIMES times while the target works; no answer may be wrong."""
    with Server(skip.build("httpserver", version, mode), "-gcpercent", "20") as server:
        with client.Load(server.http, 600, conns=8, count=10 ** 9) as load:
            for n in range(times):
                folder = tmp_path / str(n)
                folder.mkdir()
                with Gospan(folder, "trace", "--pid", server.pid) as agent:
                    agent.wait_ready()
                    time.sleep(0.05)
                    agent.stop()
            load.signal(signal.SIGKILL)
            load.wait()
        stats = server.stats()
        assert stats["started"] > 100 * times / 2
        client.load(server.http, 200, 8).check()
        server.exit()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("version, mode", [("1.27.1", "default"), ("1.19.13", "pie stripped")])
def test_20_starts_and_stops_under_load(needs_bpf, tmp_path, version, mode):
    start_and_stop(tmp_path, 20, version, mode)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_200_starts_and_stops_under_load(needs_bpf, tmp_path):
    start_and_stop(tmp_path, 200, "1.27.1", "default")


def test_answers_are_right_while_the_agent_comes_and_goes(start_server, trace):
    server = start_server()
    with client.Load(server.http, 4) as load:
        for _ in range(4):
            agent = trace(server)
            time.sleep(0.3)
            agent.stop()
        assert load.report().check().sent > 200


def test_targets_that_die_at_once(needs_bpf, start_gospan):
    """Exits in the middle of attaching: the agent stays and traces the next one."""
    binary = skip.build("httpserver")
    agent = start_gospan("trace", "--exe", os.path.basename(binary), ready=0)
    for n in range(20):
        with Server(binary) as server:
            time.sleep(0.005 * n)
            server.signal(signal.SIGKILL)
    with Server(binary) as server:
        line = agent.stderr.wait(lambda t: f"ready: pid {server.pid} " in t, 10)
        assert line, agent.stderr.text()
        get(server.http, "/item/1")
        eventually(lambda: agent.spans_so_far())
    assert agent.status is None
    assert len(agent.stop()) == 1


def test_nothing_is_left_behind(start_server, trace):
    """No process of the agent survives it, also when it is killed."""
    server = start_server()
    agent = trace(server)
    pids = [agent.pid, *process.children(agent.pid)]
    agent.signal(signal.SIGKILL)
    agent.wait()
    assert eventually(lambda: not any(process.alive(p) for p in pids))


def code_at(pid, addresses):
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        return [os.pread(memory.fileno(), 1, int(address, 0)) for address in addresses]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_targets_code_is_restored(start_server, trace, number):
    """Breakpoints are in its code while it is traced, and none afterwards."""
    server = start_server()
    sites = json.loads(run("inspect", "--pid", server.pid, "--json")[1])["probes"]
    # what would write into the target is left out where the kernel forbids that
    addresses = [p["site"]["address"] for p in sites if p["status"] == "on" and
                 p["program"] != "http_headers_end"]
    before = code_at(server.pid, addresses)
    assert b"\xcc" not in before
    agent = trace(server)
    assert code_at(server.pid, addresses) == [b"\xcc"] * len(addresses)
    agent.signal(number)
    agent.wait()
    assert eventually(lambda: code_at(server.pid, addresses) == before)
    client.load(server.http, 50, 2).check()
