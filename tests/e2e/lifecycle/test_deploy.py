# SPDX-License-Identifier: Apache-2.0
"""First days in production: deploys that write over a running path, a second agent, odd settings."""
import os
import shutil
import subprocess

import pytest

from harness import build, gospan, skip
from harness.client import get
from harness.process import eventually
from harness.server import Server


@pytest.fixture
def deployed(tmp_path):
    """A path of an own copy of the server."""
    return str(shutil.copy(skip.build("httpserver", "1.24.9"), tmp_path / "deployed"))


def write_over(path, version):
    """As cp(1) does: the inode stays, its contents do not."""
    with open(skip.build("httpserver", version), "rb") as new, open(path, "wb") as old:
        shutil.copyfileobj(new, old)


@pytest.mark.parametrize("version", ["1.19.13", build.NEWEST])
def test_executable_written_over(start_gospan, deployed, version):
    """Probes that stayed in the inode would hit the new bytes at the old places."""
    agent = start_gospan("trace", "--exe", deployed, ready=0)
    with Server(deployed) as server:
        agent.wait_ready()
        get(server.http, "/item/1")
        server.exit()
    assert eventually(lambda: "done: pid" in agent.stderr.text())
    write_over(deployed, version)
    with Server(deployed) as server:
        assert agent.stderr.wait(lambda text: f"ready: pid {server.pid} " in text, 10)
        get(server.http, "/item/2")
        server.exit()
    assert [span["url.path"] for span in agent.stop()] == ["/item/1", "/item/2"]


def test_second_agent_reads_what_a_first_one_probes(start_gospan, deployed):
    """The kernel puts breakpoints into every private mapping of the file, were ours one."""
    first = start_gospan("trace", "--exe", deployed, ready=0)
    with Server(deployed) as server:
        first.wait_ready()
        inspected = subprocess.run([gospan.program(), "inspect", "--require", "net/http", deployed],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        assert inspected.returncode == 0, inspected.stdout
        second = start_gospan("trace", "--pid", server.pid)
        get(server.http, "/item/1")
        second.wait_spans(1)
        server.exit()


def test_glob_that_begins_with_a_star(start_server, trace):
    server = start_server()
    agent = trace(server, "--exclude-path", "*/1", "--exclude-path", "*a*b*c*0")
    for n in (1, 2):
        get(server.http, f"/item/{n}")
    agent.wait_spans(1)
    assert [span["url.path"] for span in agent.stop()] == ["/item/2"]


def test_pipe_that_nobody_reads(start_server, tmp_path, needs_bpf):
    server = start_server()
    os.mkfifo(tmp_path / "pipe")
    ended = subprocess.run([gospan.program(), "trace", "--pid", str(server.pid), "--otlp-file",
                            tmp_path / "pipe"], stderr=subprocess.PIPE, timeout=20, check=False)
    assert ended.returncode == 1
    assert b"nobody reads this pipe" in ended.stderr
