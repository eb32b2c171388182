# SPDX-License-Identifier: Apache-2.0
"""Which processes are traced, and when: before and after their start, several, again."""
import os
import shutil
import signal

import pytest

from harness import build, client, expect, skip
from harness.client import get
from harness.process import Child, eventually


@pytest.fixture
def copy_of(tmp_path):
    """copy_of(name, version) -> an own copy of the server under that base name."""
    def make(name, version=build.NEWEST):
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        return shutil.copy(skip.build("httpserver", version), folder / name)
    return make


@pytest.fixture
def start_copy():
    """start_copy(path) -> a Server of that executable."""
    from harness.server import Server
    running = []

    def start(path, *args, **kwargs):
        running.append(Server(path, *args, **kwargs))
        return running[-1]
    yield start
    for server in running:
        server.kill()


def by_pid(spans):
    pids = {}
    for span in spans:
        pids.setdefault(span.resource["process.pid"], []).append(span)
    return pids


def test_requests_under_way_at_attach_are_no_spans(start_server, trace):
    server = start_server()
    with client.Load(server.http, 3, conns=1, path="/slow?ms=1500", count=1) as slow:
        eventually(lambda: server.stats()["started"] == 1)
        agent = trace(server)
        get(server.http, "/item/1")
        slow.report().check()
    agent.wait_spans(1)
    assert [s["url.path"] for s in agent.stop()] == ["/item/1"]


def test_requests_under_way_at_the_end_are_counted_as_unfinished(start_server, trace):
    server = start_server()
    agent = trace(server)
    with client.Load(server.http, 3, conns=1, path="/slow?ms=1500", count=1) as slow:
        eventually(lambda: server.stats()["started"] == 1)
        assert agent.stop() == []
        assert agent.done.unfinished == 1
        slow.report().check()


def test_exe_waits_for_a_process(start_gospan, start_copy, copy_of):
    path = copy_of("waitshop")
    agent = start_gospan("trace", "--exe", "waitshop", ready=0)
    agent.wait_line("wait", timeout=10)
    server = start_copy(path)
    line, = agent.wait_ready()
    assert f"pid {server.pid} " in line
    get(server.http, "/item/1")
    agent.wait_spans(1)
    assert len(agent.stop()) == 1


def test_a_new_process_is_traced_within_100_ms(start_gospan, start_copy, copy_of):
    """The second process: its executable is known. Twice as long is allowed on a busy machine."""
    import time
    path = copy_of("quickshop")
    agent = start_gospan("trace", "--exe", "quickshop", ready=0)
    start_copy(path)
    agent.wait_ready(1)
    begun = time.monotonic()
    start_copy(path)
    agent.wait_ready(2)
    assert time.monotonic() - begun < 0.2


@pytest.mark.parametrize("with_slash", [False, True])
def test_exe_follows_restarts(start_gospan, start_copy, copy_of, with_slash):
    path = copy_of("restartshop")
    agent = start_gospan("trace", "--exe", path if with_slash else "restartshop", ready=0)
    pids = []
    for n in range(3):
        server = start_copy(path)
        agent.wait_ready(n + 1)
        client.load(server.http, 20, 2, first=100 * n).check()
        pids.append(server.pid)
        agent.wait_spans(20 * (n + 1))
        server.exit()
    got = by_pid(agent.stop())
    assert {pid: len(spans) for pid, spans in got.items()} == dict.fromkeys(pids, 20)
    instances = {spans[0].resource["service.instance.id"] for spans in got.values()}
    assert len(instances) == 3, "each process is its own instance"


def test_a_pattern_with_slash_is_the_whole_path(start_gospan, start_copy, copy_of):
    path = copy_of("slashshop")
    agent = start_gospan("trace", "--exe", "/elsewhere/slashshop", ready=0)
    start_copy(path)
    assert not eventually(lambda: "gospan: ready:" in agent.stderr.text(), 2)
    agent.signal(signal.SIGTERM)
    agent.wait()


@pytest.mark.parametrize("pattern", ["bin/relshop", "./bin/rel*"])
def test_a_relative_path_is_taken_from_the_current_directory(start_gospan, start_copy, copy_of, pattern):
    path = copy_of("relshop")
    agent = start_gospan("trace", "--exe", pattern, ready=0, cwd=path.parent.parent)
    server = start_copy(path)
    agent.wait_ready()
    get(server.http, "/item/1")
    agent.wait_spans(1)
    assert len(agent.stop()) == 1


def test_glob(start_gospan, start_copy, copy_of):
    servers = [start_copy(copy_of(name)) for name in ("globshop-a", "globshop-b", "other-globshop")]
    agent = start_gospan("trace", "--exe", "globshop-*", ready=2)
    for server in servers:
        get(server.http, "/item/1")
    agent.wait_spans(2)
    assert set(by_pid(agent.stop())) == {s.pid for s in servers[:2]}


def test_port(start_gospan, start_server):
    server = start_server()
    agent = start_gospan("trace", f":{server.http}")
    get(server.http, "/item/1")
    agent.wait_spans(1)
    assert set(by_pid(agent.stop())) == {server.pid}


def test_several_processes_and_executables(start_gospan, start_server):
    servers = [start_server(), start_server(), start_server(version="1.19.13"),
               start_server(version="1.24.9", mode="pie stripped")]
    pids = [str(s.pid) for s in servers]
    agent = start_gospan("trace", *(a for pid in pids for a in ("--pid", pid)), ready=4)
    reports = {}
    for n, server in enumerate(servers):
        reports[server.pid] = client.load(server.http, 100, 4, first=1000 * n).check()
    agent.wait_spans(400)
    got = by_pid(agent.stop())
    assert set(got) == set(reports)
    for server in servers:
        routes = build.has_patterns(server.go.removeprefix("go"))
        expect.spans_match(got[server.pid], reports[server.pid].requests, routes, server.http)


