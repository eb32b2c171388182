# SPDX-License-Identifier: Apache-2.0
"""The programs of the benchmark: servers, what traces them, what loads them.

Servers run on the first CPU with GOMAXPROCS=1, everything else on the second. Each way to trace has
a server with a file of its own, so that no probe of one is seen by another.
"""
import base64
import json
import os
import re
import shutil
import subprocess
import urllib.request

from harness.gospan import environment
from harness.process import Child

from . import machine

PATH = "/item/42"
HEADERS = {
    1: [],
    8: ["User-Agent: gospan-bench/1.0", "Accept: */*", "Accept-Encoding: gzip, deflate",
        "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "X-Request-Id: 7f1b2c", "Cookie: session=0123456789abcdef", "Cache-Control: no-cache"],
}  # and Host

# A queue that holds what a saturated server produces between two looks.
AGENT_SETTINGS = {"OTEL_BSP_MAX_QUEUE_SIZE": "65536", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4096"}


def first_json(child, what):
    line = child.stdout.wait(lambda line: line.startswith("{"), 10)
    if not line:
        raise RuntimeError(f"{what} did not start: {child.stderr.text()}")
    return json.loads(line)


class Target:
    """Program PROGRAM-GO, MODE: none sdk gospan full lean own; the latter four with their agent."""

    def __init__(self, build, program, go, mode, cpu=0, args=()):
        self.build, self.mode, self.agent = build, mode, None
        self.path = build / "bench" / f"running-{program}-{go}-{mode}-{cpu}-{os.getpid()}"
        shutil.copy(build / "bench" / f"{program}-{go}", self.path)
        self.app = Child([self.path, *args], env=environment({"GOMAXPROCS": "1"}),
                         prefix=machine.pinned(cpu))
        self.ready = first_json(self.app, f"the {program}")
        self.pid = self.app.pid

    def ask(self, line, timeout):
        """Has it do what LINE says: its answer, a dict of requests, seconds."""
        before = len(self.app.stdout.lines)
        self.app.popen.stdin.write(f"{line}\n".encode())
        self.app.popen.stdin.flush()
        answer = self.app.stdout.wait(bool, timeout, before)
        if not answer:
            raise RuntimeError(f"no answer to '{line}': {self.app.stderr.text()}")
        return json.loads(answer)

    def trace(self, endpoint, settings=None):
        """Starts what its mode says; gospan exports to ENDPOINT."""
        if self.mode == "gospan":
            env = environment({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
                               **(AGENT_SETTINGS if settings is None else settings)})
            self.agent = Child([self.build / "gospan", "trace", "--no-console", "--pid", self.pid],
                               env=env, prefix=machine.pinned(1))
            if not self.agent.stderr.wait(lambda line: "ready" in line, 10):
                raise RuntimeError(f"gospan: {self.agent.stderr.text()}")
        elif self.mode in ("full", "lean", "own"):
            self.agent = Child([self.build / "bench/layout", self.mode, self.pid,
                                self.build / "bench/layout.bpf.o"], prefix=machine.pinned(1))
            first_json(self.agent, "layout")

    def stop(self):
        """Ends both; what the agent said last."""
        said = ""
        if self.agent:
            if self.mode == "gospan":
                self.agent.signal(2)
            else:
                self.agent.popen.stdin.close()
            self.agent.wait(20)
            said = self.agent.stderr.text()
            self.agent.kill()
        self.app.kill()
        self.path.unlink(missing_ok=True)
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Server(Target):
    """The server of bench/app."""

    def __init__(self, build, go, mode):
        super().__init__(build, "appsdk" if mode == "sdk" else "app", go, mode)
        self.port = self.ready["port"]

    def storm(self, headers, seconds, rate=0):
        """Has it serve connections in memory, at RATE or flat out: a dict of requests, seconds."""
        lines = "".join(f"{header}\r\n" for header in HEADERS[headers])
        encoded = base64.b64encode(lines.encode()).decode() or "-"
        return self.ask(f"{seconds} {rate} {encoded}", seconds + 30)


class Calls(Target):
    """The program of bench/calls, which calls and is called."""

    def __init__(self, build, go, mode, cpu=0):
        super().__init__(build, "calls", go, mode, cpu, ["-sdk"] if mode == "sdk" else [])

    def call(self, kind, other, seconds):
        """Has it make calls of KIND to OTHER, which may be itself."""
        return self.ask(f"{seconds} {kind} {other.ready['http']} {other.ready['grpc']}",
                        seconds + 30)


class Sink:
    """An OTLP receiver that counts."""

    def __init__(self, build):
        self.child = Child([build / "bench/load", "sink"], prefix=machine.pinned(1))
        self.endpoint = first_json(self.child, "the sink")["endpoint"]

    def count(self):
        with urllib.request.urlopen(self.endpoint + "/count", timeout=10) as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.kill()


def memory_load(_, server, headers, seconds):
    """As fast as the server answers, without a network: requests and seconds."""
    return server.storm(headers, seconds)


def steady_load(build, server, headers, seconds, rate=2000):
    """Open loop at RATE; a dict with requests, p50_us, p99_us, seconds."""
    out = subprocess.run([*machine.pinned(1), build / "bench/load", "rate", "-address",
                          f"127.0.0.1:{server.port}", "-path", PATH, "-rate", str(rate), "-seconds",
                          str(seconds), "-headers", "|".join(HEADERS[headers])],
                         capture_output=True, text=True, check=True)
    return json.loads(out.stdout)


def _microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6, "m": 6e7}[unit]


def full_load(_, server, headers, seconds):
    """As fast as the server answers, by wrk over 16 connections; the same dict."""
    lines = [word for header in HEADERS[headers] for word in ("-H", header)]
    out = subprocess.run([*machine.pinned(1), "wrk", "-t1", "-c16", f"-d{max(1, round(seconds))}s",
                          "--latency", *lines, f"http://127.0.0.1:{server.port}{PATH}"],
                         capture_output=True, text=True, check=True, env={**os.environ}).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(out)
    requests, took = re.search(r"(\d+) requests in (\S+),", out).groups()
    return {"requests": int(requests), "seconds": _microseconds(took) / 1e6,
            "p50_us": _microseconds(re.search(r"(?m)^ +50% +(\S+)", out)[1]),
            "p99_us": _microseconds(re.search(r"(?m)^ +99% +(\S+)", out)[1])}
