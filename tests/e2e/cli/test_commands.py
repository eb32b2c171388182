# SPDX-License-Identifier: Apache-2.0
"""Commands, their help and their exit statuses."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

from harness import build, client, gospan
from harness.client import get
from harness.gospan import run

COMMANDS = ["trace", "run", "ps", "inspect", "doctor", "version"]


def test_help():
    status, out, _ = run("--help")
    assert status == 0
    for command in COMMANDS:
        assert command in out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    status, out, err = run(command, "--help")
    assert status == 0, err
    assert command in out and "sage" in out
    assert run("help", command) == (status, out, err)


def test_help_as_a_command():
    assert run("help") == run("--help") == run("help", "help")


def test_version():
    status, out, _ = run("version")
    assert status == 0
    assert any(c.isdigit() for c in out)


@pytest.mark.parametrize("args", [
    ["nonsense"], ["trace", "--nonsense"], ["trace", "--pid", "x"], ["trace", "--pid", "-1"],
    ["trace", "--pid"], ["trace", ":99999"], ["trace", ":x"], ["run"], ["run", "--"], ["inspect"],
    ["trace", "--for", "soon", "--pid", "1"], ["trace", "--count", "many", "--pid", "1"],
    ["version", "--nonsense"], ["inspect", "--pid", "x"], ["doctor", "--pid", "1"],
])
def test_usage_errors(args):
    status, out, err = run(*args)
    assert status == 2, (out, err)
    assert err.strip(), "it says what is wrong"


def test_trace_without_a_target_prints_what_runs(target):
    status, out, err = run("trace")
    assert status == 2
    assert str(target.pid) in out + err


@pytest.mark.parametrize("variable, value", [
    ("OTEL_TRACES_SAMPLER", "sometimes"), ("OTEL_TRACES_SAMPLER_ARG", "x"),
    ("OTEL_BSP_MAX_QUEUE_SIZE", "-5"), ("GOSPAN_RING_BYTES", "many"), ("OTEL_LOG_LEVEL", "loud"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "carrier-pigeon"), ("GOSPAN_MAX_IN_FLIGHT", "0"),
])
def test_wrong_variables_warn_and_do_not_stop(target, start_gospan, variable, value):
    env = {variable: value}
    if variable == "OTEL_TRACES_SAMPLER_ARG":
        env["OTEL_TRACES_SAMPLER"] = "traceidratio"
    agent = start_gospan("trace", "--pid", target.pid, env=env)
    warning = [line for line in agent.stderr.lines if variable in line]
    assert warning, agent.stderr.text()
    agent.stop()


@pytest.mark.parametrize("command", ["--help", "--settings", "--version", "trace --help", "doctor"])
def test_full_disk_is_a_failure(command):
    prefix = ["sh", "-c", 'exec "$@" >/dev/full', "sh"]
    status, _, err = run(*command.split(), prefix=prefix)
    assert (status, err) == (1, "gospan: failed to write to stdout: No space left on device\n")


def test_no_such_pid():
    status, _, err = run("trace", "--pid", 2 ** 22 - 3)
    assert status == 1
    assert err.strip()


def test_pid_that_is_no_go_program(needs_bpf, needs_root):
    from harness.process import Child
    with Child(["sleep", "20"]) as sleeping:
        status, _, err = run("trace", "--pid", sleeping.pid)
    assert status == 1
    assert "Go" in err


def test_go_program_without_net_http(needs_bpf, start_server):
    server = start_server(name="nohttp")
    status, _, err = run("trace", "--pid", server.pid)
    assert status == 1
    assert len(err.strip().splitlines()) <= 3, err


def test_port_nobody_listens_on_yet(start_gospan, start_server):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    agent = start_gospan("trace", f":{port}", ready=0)
    agent.wait_line(f":{port}")
    server = start_server("-port", str(port))
    agent.wait_ready()
    get(server.http, "/item/1")
    agent.wait_spans(1)
    assert len(agent.stop()) == 1


def test_count_and_for(target, start_gospan):
    agent = start_gospan("trace", "--pid", target.pid, "--count", "3")
    client.load(target.http, 3, 1).check()
    assert len(agent.finish()) >= 3
    agent = start_gospan("trace", "--pid", target.pid, "--for", "1s")
    assert agent.finish(timeout=5) == []


def test_for_counts_from_the_ready_line(target, start_gospan):
    """However long it takes to attach, there is that much time to trace."""
    agent = start_gospan("trace", "--pid", target.pid, "--for", "1ms", ready=0)
    assert agent.finish() == [] and len(agent.wait_ready()) == 1
    agent = start_gospan("trace", "--pid", target.pid, "--for", "2s")
    begun = time.monotonic()
    get(target.http, "/item/1")
    assert len(agent.finish()) == 1
    assert 1.5 < time.monotonic() - begun < 6


def test_for_with_nothing_to_trace(start_gospan):
    begun = time.monotonic()
    agent = start_gospan("trace", "--exe", "/no/such/shop", "--for", "1s", ready=0)
    assert agent.wait(timeout=10) == 0
    assert 1 < time.monotonic() - begun < 6
    lines = [line for line in agent.stderr.lines if "/no/such/shop" in line]
    assert len(lines) == 1 and "waiting for" in lines[0], agent.stderr.text()
    assert "nothing was traced" in agent.stderr.lines[-1]


def test_what_ended_too_soon_came_all_the_same(start_gospan, tmp_path):
    """How soon is too soon depends on the machine."""
    said = []
    for number, seconds in enumerate((0.06, 0.03, 0.09, 0.01, 0.12, 0.18)):
        short = tmp_path / f"short{number}"
        shutil.copy(build.build("httpserver"), short)
        agent = start_gospan("trace", "--exe", short, "--for", "30s", ready=0)
        agent.stderr.wait(lambda text: "waiting for" in text, 5)
        with subprocess.Popen([short], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            time.sleep(seconds)
            process.kill()
        time.sleep(1)  # the executable is read all the same
        agent.signal(signal.SIGTERM)
        assert agent.wait(10) == 0
        if "ended before the probes were in it" in agent.stderr.lines[-1]:
            assert "came (1 process)" in agent.stderr.lines[-1]
            return
        said.append(agent.stderr.lines[-1])
    pytest.fail("\n".join(said))


def test_ps(start_server):
    server = start_server(env={"OTEL_SERVICE_NAME": "psshop"})
    status, out, err = run("ps")
    assert status == 0, err
    line = next(line for line in out.splitlines() if str(server.pid) in line.split())
    assert "1.27.1" in line and "psshop" in line and "net/http" in line
    assert str(min(server.http, server.https, server.h2c)) in line


def test_ps_among_many_listeners(start_server):
    with contextlib.ExitStack() as others:
        for _ in range(500):
            others.enter_context(socket.create_server(("127.0.0.1", 0)))
        server = start_server()
        _, out, _ = run("ps")
    line = next(line for line in out.splitlines() if str(server.pid) in line.split())
    assert str(min(server.http, server.https, server.h2c)) in line


def test_doctor(needs_bpf, needs_root):
    status, out, err = run("doctor")
    assert status == 0, out + err
    status, out, _ = run("doctor", "--json")
    checks = json.loads(out)["checks"]
    assert len(checks) > 5
    for check in checks:
        assert {"name", "ok", "value", "needed_for", "advice"} <= set(check)


def test_otlp_to_stdout(target, start_gospan):
    agent = start_gospan("trace", "--pid", target.pid, "--otlp-file", "-", otlp_file=False)
    get(target.http, "/item/1")
    assert agent.stdout.wait(lambda line: "/item/1" in line, 10)
    agent.signal(15)
    assert agent.wait() == 0
    for line in agent.stdout.lines:
        json.loads(line)


def test_sdk_disabled(needs_bpf, target, tmp_path):
    with gospan.Gospan(tmp_path, "trace", "--pid", target.pid,
                       env={"OTEL_SDK_DISABLED": "true"}) as agent:
        line = agent.stderr.wait(lambda text: "OTEL_SDK_DISABLED" in text, 5)
        assert line, "it says why nothing happens"
        get(target.http, "/item/1")
        assert agent.spans_so_far() == []


def test_environment_of_the_caller_is_not_needed(needs_bpf, target, tmp_path):
    """No HOME, no PATH, no locale."""
    with gospan.Gospan(tmp_path, "trace", "--pid", target.pid, prefix=["env", "-i"]) as agent:
        agent.wait_ready()
        get(target.http, "/item/1")
        agent.wait_spans(1)
        assert len(agent.stop()) == 1


def test_closed_stdin_and_odd_folder(needs_bpf, target, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    with gospan.Gospan(tmp_path, "trace", "--pid", target.pid, cwd=gone) as agent:
        os.rmdir(gone)
        agent.popen.stdin.close()
        agent.wait_ready()
        get(target.http, "/item/1")
        agent.wait_spans(1)
        assert len(agent.stop()) == 1