def test_own_service_name_is_for_one_executable(start_gospan, start_server):
    """With several it would make them one service: ignored, with one warning."""
    one, two = start_server(env={"OTEL_SERVICE_NAME": "one"}), start_server(version="1.24.9")
    agent = start_gospan("trace", "--pid", one.pid, "--pid", two.pid, ready=2,
                         env={"OTEL_SERVICE_NAME": "mine"})
    get(one.http, "/item/1")
    get(two.http, "/item/1")
    agent.wait_spans(2)
    names = {pid: s[0].resource["service.name"] for pid, s in by_pid(agent.stop()).items()}
    assert names == {one.pid: "one", two.pid: os.path.basename(two.argv[0])}
    assert len([line for line in agent.stderr.lines if "OTEL_SERVICE_NAME" in line]) == 1


def test_other_processes_of_the_executable_are_left_alone(start_server, trace):
    wanted, other = start_server(), start_server()
    assert wanted.argv == other.argv
    agent = trace(wanted)
    client.load(other.http, 50, 2).check()
    get(wanted.http, "/item/1")
    agent.wait_spans(1)
    assert set(by_pid(agent.stop())) == {wanted.pid}


def test_children_of_the_target_are_followed_by_exe(start_gospan, copy_of):
    """A shell that execs the server: traced although it was another program when it was born."""
    path = copy_of("childshop")
    agent = start_gospan("trace", "--exe", "childshop", ready=0)
    script = f"sleep 0.3; exec {path}"
    with Child(["sh", "-c", script], env=dict(os.environ)) as shell:
        agent.wait_ready()
        import json
        port = json.loads(shell.stdout.wait(lambda _: True, 5))["http"]
        get(port, "/item/1")
        agent.wait_spans(1)
    assert len(agent.stop()) == 1


def test_deleted_executable(start_gospan, start_copy, copy_of):
    path = copy_of("deletedshop")
    server = start_copy(path)
    os.unlink(path)
    agent = start_gospan("trace", "--exe", "deletedshop")
    client.load(server.http, 20, 2).check()
    agent.wait_spans(20)
    assert len(agent.stop()) == 20


def test_deploy_replaces_the_executable(start_gospan, start_copy, copy_of):
    """The file is renamed over while the old process runs; old and new are both traced, by name."""
    path = copy_of("deployshop", "1.19.13")
    agent = start_gospan("trace", "--exe", "deployshop", ready=0)
    old = start_copy(path)
    agent.wait_ready(1)
    os.rename(copy_of("deployshop.new", "1.27.1"), path)
    new = start_copy(path)
    agent.wait_ready(2)
    assert (old.go, new.go) == ("go1.19.13", "go1.27.1")
    reports = {s.pid: client.load(s.http, 60, 4, first=1000 * n).check()
               for n, s in enumerate((old, new))}
    agent.wait_spans(120)
    got = by_pid(agent.stop())
    expect.spans_match(got[old.pid], reports[old.pid].requests, False, old.http)
    expect.spans_match(got[new.pid], reports[new.pid].requests, True, new.http)


def test_target_under_another_debugger(start_server, trace):
    import ctypes
    server = start_server()
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    assert libc.ptrace(0x4206, server.pid, 0, 0) == 0, "PTRACE_SEIZE"
    agent = trace(server)
    client.load(server.http, 50, 2).check()
    agent.wait_spans(50)
    assert len(agent.stop()) == 50
    libc.ptrace(17, server.pid, 0, 0)  # PTRACE_DETACH


def test_a_collector_is_not_traced_by_a_glob(start_gospan, start_copy, copy_of):
    """Whatever its module is called: what it exports would come back to it."""
    plain = copy_of("plain-1")
    telemetry = shutil.copy(skip.build("likeotelcol"), plain.parent / "plain-2")
    server = start_copy(plain)
    with Child([telemetry]) as collector:
        agent = start_gospan("trace", "--exe", f"{plain.parent}/plain-*", ready=0)
        line = agent.wait_line("is a collector")
        assert f"pid {collector.pid} " in line and "example.test/telemetry" in line, line
        agent.wait_line(f"ready: pid {server.pid} ")
        assert f"ready: pid {collector.pid} " not in agent.stderr.text()
        agent.stop()
        start_gospan("trace", "--exe", telemetry).stop()  # by its own path it is


def test_a_program_with_an_sdk_inside_is_said_to_have_it(start_gospan, start_server):
    """One line, since its own spans may double ours."""
    server, other = start_server(name="httpotel"), start_server()
    agent = start_gospan("trace", "--pid", server.pid, "--pid", other.pid, ready=2)
    get(server.http, "/item/1")
    agent.wait_spans(1)
    assert len(agent.stop()) == 1
    said = [line for line in agent.stderr.lines if "SDK" in line]
    assert len(said) == 1 and str(server.pid) in said[0], agent.stderr.text()


def test_kernel_takes_the_types(target, trace):
    """Without the object's BTF the verifier follows every call of every function: seconds, not ms."""
    agent = trace(target, "--log-level", "debug")
    agent.stop()
    refused = [line for line in agent.stderr.lines if "BTF" in line and "rror" in line]
    assert not refused, refused
