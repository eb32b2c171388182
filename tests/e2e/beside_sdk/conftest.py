# SPDX-License-Identifier: Apache-2.0
import dataclasses
import signal

import pytest

from harness import build
from harness.client import get, status_of

# Go, otelhttp and the SDK: the oldest that Go 1.19 can build, a middle one, the newest
BUILDS = [("1.19.13", "0.32.0", "1.7.0"), ("1.24.9", "0.60.0", "1.35.0"),
          (build.NEWEST, "0.72.0", "1.47.0")]


@dataclasses.dataclass
class Result:
    ours: list      # by start
    theirs: list    # of the SDK, as dicts
    stderr: list    # the agent's lines
    pid: int

    def all(self):
        """(name, trace id, span id, parent id) of every span of either."""
        zero = "0" * 16
        return [(s.name, s.trace_id, s.span_id, s.parent_id) for s in self.ours] + [
            (s["name"], s["trace_id"], s["span_id"], s["parent_id"].replace(zero, ""))
            for s in self.theirs]


@pytest.fixture
def run(start_server, trace):
    """run(*paths, ...) -> Result of requests to besidesdk; an item of PATHS may be (path, header).
    AT_ONCE: the agent is ended without giving it time to say anything."""
    def start(*paths, args=(), server_args=(), kind=BUILDS[-1], mode="default", at_once=False,
              tags=()):
        version, otelhttp, sdk = kind
        modules = (("go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp", otelhttp),
                   ("go.opentelemetry.io/otel/sdk", sdk))
        server = start_server(*server_args, name="besidesdk", version=version, mode=mode,
                              modules=modules, tags=tags)
        agent = trace(server, *args)
        for path in paths:
            path, *headers = (path,) if isinstance(path, str) else path
            assert status_of(get(server.http, path, *headers)) == 200
        if at_once:
            agent.signal(signal.SIGTERM)
        theirs = server._ask(b"spans")["spans"] or []
        if theirs and not at_once and "all" not in args and not tags:
            agent.wait_line("makes spans with an OpenTelemetry SDK")
        ours = sorted(agent.finish() if at_once else agent.stop(), key=lambda s: s.start_ns)
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        return Result(ours, theirs, agent.stderr.lines, server.pid)
    return start
