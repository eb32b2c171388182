# SPDX-License-Identifier: Apache-2.0
"""Targets in other pid and mount namespaces, agent outside or inside."""
import os
import shutil
import subprocess

import pytest

from harness import client, process, skip
from harness.server import Server

UNSHARE = ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--mount"]


@pytest.fixture(autouse=True)
def can_unshare(needs_root):
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0:
        pytest.skip("unshare is refused here")


def start_nested(binary):
    """The server as the first process of its own pid namespace; outer_pid is its pid here."""
    server = Server(binary, prefix=UNSHARE)
    server.outer_pid, = process.children(server.popen.pid)
    assert server.pid == 1
    return server


def nested_load(server, count=100):
    return client.load(server.http, count, 4).check()


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_target_in_a_pid_namespace(trace, version):
    with start_nested(skip.build("httpserver", version)) as server:
        agent = trace(server)
        nested_load(server)
        agent.wait_spans(100)
        spans = agent.stop()
        assert len(spans) == 100


def test_target_in_a_mount_namespace(trace, tmp_path):
    """Its executable lies on a file system that exists only there."""
    place = tmp_path / "only-there"
    place.mkdir()
    script = f"mount -t tmpfs none {place} && cp {skip.build('httpserver')} {place}/mntshop && " \
        f"exec {place}/mntshop"
    with Server("sh", "-c", script, prefix=["unshare", "--mount"]) as server:
        assert not (place / "mntshop").exists()
        agent = trace(server)
        nested_load(server)
        agent.wait_spans(100)
        spans = agent.stop()
        assert len(spans) == 100
        assert spans[0].resource["process.executable.path"] == f"{place}/mntshop"


def test_agent_and_target_in_one_namespace(start_gospan, tmp_path):
    """As in a pod with shareProcessNamespace: the agent sees pid 1, the kernel another one."""
    with start_nested(skip.build("httpserver")) as server:
        inside = ["nsenter", "-t", str(server.outer_pid), "--pid", "--mount"]
        agent = start_gospan("trace", "--pid", 1, prefix=inside)
        nested_load(server)
        agent.wait_spans(100)
        # SIGTERM goes to the agent, not to the nsenter that waits for it
        agent_pid, = process.children(agent.pid) or [agent.pid]
        os.kill(agent_pid, 15)
        spans = agent.finish()
        assert len(spans) == 100
        assert {s.resource["process.pid"] for s in spans} == {1}


def test_same_pid_in_two_namespaces(start_gospan):
    """Two targets that are both pid 1 where they live: only the one that was named is traced."""
    binary = skip.build("httpserver")
    with start_nested(binary) as wanted, start_nested(binary) as other:
        agent = start_gospan("trace", "--pid", wanted.outer_pid)
        nested_load(other, 50)
        report = nested_load(wanted, 60)
        agent.wait_spans(60)
        spans = agent.stop()
        assert {s.trace_id for s in spans} == {r["trace_id"] for r in report.requests}


def test_exe_finds_it_in_another_namespace(start_gospan, tmp_path):
    path = shutil.copy(skip.build("httpserver"), tmp_path / "nsshop")
    agent = start_gospan("trace", "--exe", "nsshop", ready=0)
    with start_nested(path) as server:
        agent.wait_ready()
        nested_load(server)
        agent.wait_spans(100)
        assert len(agent.stop()) == 100
