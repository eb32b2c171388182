# SPDX-License-Identifier: Apache-2.0
"""`make thirdparty`: real Go programs, real requests, spans = requests.

usage: python3 -m thirdparty.run [NAME...] (in tests/)
"""
import http.client
import os
import pathlib
import random
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from harness import process
from harness.gospan import Gospan
from harness.process import Child, eventually
from . import fetch
from .programs import PROGRAMS

REQUESTS = 100


class Skipped(Exception):
    pass


class Connection(http.client.HTTPConnection):
    """To a port of loopback or to a unix socket."""

    def __init__(self, port, path):
        super().__init__("127.0.0.1", port, timeout=20)
        self.path = path

    def connect(self):
        if not self.path:
            return super().connect()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


class Filler:
    """Puts folders and ports into the texts of a Program."""

    def __init__(self, root, data):
        self.values = {"root": root, "data": data, "port": free_port(), "port2": free_port()}

    def __call__(self, text):
        for key, value in self.values.items():
            text = text.replace("{%s}" % key, str(value))
        return text


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(program, data):
    """(the running program, a callable that makes a new Connection)"""
    if program.needs_root and os.geteuid() != 0:
        raise Skipped("needs root")
    root = program.root()
    fill = Filler(root, data)
    more = [needed() / "usr" for needed in program.path]
    bins = [usr / folder for usr in more for folder in ("bin", "sbin")]
    libraries = [folder for usr in more for folder in (usr / "lib").glob("*-linux-gnu")]
    env = {**os.environ, **{k: fill(v) for k, v in program.env.items()}}
    env["PATH"] = ":".join([*map(str, bins), env["PATH"]])
    if libraries:
        env["LD_LIBRARY_PATH"] = ":".join(map(str, libraries))
    for name, text in program.files.items():
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        (data / name).write_text(fill(text))
    for command in program.before:
        subprocess.run([fill(a) for a in command], env=env, check=True, capture_output=True,
                       timeout=60)
    command = [fill(a) for a in program.command]
    child = Child(command, env=env, cwd=data)

    def connect():
        return Connection(fill.values["port"], fill(program.socket))
    eventually(lambda: child.status is not None or answers(connect, program.ready), 40, 0.1)
    if child.status is not None or not answers(connect, program.ready):
        child.stderr.wait_end(1)
        raise RuntimeError(f"did not start: {child.stderr.text()[-600:]}")
    return child, connect, fill


def answers(connect, path):
    connection = connect()
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def send(connect, requests, count):
    """Sends COUNT requests, round robin; returns what each was and its answer, by trace id."""
    sent, connection = {}, None
    for n in range(count):
        request, body = requests[n % len(requests)]
        method, target = request.split(" ", 1)
        trace_id = f"{random.getrandbits(128) | 1:032x}"
        parent = f"{random.getrandbits(64) | 1:016x}"
        connection = connection or connect()
        connection.request(method, target, body=body, headers={
            "traceparent": f"00-{trace_id}-{parent}-01", "User-Agent": f"thirdparty/{n}"})
        answer = connection.getresponse()
        answer.read()
        if answer.will_close:
            connection.close()
            connection = None
        path, _, query = target.partition("?")
        sent[trace_id] = {"method": method, "path": path, "query": query or None, "parent": parent,
                          "status": answer.status, "agent": f"thirdparty/{n}"}
    if connection:
        connection.close()
    return sent


def compare(spans, sent):
    """Raises if there is not exactly one right span for each request."""
    ours = [s for s in spans if s.trace_id in sent]
    others = [s for s in spans if s.trace_id not in sent]
    assert len(ours) == len(sent) and not others, \
        f"{len(ours)} spans for {len(sent)} requests, {len(others)} others: " \
        f"{[(s.name, s['user_agent.original']) for s in others[:3]]}"
    assert len({s.trace_id for s in ours}) == len(sent), "a request has two spans"
    for span in ours:
        want = sent[span.trace_id]
        got = {"method": span["http.request.method"], "path": span["url.path"],
               "query": span["url.query"], "parent": span.parent_id,
               "status": span["http.response.status_code"], "agent": span["user_agent.original"]}
        assert got == want, f"{got}, not {want}"


def check(program, data, out):
    """Runs one program; returns what the table says of it."""
    child, connect, fill = start(program, data)
    with_body = [(r, None) if isinstance(r, str) else r for r in program.requests]
    requests = [(fill(request), body) for request, body in with_body]
    # What a program does on its first request of a kind is no part of the test.
    send(connect, requests, len(requests))
    # By port, since some start a process of their own that serves.
    target = ["--pid", child.pid] if program.socket else [fill(":{port}")]
    with child, Gospan(out, "trace", *target) as agent:
        ready, = agent.wait_ready()
        sent = send(connect, requests, REQUESTS)
        agent.wait_spans(REQUESTS, timeout=5)
        spans = agent.stop()
        assert child.status is None, f"the program ended: {child.stderr.text()[-300:]}"
        child.signal(15)
        eventually(lambda: child.status is not None, 10)
    compare(spans, sent)
    routes = {s["http.route"] for s in spans if s["http.route"]}
    runtime = spans[0].resource.get("process.runtime.version", "?")
    milliseconds = re.search(r"(\d+) ms", ready)
    return runtime, len(sent), len(spans), len(routes), milliseconds[1] if milliseconds else "?"


def main(names):
    row = "{:18} {:22} {:>9} {:>6} {:>7} {:>10}  {}".format
    print(row("program", "Go", "requests", "spans", "routes", "attach ms", ""))
    passed = failed = skipped = 0
    for program in PROGRAMS:
        if names and program.name not in names:
            continue
        data = pathlib.Path(tempfile.mkdtemp())
        out = pathlib.Path(tempfile.mkdtemp())
        try:
            print(row(program.name, *map(str, check(program, data, out)), "ok"), flush=True)
            passed += 1
        except (fetch.CannotFetch, Skipped) as e:
            print(row(program.name, *[""] * 5, f"skipped: {e}"), flush=True)
            skipped += 1
        except Exception as e:
            print(row(program.name, *[""] * 5, f"FAILED: {type(e).__name__}: {e}"), flush=True)
            failed += 1
        finally:
            process.kill_all()
            time.sleep(0.1)
            shutil.rmtree(data, ignore_errors=True)
            shutil.rmtree(out, ignore_errors=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
