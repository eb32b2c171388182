# SPDX-License-Identifier: Apache-2.0
"""run -- CMD: starts it, traces it and its descendants, ends as it ends."""
import collections
import json
import os
import signal
import sys
import time

import pytest

from harness import process, skip
from harness.client import get
from harness.gospan import run
from harness.otlp import CLIENT, SERVER
from harness.process import eventually


def start_run(start_gospan, *command, ready=0, **kwargs):
    args = kwargs.pop("args", ())
    return start_gospan("run", *args, "--", *command, ready=ready, **kwargs)


@pytest.mark.parametrize("command, status", [
    (["true"], 0), (["false"], 1), (["sh", "-c", "exit 42"], 42), (["sh", "-c", "kill -9 $$"], 137),
    (["sh", "-c", "kill -TERM $$"], 143),
])
def test_exit_status_is_the_commands(start_gospan, command, status):
    agent = start_run(start_gospan, *command)
    assert agent.wait() == status, agent.stderr.text()


@pytest.mark.parametrize("command, status", [(["/no/such/program"], 127), (["/etc/passwd"], 126)])
def test_what_cannot_be_started(start_gospan, command, status):
    agent = start_run(start_gospan, *command)
    assert agent.wait() in (status, 1)
    assert command[0] in agent.stderr.text()


def test_stdin_and_stdout_belong_to_the_command(start_gospan):
    agent = start_run(start_gospan, "cat", console=True)
    agent.popen.stdin.write(b"hello\n")
    agent.popen.stdin.close()
    assert agent.wait() == 0
    assert agent.stdout.lines == ["hello"]


def serve(start_gospan, *command, **kwargs):
    agent = start_run(start_gospan, *command, **kwargs)
    line = agent.stdout.wait(lambda text: text.startswith("{"), 15)
    assert line, agent.stderr.text()
    said = json.loads(line)
    agent.wait_ready()
    return agent, said


def test_the_command_goes_on_without_our_stderr(start_gospan):
    """gospan run -- CMD 2>&1 | head: CMD runs to its own end, and its status is ours."""
    binary = skip.build("httpserver")
    agent = start_run(start_gospan, "sh", "-c", f"{binary}; exit 5", console=True,
                      prefix=["sh", "-c", 'exec "$@" 2>/dev/full', "sh"])
    said = json.loads(agent.stdout.wait(lambda text: text.startswith("{"), 15))
    eventually(lambda: get(said["http"], "/item/1") and agent.spans_so_far(), 10)
    time.sleep(2.2)
    assert agent.status is None
    agent.popen.stdin.close()
    assert agent.wait() == 5


@pytest.mark.parametrize("version, mode", [("1.19.13", "default"), ("1.27.1", "pie stripped")])
def test_a_command_is_traced_from_its_first_instruction(start_gospan, version, mode):
    """One that is over after a millisecond is held back until the probes are in it."""
    binary = skip.build("brief", version, mode)
    agent = start_run(start_gospan, binary, "-requests", "3")
    assert agent.wait() == 0, agent.stderr.text()
    kinds = collections.Counter(span.kind for span in agent.spans_so_far())
    assert kinds == {CLIENT: 3, SERVER: 3}
    assert agent.done.check().dropped == 0


@pytest.fixture
def held(start_gospan):
    """An agent, and the pid of its command, which has been exec'ed and is held."""
    binary = os.path.realpath(skip.build("httpserver"))
    agent = start_run(start_gospan, binary)

    def find():
        for pid in process.children(agent.pid):
            if os.readlink(f"/proc/{pid}/exe") == binary and process.tracer_of(pid) == agent.pid:
                return pid
        return None
    command = eventually(find, 10, 0.002)
    assert command, agent.stderr.text()
    return agent, command


@pytest.mark.parametrize("sent, status", [(signal.SIGTERM, 143), (signal.SIGKILL, 137)])
def test_a_command_that_is_held_can_be_ended(held, sent, status):
    """SIGKILL ends it at once, SIGTERM as soon as it runs."""
    agent, command = held
    os.kill(command, sent)
    assert agent.wait(10) == status, agent.stderr.text()


def test_the_agents_death_lets_a_held_command_run(held):
    agent, command = held
    agent.signal(signal.SIGKILL)
    assert agent.stdout.wait(lambda text: text.startswith("{"), 5), "it serves"
    assert process.tracer_of(command) == 0


def test_disabled_it_only_runs_the_command():
    status, out, err = run("run", "--", "sh", "-c", "echo here; exit 3",
                           env={"OTEL_SDK_DISABLED": "true"})
    assert (status, out) == (3, "here\n"), err
    assert "OTEL_SDK_DISABLED" in err


def test_says_that_there_was_nothing_to_trace(needs_root):
    status, out, err = run("run", "--", "echo", "hello")
    assert (status, out) == (0, "hello\n")
    assert "nothing was traced: no Go program was started" in err


