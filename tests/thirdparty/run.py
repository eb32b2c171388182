# SPDX-License-Identifier: Apache-2.0
"""`make thirdparty`: real Go programs, real requests; spans = requests and what they make them do.

usage: python3 -m thirdparty.run [NAME...] (in tests/)
"""
import collections
import contextlib
import dataclasses
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from harness import process, trees
from harness.database import Unavailable
from harness.gospan import Gospan
from harness.otlp import CLIENT, SERVER
from harness.process import Child, eventually
from harness.receiver import Receiver
from . import fetch
from .asks import Ask, Client
from .programs import PROGRAMS

SQL = "gospan/database/sql"
REQUESTS = 100


class Skipped(Exception):
    pass


class Filler:
    """Puts folders and ports into the texts of a Program."""

    def __init__(self, root, data, database, sdk):
        self.values = {"root": root, "data": data, "port": free_port(), "port2": free_port(),
                       "db": database.port if database else "",
                       "otlp": sdk.base.partition("//")[2] if sdk else ""}

    def __call__(self, text):
        for key, value in self.values.items():
            text = text.replace("{%s}" % key, str(value))
        return text

    def ask(self, request):
        """An Ask, of a request as programs.py has it: text, (text, body) or Ask."""
        if isinstance(request, str):
            request = Ask(request)
        elif isinstance(request, tuple):
            request = Ask(*request)
        return dataclasses.replace(request, text=self(request.text),
                                   below=tuple(map(self.want, request.below)))

    def want(self, want):
        says = {key: self(value) if isinstance(value, str) else value
                for key, value in want.says.items()}
        return dataclasses.replace(want, says=says, below=tuple(map(self.want, want.below)))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def start(program, data, fill):
    """(the running program, a Client for it)"""
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
    if program.beside:
        Child([fill(a) for a in program.beside])  # process.kill_all() ends it
    child = Child([fill(a) for a in program.command], env=env, cwd=data)
    client = Client(fill.values["port"], fill(program.socket), fill(program.rpc_socket))
    eventually(lambda: child.status is not None or client.answers(program.ready), 40, 0.1)
    if child.status is not None or not client.answers(program.ready):
        child.stderr.wait_end(1)
        raise RuntimeError(f"did not start: {child.stderr.text()[-600:]}")
    return child, client


def compare(program, spans, client, database, sdk):
    """Raises if there is not exactly one right span for each request and for each of its parts."""
    if sdk:
        leave_to_sdk(spans, client, sdk)
    asked = {trace_id for trace_id, _ in client.roots}
    spans = [s for s in spans
             if s.parent_id or s.trace_id in asked or s.name not in program.own]
    calls = [span for span in spans if database and span.scope == SQL]
    others = [span for span in spans if not database or span.scope != SQL]
    trees.check(others, client.roots, client.apart)
    if database:
        of_requests = {(span.trace_id, span.span_id) for span in others}
        strangers = [span for span in calls if (span.trace_id, span.parent_id) not in of_requests]
        assert not strangers, f"{len(strangers)} of {len(calls)} statements belong to no request, " \
            f"the first of them {strangers[0].name}"
        said, made = database.operations(), database.operations_of(calls)
        assert said == made, f"the database had {dict(said)}, the spans say {dict(made)}"
        assert made, "there were no statements"
        for call in calls:
            assert call["db.system.name"] == database.name, call


def leave_to_sdk(spans, client, sdk):
    """Takes the RPCs from what CLIENT wants, once the SDK has each one's span and we have none."""
    rpcs = {key: want for key, want in client.roots.items() if "rpc.method" in want.says}
    theirs = collections.Counter((s["trace_id"], s["parent_span_id"], s["name"])
                                 for s in sdk.spans() if s["kind"] == SERVER)
    for key, want in rpcs.items():
        if want.says["rpc.method"] == "_OTHER":
            continue  # a method that is not there reaches no interceptor
        assert theirs[(*key, want.name)] == 1, f"{theirs[(*key, want.name)]} of the SDK's {want.name}"
    doubled = [s.name for s in spans if s.kind == SERVER and s["rpc.method"]]
    assert not doubled, f"the SDK makes them too: {doubled}"
    client.roots = {key: want for key, want in client.roots.items() if key not in rpcs}
    client.apart = []


def trace(program, child, client, fill, out, database):
    """The agent's line and its spans of REQUESTS requests."""
    asks = [fill.ask(request) for request in program.requests]
    # What a program does on its first request of a kind is no part of the test.
    client.send(asks, len(asks))
    client.forget()
    # By port, since some start a process of their own that serves.
    target = ["--pid", child.pid] if program.socket or program.rpc_socket else [fill(":{port}")]
    with Gospan(out, "trace", *target) as agent:
        ready, = agent.wait_ready()
        if database:
            database.mark()
        client.send(asks, REQUESTS)
        made = sum(want.count() for want in client.roots.values()) + len(client.apart)
        made += sum(database.operations().values()) if database else 0
        agent.wait_spans(made, timeout=5)
        return ready, agent.stop()


def check(program, data, out, database, sdk):
    """Runs one program; returns what the table says of it."""
    fill = Filler(program.root(), data, database, sdk)
    child, client = start(program, data, fill)
    with child:
        ready, spans = trace(program, child, client, fill, out, database)
        assert child.status is None, f"the program ended: {child.stderr.text()[-300:]}"
        client.close()
        child.signal(15)
        eventually(lambda: child.status is not None, 10)
    compare(program, spans, client, database, sdk)
    routes = {s["http.route"] for s in spans if s["http.route"]}
    runtime = spans[0].resource.get("process.runtime.version", "?")
    milliseconds = re.search(r"(\d+) ms", ready)
    kinds = [sum(s.kind == kind for s in spans) for kind in (SERVER, CLIENT)]
    return (runtime, REQUESTS, len(spans), *kinds, len(routes),
            milliseconds[1] if milliseconds else "?")


def run(program):
    """What the table says of it, in folders of its own and with its database."""
    if program.needs_root and os.geteuid() != 0:
        raise Skipped("needs root")
    with contextlib.ExitStack() as stack:
        stack.callback(process.kill_all)
        data, out = (pathlib.Path(tempfile.mkdtemp()) for _ in "12")
        for folder in (data, out):
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(time.sleep, 0.1)
        database = stack.enter_context(program.database()) if program.database else None
        sdk = stack.enter_context(Receiver(grpc=True)) if program.sdk else None
        return check(program, data, out, database, sdk)


def main(names):
    row = "{:22} {:10} {:>8} {:>6} {:>6} {:>6} {:>7} {:>10}  {}".format
    print(row("program", "Go", "requests", "spans", "SERVER", "CLIENT", "routes", "attach ms", ""))
    passed = failed = skipped = 0
    for program in PROGRAMS:
        if names and not any(program.name.startswith(name) for name in names):
            continue
        try:
            print(row(program.name, *map(str, run(program)), "ok"), flush=True)
            passed += 1
        except (fetch.CannotFetch, Unavailable, Skipped) as e:
            print(row(program.name, *[""] * 7, f"skipped: {e}"), flush=True)
            skipped += 1
        except Exception as e:
            print(row(program.name, *[""] * 7, f"FAILED: {type(e).__name__}: {e}"), flush=True)
            failed += 1
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
