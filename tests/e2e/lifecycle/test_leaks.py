# SPDX-License-Identifier: Apache-2.0
"""Nothing accumulates: not in the agent over restarts, not in the kernel over odd ends."""
import os
import resource
import shutil
import time

import pytest

from harness import client, expect, skip
from harness.client import exchange, get
from harness.process import eventually
from harness.server import Server


def open_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def rss_kb(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


def test_restarts_of_the_target_leak_nothing(start_gospan, tmp_path):
    path = shutil.copy(skip.build("httpserver"), tmp_path / "leakshop")
    agent = start_gospan("trace", "--exe", "leakshop", ready=0)
    for n in range(40):
        with Server(path) as server:
            agent.wait_ready(n + 1)
            client.load(server.http, 5, 1).check()
            server.exit()
        if n == 5:
            time.sleep(0.2)
            files, memory = open_files(agent.pid), rss_kb(agent.pid)
    time.sleep(0.2)
    assert open_files(agent.pid) <= files
    assert rss_kb(agent.pid) - memory < 2000
    assert len(agent.stop()) == 200
    assert len(agent.done_lines) == 41, "one a process, one for all"


@pytest.mark.parametrize("old_stays", [False, True])
def test_deploys_leak_nothing(start_gospan, tmp_path, old_stays):
    """Each deploy brings another executable under the same path. What was deployed before is forgotten
    at once when its file is gone, else once there are several such."""
    path = tmp_path / "deployshop"
    deploys, warm = (30, 12) if old_stays else (20, 3)
    agent = start_gospan("trace", "--exe", path, ready=0)
    sent = {}
    for n in range(deploys):
        new = shutil.copy(skip.build("httpserver"), tmp_path / "new")
        if old_stays and n:
            os.rename(path, tmp_path / f"old-{n}")
        os.rename(new, path)
        with Server(path) as server:
            agent.wait_ready(n + 1)
            load = client.load(server.http, 5, 1, first=100 * n).check()
            sent[server.pid] = load.requests, server.http
            server.exit()
        if n == warm:
            time.sleep(0.3)
            files, memory = open_files(agent.pid), rss_kb(agent.pid)
    # the last one's file is still there: it is kept for a restart
    assert eventually(lambda: open_files(agent.pid) <= files, 7), (files, open_files(agent.pid))
    if not old_stays:
        os.unlink(path)
        assert eventually(lambda: open_files(agent.pid) < files, 7), "the sweep looks for its file"
    assert rss_kb(agent.pid) - memory < 2000
    spans = agent.stop()
    assert len(spans) == 5 * deploys
    for pid, (requests, port) in sent.items():
        of_it = [s for s in spans if s.resource["process.pid"] == pid]
        expect.spans_match(of_it, requests, True, port)
    assert len(agent.done_lines) == deploys + 1


def test_limit_of_open_files(start_gospan, target):
    """A soft limit of 1,024, which is usual, is too low for a node's worth of processes."""
    agent = start_gospan("trace", "--pid", target.pid, prefix=("prlimit", "--nofile=64:2048"))
    soft, hard = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
    assert soft == hard == 2048


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_every_kind_of_end_frees_its_room(start_server, trace, version):
    """Far more requests than there is room for, each ending in another way; none may be lost."""
    server = start_server(version=version)
    agent = trace(server, env={"GOSPAN_MAX_IN_FLIGHT": "64"})
    for _ in range(80):
        for path in ("/hijack/plain", "/hijack/written", "/panic/goexit", "/panic/abort",
                     "/panic/string", "/recovered/string"):
            get(server.http, path)
        exchange(server.http, b"GET /hijack/upgrade HTTP/1.1\r\nHost: a\r\n"
                 b"Connection: Upgrade\r\nUpgrade: echo\r\n\r\nhello\n")
    client.load(server.http, 200, 16, mode="abort", path="/slow?ms=3&n={id}")
    client.load(server.http, 32, 16, path="/timeout/1?ms=2000&n={id}")
    client.load(server.https, 200, 4, mode="h2").check()
    handled = server.stats()["started"]
    agent.wait_spans(handled)
    assert len(agent.stop()) == handled
    assert agent.done.dropped == 0


def test_many_processes(start_gospan, tmp_path):
    path = shutil.copy(skip.build("httpserver", mode="pie stripped"), tmp_path / "manyshop")
    servers = [Server(path) for _ in range(20)]
    agent = start_gospan("trace", "--exe", "manyshop", ready=20)
    for n, server in enumerate(servers):
        client.load(server.http, 10, 2, first=100 * n).check()
    agent.wait_spans(200)
    begun = time.monotonic()
    spans = agent.stop()
    assert time.monotonic() - begun < 2
    assert sorted(s.resource["process.pid"] for s in spans) == sorted(
        s.pid for s in servers for _ in range(10))
    assert len({s.resource["service.instance.id"] for s in spans}) == 20
    for server in servers:
        server.kill()