def test_signals_reach_a_command_that_is_not_traced(start_gospan):
    script = "trap 'exit 9' TERM; echo waiting; while :; do sleep 0.1; done"
    agent = start_run(start_gospan, "sh", "-c", script, env={"OTEL_SDK_DISABLED": "true"})
    assert agent.stdout.wait(lambda text: text == "waiting", 10)
    agent.signal(signal.SIGTERM)
    assert agent.wait() == 9, agent.stderr.text()


@pytest.mark.parametrize("shell", [False, True])
def test_the_first_request_is_traced(start_gospan, shell):
    binary = str(skip.build("httpserver"))
    command = ["sh", "-c", f"true; {binary}; exit 5"] if shell else [binary]
    agent, said = serve(start_gospan, *command)
    get(said["http"], "/item/1")
    agent.popen.stdin.close()
    spans = agent.finish(status=5 if shell else 0)
    assert [s["url.path"] for s in spans] == ["/item/1"]
    assert spans[0].resource["process.pid"] == said["pid"]


def test_tree_goes_to_stderr(start_gospan):
    agent, said = serve(start_gospan, str(skip.build("httpserver")), console=True)
    get(said["http"], "/item/1")
    assert agent.stderr.wait(lambda text: "GET /item/{id}" in text, 5)
    assert len(agent.stdout.lines) == 1, "what the server itself said"
    agent.popen.stdin.close()
    agent.finish()


def test_grandchildren(start_gospan):
    binary = skip.build("httpserver")
    script = f"import subprocess, sys; sys.exit(subprocess.call(['sh', '-c', 'exec {binary}']))"
    agent, said = serve(start_gospan, sys.executable, "-c", script)
    get(said["http"], "/item/1")
    agent.popen.stdin.close()
    assert len(agent.finish()) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_are_forwarded_once(start_gospan, number):
    script = ("import signal, sys, time\n"
              "got = []\n"
              f"signal.signal({int(number)}, lambda *a: got.append(1))\n"
              "print('waiting', flush=True)\n"
              "deadline = time.time() + 10\n"
              "while not got and time.time() < deadline: time.sleep(0.02)\n"
              "time.sleep(0.5)\n"
              "sys.exit(70 + len(got))\n")
    agent = start_run(start_gospan, sys.executable, "-c", script)
    assert agent.stdout.wait(lambda text: text == "waiting", 10)
    agent.signal(number)
    assert agent.wait() == 71, agent.stderr.text()


def test_the_command_inherits_no_capability(start_gospan, needs_root):
    agent = start_run(start_gospan, "sh", "-c", "grep -i capeff /proc/self/status; id -u",
                      args=["--user", "nobody"])
    assert agent.wait() == 0, agent.stderr.text()
    capabilities, uid = agent.stdout.lines
    assert int(capabilities.split()[1], 16) == 0
    assert uid != "0"


@pytest.mark.parametrize("end", ["--for", "--count"])
def test_a_command_that_changed_its_user_is_ended(start_gospan, needs_root, end):
    """As images do whose entry point is gosu, su-exec or setpriv."""
    agent, said = serve(start_gospan, "setpriv", "--reuid", "1234", "--clear-groups",
                        str(skip.build("httpserver")), args=[end, {"--for": "3s", "--count": "2"}[end]])
    for i in range(3 if end == "--count" else 1):
        get(said["http"], f"/item/{i}")
    spans = agent.finish(timeout=10, status=143)
    assert len(spans) == (2 if end == "--count" else 1)


def test_no_open_files_leak_into_the_command(start_gospan):
    agent = start_run(start_gospan, "ls", "-1", "/proc/self/fd")
    assert agent.wait() == 0
    assert set(agent.stdout.lines) <= {"0", "1", "2", "3"}, "3 is ls's own"


def test_killed_agent(start_gospan):
    """The command is not killed by the agent's death, nor does it hang: its pipes are its own."""
    agent, said = serve(start_gospan, str(skip.build("httpserver")), "-detached")
    agent.signal(signal.SIGKILL)
    time.sleep(0.3)
    try:
        assert get(said["http"], "/item/1").startswith(b"HTTP/1.1 200")
    finally:
        os.kill(said["pid"], signal.SIGKILL)
        eventually(lambda: not os.path.exists(f"/proc/{said['pid']}"))


def test_without_permission_the_command_is_not_started(needs_root, tmp_path):
    skip.unless_installed("setpriv")
    nobody = ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all",
              "--inh-caps", "-all"]
    marker = tmp_path / "ran"
    tmp_path.chmod(0o777)
    status, _, err = run("run", "--", "sh", "-c", f"touch {marker}; exit 3", prefix=nobody)
    assert status == 1 and not marker.exists(), err
    status, _, err = run("run", "--best-effort", "--", "sh", "-c", "exit 3", prefix=nobody)
    assert status == 3, err
    # what is not traced is ended by --for too
    status, _, err = run("run", "--best-effort", "--for", "300ms", "--", "sleep", "20",
                         prefix=nobody)
    assert status == 128 + signal.SIGTERM, err
