# SPDX-License-Identifier: Apache-2.0
"""The tree on stdout."""
import contextlib
import os
import re
import subprocess
import sys
import time

import pytest

from harness import client, gospan
from harness.client import get
from harness.process import eventually


@pytest.fixture
def watch(start_gospan, target):
    """watch(*args) -> an agent with console tracing `target`."""
    return lambda *args, **kw: start_gospan("trace", "--pid", target.pid, *args, console=True, **kw)


def test_a_span_is_shown_at_once(watch, target):
    agent = watch()
    begun = time.monotonic()
    get(target.http, "/item/42")
    line = agent.stdout.wait(lambda text: "/item/42" in text, 5)
    assert time.monotonic() - begun < 0.5
    assert "GET /item/{id}" in line and "200" in line
    agent.stop()


def test_table_at_the_end(watch, target):
    agent = watch()
    client.load(target.http, 60, 4).check()
    for _ in range(5):
        get(target.http, "/fail")
    agent.wait_spans(65)
    agent.stop()
    table = agent.stdout.text() + agent.stderr.text()
    row = next(line for line in table.splitlines() if re.match(r"\s*GET /fail\s+5\s+5\s", line))
    assert row
    assert re.search(r"GET /item/\{id\}\s+10\s", table)


def test_table_on_sigusr1(watch, target):
    import signal
    agent = watch()
    get(target.http, "/fail")
    agent.wait_spans(1)
    agent.signal(signal.SIGUSR1)
    assert agent.stdout.wait(lambda text: "p95" in text, 5) or "p95" in agent.stderr.text()
    assert agent.status is None
    agent.stop()


def test_only_an_error_is_marked_as_one(start_server, start_gospan):
    """NOT_FOUND is the client's error and none of the server, which has answered."""
    server = start_server(name="grpcapp", modules=(("google.golang.org/grpc", "1.85.0"),))
    agent = start_gospan("trace", "--pid", server.pid, console=True)
    server.do(do="unary", text="status:5:no such thing")
    agent.wait_spans(2)
    agent.stop()
    ours, theirs = (line for line in agent.stdout.lines if "NOT_FOUND" in line)
    assert " ! " in ours and "error.type=NOT_FOUND: no such thing" in ours, ours
    assert "!" not in theirs and "error" not in theirs, theirs


def test_filters(watch, target):
    agent = watch("--errors")
    get(target.http, "/item/1")
    get(target.http, "/fail")
    assert agent.stdout.wait(lambda text: "/fail" in text, 5)
    shown = agent.stdout.text()
    assert "/item/1" not in shown
    assert len(agent.stop()) == 2, "filters are for the console, not for the export"


def test_slow_filter(watch, target):
    agent = watch("--slow", "40ms")
    get(target.http, "/item/1")
    get(target.http, "/slow?ms=60")
    assert agent.stdout.wait(lambda text: "/slow" in text, 5)
    assert "/item/1" not in agent.stdout.text()
    agent.stop()


def test_route_filter(watch, target):
    agent = watch("--route", "/item/*")
    get(target.http, "/exact")
    get(target.http, "/item/1")
    assert agent.stdout.wait(lambda text: "/item/1" in text, 5)
    assert "/exact" not in agent.stdout.text()
    agent.stop()


