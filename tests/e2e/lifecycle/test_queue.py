# SPDX-License-Identifier: Apache-2.0
"""Executables are prepared one after the other; what a process was found to run it need not run when its
turn comes."""
import contextlib
import os
import shutil
import signal
import socket
import time

import pytest

from harness import skip
from harness.client import get
from harness.process import eventually
from harness.server import Server

GRPC = (("google.golang.org/grpc", "1.85.0"),)


@pytest.fixture
def copy(tmp_path):
    """copy(program, name): its executable under that name."""
    return lambda program, name: shutil.copy(skip.build(program), tmp_path / name)


def has_open(pid, path):
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(OSError):
            if os.readlink(f"/proc/{pid}/fd/{fd}") == path:
                return True
    return False


def goes(server):
    server.kill()


def execs_another(to):
    def change(server):
        with socket.create_connection(("127.0.0.1", server.http)) as client:
            client.sendall(f"GET /exec?to={to} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            eventually(lambda: os.readlink(f"/proc/{server.pid}/exe") == str(to))
    return change


@pytest.mark.parametrize("what", ["goes", "execs another", "goes, one of two"])
def test_a_process_that_waits_for_its_turn(start_server, start_gospan, copy, what):
    first = os.path.realpath(start_server(name="mixed", modules=GRPC).argv[0])
    path = copy("reexec", "wrap")
    with Server(path) as waits, Server(path) as other:
        if "two" not in what:
            other.kill()
        agent = start_gospan("trace", "--exe", first, "--exe", path, ready=0)
        eventually(lambda: has_open(agent.pid, first), 10, 0.001)
        time.sleep(0.02)  # both are found by now, and the second waits
        agent.signal(signal.SIGSTOP)
        (execs_another(copy("httpserver", "else")) if "execs" in what else goes)(waits)
        agent.signal(signal.SIGCONT)
        line = agent.wait_ready(2)[-1] if "two" in what else agent.wait_ready()
        assert "two" not in what or f"pid {other.pid} " in line
        with Server(path) as again:
            agent.wait_line(f"pid {again.pid} ")
            get(again.http, "/leaf/1")
            agent.wait_spans(1)
            spans = agent.stop()
            assert again.status is None
    assert [(s["url.path"], s.resource["process.pid"]) for s in spans] == [("/leaf/1", again.pid)]
