# SPDX-License-Identifier: Apache-2.0
"""What tracing adds to calls that a program makes and answers, against OpenTelemetry's instrumentation.

Two processes of bench/calls call each other; the one whose CPU is measured is traced, the other is
not. Every way to trace has a process of its own, and they take turns, round by round.
"""
import contextlib

from . import machine
from .overhead import Windows, runs_between
from .world import Calls, Sink

MODES = ["none", "gospan", "sdk"]
WINDOW_SECONDS = 0.5
TO_OTHER, FROM_OTHER, WITHIN = "to the other", "from the other", "within"

# name, kind of bench/calls, direction, spans a call makes
KINDS = [
    ("net/http client, HTTP/1.1", "http1", TO_OTHER, 1),
    ("net/http client, HTTP/2", "http2", TO_OTHER, 1),
    ("gRPC unary, client", "grpc", TO_OTHER, 1),
    ("gRPC unary, server", "grpc", FROM_OTHER, 1),
    ("gRPC unary, both sides", "grpc", WITHIN, 2),
    ("database/sql Exec", "exec", WITHIN, 1),
    ("database/sql Query", "query", WITHIN, 1),
    ("database/sql transaction", "transaction", WITHIN, 3),
    ("a span by hand (otel API)", "byhand", WITHIN, 1),
]


class Row(Windows):
    def __init__(self, name, kind, direction, spans):
        super().__init__(MODES)
        self.name, self.kind, self.direction, self.spans = name, kind, direction, spans
        self.hits = {}  # of program: (hits a call, ns a hit)
        self.total = 0  # of the dispatcher, as the agent attaches it

    def load(self, target, other, seconds):
        """TARGET is measured."""
        if self.direction == FROM_OTHER:
            return other.call(self.kind, target, seconds)
        return target.call(self.kind, other if self.direction == TO_OTHER else target, seconds)

    def measure(self, target, other):
        start = machine.cpu_seconds(target.pid)
        result = self.load(target, other, WINDOW_SECONDS)
        cpu = machine.cpu_seconds(target.pid) - start
        self.windows[target.mode].append({**result, "cpu_us": cpu / result["requests"] * 1e6})


@contextlib.contextmanager
def _targets(build, go, modes):
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(Sink(build))
        other = stack.enter_context(Calls(build, go, "none", cpu=1))
        up = {mode: stack.enter_context(Calls(build, go, mode)) for mode in modes}
        for target in up.values():
            target.trace(sink.endpoint)
        yield other, up


def _count_hits(build, go, rows):
    """With the kernel's statistics on, so apart from the rounds."""
    with _targets(build, go, ["gospan", "own"]) as (other, up), machine.bpf_stats():
        for row in rows:
            for mode, target in up.items():
                row.load(target, other, 0.1)
                before = machine.program_runs(target.agent.pid)
                result = row.load(target, other, WINDOW_SECONDS)
                runs = runs_between(before, machine.program_runs(target.agent.pid),
                                    result["requests"])
                if mode == "gospan":
                    row.total = runs.get("dispatch", (0, 0))[0]
                else:
                    row.hits = runs


def measure(build, go, rounds, tell):
    """(rows, what the agent said at its end)."""
    rows = [Row(*kind) for kind in KINDS]
    with _targets(build, go, MODES) as (other, up):
        for row in rows:
            for target in up.values():
                row.load(target, other, 0.2)
        for i in range(rounds):
            for row in rows:
                for n in range(len(MODES)):
                    row.measure(up[MODES[(i + n) % len(MODES)]], other)
            tell(f"calls, Go {go}: round {i + 1} of {rounds}")
        up["gospan"].agent.signal(2)
        up["gospan"].agent.wait(20)
        done = up["gospan"].agent.stderr.text()
    _count_hits(build, go, rows)
    tell("calls: probe hits counted")
    return rows, [line for line in done.splitlines() if "done:" in line]