@pytest.mark.parametrize("option", ["", "--otlp-file -"])
def test_head_ends_it_cleanly(needs_bpf, target, option):
    """gospan trace ... | head -1"""
    command = f"'{gospan.program()}' trace --pid {target.pid} {option} | head -1"
    with subprocess.Popen(["bash", "-o", "pipefail", "-c", command], env=gospan.environment(),
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shell:
        for line in shell.stderr:
            if line.startswith(b"gospan: ready:"):
                break
        for n in range(150):
            get(target.http, f"/item/{n}")
            time.sleep(0.05)
            if shell.poll() is not None:
                break
        out, err = shell.communicate(timeout=10)
        assert shell.returncode == 0, err
        assert len(out.splitlines()) == 1


FULL_STDOUT = ["sh", "-c", 'exec "$@" >/dev/full', "sh"]


def test_full_disk_ends_what_has_no_other_output(watch, target):
    agent = watch(prefix=FULL_STDOUT, otlp_file=False)
    get(target.http, "/item/1")
    assert agent.wait(10) == 1, agent.stderr.text()
    line = next(line for line in agent.stderr.lines if "could not be written" in line)
    assert re.match(r"gospan: console: \d+ lines could not be written: No space left", line)
    assert agent.done.check().produced == 1


def test_full_disk_is_a_failure_of_a_file_on_stdout(watch, target):
    agent = watch("--otlp-file", "-", prefix=FULL_STDOUT, otlp_file=False)
    get(target.http, "/item/1")
    line = agent.stderr.wait(lambda text: "dropped 1 spans" in text, 10)
    assert line and line.endswith("failed to write to 'stdout': No space left on device"), line
    agent.signal(15)
    assert agent.wait(10) == 1, agent.stderr.text()
    assert agent.done.check().dropped == 1


def test_full_disk_does_not_end_the_export(watch, target):
    agent = watch(prefix=FULL_STDOUT)
    for n in range(3):
        get(target.http, f"/item/{n}")
        agent.wait_spans(n + 1)
        time.sleep(1.2)
        assert agent.status is None, agent.stderr.text()
    assert len(agent.stop(status=1)) == 3
    lost = [line for line in agent.stderr.lines if "could not be written" in line]
    assert len(lost) == 1, agent.stderr.text()
    assert int(re.search(r"(\d+) lines", lost[0])[1]) >= 3


def test_no_colour_without_a_terminal(watch, target):
    agent = watch(env={"NO_COLOR": ""})
    get(target.http, "/fail")
    assert agent.stdout.wait(lambda text: "/fail" in text, 5)
    agent.stop()
    assert "\x1b" not in agent.stdout.text() + agent.stderr.text()


def test_more_than_20_traces_a_second(watch, target):
    agent = watch()
    client.load(target.http, 2000, 4).check()
    get(target.http, "/slow?ms=150")
    agent.wait_spans(2001)
    assert len(agent.stop()) == 2001
    assert len(agent.stdout.lines) < 500, "it leaves out most"
    assert "/slow" in agent.stdout.text(), "but never the slowest"


INTO_FIFO = """import os, sys
os.dup2(os.open(sys.argv[1], os.O_RDWR | int(sys.argv[2])), 1)
os.execvp(sys.argv[3], sys.argv[3:])
"""


@pytest.fixture
def full_pipe(tmp_path):
    """(reader's fd, prefix(flags) of a command whose stdout it is): a pipe with no room left."""
    path = tmp_path / "stdout"
    os.mkfifo(path)
    fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(fd, b"." * 4096)
    yield fd, lambda flags: [sys.executable, "-c", INTO_FIFO, path, flags]
    os.close(fd)


def test_a_reader_that_stopped_stops_nobody_else(watch, target, full_pipe):
    """`| less`, Ctrl-S: spans are exported, signals are heard, and what was not shown is counted."""
    _, prefix = full_pipe
    agent = watch(prefix=prefix(0))
    for n in range(20):
        get(target.http, f"/item/{n}")
        time.sleep(0.1)
    assert len(agent.wait_spans(20, timeout=5)) == 20
    assert len(agent.stop(timeout=5, status=1)) == 20
    assert re.search(r"console: \d+ lines could not be written: nobody read them", agent.stderr.text())


def test_a_pipe_that_does_not_block(watch, target, full_pipe):
    """Somebody else who has it open has made it so; it is full for a moment."""
    reader, prefix = full_pipe
    agent = watch(prefix=prefix(os.O_NONBLOCK))
    for n in range(20):
        get(target.http, f"/item/{n}")
    time.sleep(0.3)
    shown = b""

    def read_on():
        nonlocal shown
        with contextlib.suppress(BlockingIOError):
            shown += os.read(reader, 65536)
        return shown.count(b"GET /item/{id} ") >= 20
    assert eventually(read_on), shown[-2000:]
    assert len(agent.stop()) == 20
    assert "could not be written" not in agent.stderr.text()
