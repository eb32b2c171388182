# SPDX-License-Identifier: Apache-2.0
"""The load (harness/go/client) and single requests written byte by byte."""
import dataclasses
import json
import socket
import subprocess

from . import build
from .process import Child, die_with_parent


@dataclasses.dataclass
class Report:
    sent: int
    failed: int
    errors: list
    requests: list

    def check(self):
        """Every answer was right, byte by byte."""
        assert self.failed == 0, f"{self.failed} of {self.sent} answers are wrong: {self.errors}"
        return self


def _argv(port, count, conns, mode, path, first, headers, seconds, rate, brief, traceparent):
    argv = [build.build("client"), "-addr", f"127.0.0.1:{port}", "-n", count, "-c", conns, "-mode",
            mode, "-first", first, "-headers", headers, "-seconds", seconds, "-rate", rate]
    argv += ["-path", path] if path else []
    argv += ["-brief"] if brief else []
    argv += [] if traceparent else ["-no-traceparent"]
    return [str(a) for a in argv]


def load(port, count=200, conns=8, mode="h1", path=None, first=1, headers=0, seconds=0, rate=0,
         brief=False, traceparent=True, prefix=()):
    """Sends COUNT requests over CONNS connections and returns the Report (not yet checked)."""
    argv = [*prefix, *_argv(port, count, conns, mode, path, first, headers, seconds, rate, brief,
                            traceparent)]
    done = subprocess.run(argv, capture_output=True, timeout=110, preexec_fn=die_with_parent)
    if done.returncode != 0:
        raise RuntimeError(f"{argv}: {done.stderr.decode(errors='replace')}")
    return _report(done.stdout)


def _report(text):
    said = json.loads(text)
    return Report(said["sent"], said["failed"], said["errors"] or [], said.get("requests") or [])


class Load(Child):
    """The same in the background: what a test does meanwhile happens under load."""

    def __init__(self, port, seconds, conns=8, mode="h1", path=None, first=1, rate=0, brief=True,
                 count=10 ** 9):
        super().__init__(_argv(port, count, conns, mode, path, first, 0, seconds, rate, brief,
                               True))
        self.seconds = seconds

    def report(self):
        status = self.wait(self.seconds + 60)
        if status != 0:
            raise RuntimeError(f"{self.argv}: {status} {self.stderr.text()}")
        return _report(self.stdout.text())


def exchange(port, data, timeout=5):
    """Writes DATA on a new connection and returns all bytes that come until the server closes."""
    with socket.create_connection(("127.0.0.1", port), timeout) as s:
        s.sendall(data)
        received = b""
        while True:
            try:
                chunk = s.recv(65536)
            except (ConnectionResetError, socket.timeout):
                return received
            if not chunk:
                return received
            received += chunk


def get(port, target, *headers, method="GET", host="127.0.0.1", body=b"", version="1.1"):
    """One request, byte by byte as given (str is sent as latin-1); returns the whole answer."""
    lines = [f"{method} {target} HTTP/{version}", f"Host: {host}", "Connection: close", *headers]
    if body or method in ("POST", "PUT"):
        lines.append(f"Content-Length: {len(body)}")
    request = "\r\n".join([*lines, "", ""]).encode("latin-1") + body
    return exchange(port, request, timeout=20)


def status_of(answer):
    return int(answer.split(b" ", 2)[1])


def traceparent(trace_id="0af7651916cd43dd8448eb211c80319c", span_id="b7ad6b7169203331",
                flags="01"):
    return f"traceparent: 00-{trace_id}-{span_id}-{flags}"
