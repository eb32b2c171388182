# SPDX-License-Identifier: Apache-2.0
"""Under a service manager (sd_notify(3)): what it hears, and when."""
import os
import shutil
import signal
import socket

import pytest

from harness import skip
from harness.gospan import environment, program
from harness.process import Child
from harness.server import Server


@pytest.fixture
def manager(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(str(tmp_path / "notify"))
        s.settimeout(15)
        yield s


def service(manager, **env):
    return Child([program()], env=environment({"NOTIFY_SOCKET": manager.getsockname(), **env}))


def hear(manager):
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().splitlines())


def end(agent, manager):
    agent.signal(signal.SIGTERM)
    assert hear(manager) == {"STOPPING": "1", "STATUS": ""}
    return agent.wait()


def test_ready_when_it_waits_and_each_time_what_it_does(needs_bpf, manager, tmp_path):
    exe = tmp_path / "shop"
    shutil.copy(skip.build("httpserver"), exe)
    with service(manager, OTEL_GO_AUTO_TARGET_EXE=str(exe)) as agent:
        waiting = {"READY": "1", "STATUS": f"waiting for OTEL_GO_AUTO_TARGET_EXE='{exe}'"}
        assert hear(manager) == waiting
        assert agent.stderr.wait(lambda t: f"waiting for OTEL_GO_AUTO_TARGET_EXE='{exe}'" in t, 5)
        with Server(exe) as server:
            traced = hear(manager)
            assert traced["READY"] == "1" and traced["STATUS"].startswith(f"pid {server.pid} ")
        assert hear(manager) == waiting
        assert end(agent, manager) == 0


def test_ready_when_it_traces(needs_bpf, manager, start_server):
    server = start_server()
    with service(manager, OTEL_GO_AUTO_TARGET_PID=str(server.pid)) as agent:
        assert hear(manager)["STATUS"].startswith(f"pid {server.pid} ")
        assert end(agent, manager) == 0


def test_an_idle_one_is_up_and_ends_well_when_asked_to(needs_root, manager):
    """A restart would not help: the unit is neither failed nor restarted."""
    with service(manager, OTEL_GO_AUTO_TARGET_PID=str(os.getpid())) as agent:
        assert hear(manager) == {"READY": "1", "STATUS": "idle, nothing is traced: the log says why"}
        assert end(agent, manager) == 0
