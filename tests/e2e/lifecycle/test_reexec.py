# SPDX-License-Identifier: Apache-2.0
"""exec of the same file in the same process: the numbers of goroutines and the addresses of objects begin
anew, and mean others than before."""
import os
import socket

import pytest

from bench import machine
from harness import skip
from harness.otlp import CLIENT, SERVER
from harness.process import eventually

LIVE = {"in_flight", "goroutines", "objects"}
STUCK, FAN = 60, 200


def become_again(server):
    """The server execs itself in the middle of a request that nobody answers."""
    server._seen = len(server.stdout.lines)
    with socket.create_connection(("127.0.0.1", server.http)) as client:
        client.sendall(f"GET /exec?n={STUCK} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        said = server.answer()
    assert said["pid"] == server.pid and said["http"] != server.http


def all_of_its_own(spans):
    """Each request of a fan is a root with its server below it; nothing else ended."""
    calls = {s.span_id: s for s in spans if s.kind == CLIENT}
    leaves = [s for s in spans if s.kind == SERVER]
    assert len(calls) == len(leaves) == FAN, (len(calls), len(leaves))
    assert [s.name for s in calls.values() if s.parent_id] == []
    assert {s.parent_id for s in leaves} == set(calls)
    for s in leaves:
        assert s["url.path"] in calls[s.parent_id]["url.full"]


def nothing_is_left(agent):
    skip.unless_bpftool()
    nothing = dict.fromkeys(LIVE, 0)
    eventually(lambda: machine.map_entries(agent.pid, LIVE) == nothing, 5, 0.2)
    return machine.map_entries(agent.pid, LIVE) == nothing


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_by_pid(start_server, trace, version):
    server = start_server(name="reexec", version=version)
    agent = trace(server)
    become_again(server)
    agent.wait_ready(2)
    server._ask(f"fan {FAN}".encode())
    agent.wait_spans(2 * FAN)
    assert nothing_is_left(agent)
    all_of_its_own(agent.stop())
    assert [d.unfinished for d in agent.done_lines] == [1 + 2 * STUCK] * 2, "of the first image; in all"


def test_at_once(start_server, start_gospan):
    """Every process of the executable is traced: also what the second image does before we know of it,
    and what it is in the middle of when we learn of it."""
    server = start_server("-fan", str(FAN), name="reexec")
    agent = start_gospan("trace", "--exe", os.path.realpath(server.argv[0]))
    become_again(server)
    agent.wait_ready(2)
    agent.wait_spans(2 * FAN)
    assert nothing_is_left(agent)
    all_of_its_own(agent.stop())
    assert [d.unfinished for d in agent.done_lines] == [1 + 2 * STUCK] * 2, "of the first image; in all"
