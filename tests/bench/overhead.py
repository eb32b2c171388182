# SPDX-License-Identifier: Apache-2.0
"""What tracing adds to the application: interleaved rounds, and hits counted apart from them."""
import contextlib
import statistics

from . import machine
from .world import Server, Sink, full_load, memory_load, steady_load

MODES = ["none", "gospan", "full", "lean", "sdk"]
LOADS = {"2000/s": (steady_load, 1), "saturated": (full_load, 1), "in memory": (memory_load, 0.5)}
WARM_UP_SECONDS = 0.5


def median(values):
    return statistics.median(values)


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high


class Windows:
    """What was measured of one thing: a list of windows for each mode, "none" among them."""

    def __init__(self, modes):
        self.windows = {mode: [] for mode in modes}

    def values(self, mode, key):
        return [window[key] for window in self.windows[mode]]

    def added(self, mode):
        """Added CPU us a request in each round, against the same round without an agent."""
        return [w["cpu_us"] - none["cpu_us"]
                for w, none in zip(self.windows[mode], self.windows["none"])]

    def ratio_range(self, mode, other):
        """The least and the most that the ratio may be, by the quartiles of both."""
        low, high = quartiles(self.added(mode))
        other_low, other_high = quartiles(self.added(other))
        return (low / other_high if other_high > 0 else float("inf"),
                high / other_low if other_low > 0 else float("inf"))

    def ratio(self, mode, other):
        """Of the medians; None when what is compared with is lost in the noise."""
        base = median(self.added(other))
        return median(self.added(mode)) / base if base > 0 else None


class Cell(Windows):
    """One Go version, number of headers and kind of load."""

    def __init__(self, go, headers, load):
        super().__init__(MODES)
        self.go, self.headers, self.load = go, headers, load


def measure_window(build, server, headers, load):
    run, seconds = LOADS[load]
    start = machine.cpu_seconds(server.pid)
    result = run(build, server, headers, seconds)
    cpu = machine.cpu_seconds(server.pid) - start
    return {**result, "cpu_us": cpu / result["requests"] * 1e6,
            "rps": result["requests"] / result["seconds"]}


@contextlib.contextmanager
def servers(build, go, modes, sink):
    with contextlib.ExitStack() as stack:
        up = {}
        for mode in modes:
            up[mode] = stack.enter_context(Server(build, go, mode))
            up[mode].trace(sink.endpoint)
        yield up


def measure(build, go, rounds, tell):
    """The cells of one Go version."""
    cells = [Cell(go, headers, load) for headers in (8, 1) for load in LOADS]
    with Sink(build) as sink, servers(build, go, MODES, sink) as up:
        for server in up.values():
            steady_load(build, server, 8, WARM_UP_SECONDS)
        for i in range(rounds):
            for cell in cells:
                for n in range(len(MODES)):
                    mode = MODES[(i + n) % len(MODES)]
                    cell.windows[mode].append(
                        measure_window(build, up[mode], cell.headers, cell.load))
            tell(f"Go {go}: round {i + 1} of {rounds}")
        up["gospan"].agent.signal(2)
        up["gospan"].agent.wait(20)
        done = up["gospan"].agent.stderr.text()
    return cells, [line for line in done.splitlines() if "done:" in line]


def runs_between(before, after, requests):
    """{program name: (hits a request, ns a hit)} of programs that ran."""
    found = {}
    for prog_id, (runs, time_ns) in after.items():
        was = before.get(prog_id, (0, 0))
        if runs - was[0] > requests / 100:
            found[machine.program_name(prog_id)] = ((runs - was[0]) / requests,
                                                    (time_ns - was[1]) / (runs - was[0]))
    return found


def count_hits(build, go):
    """{(mode, headers): {program: (hits a request, ns a hit)}}, with the kernel's statistics on."""
    found = {}
    with Sink(build) as sink, servers(build, go, ["gospan", "full", "lean", "own"], sink) as up:
        with machine.bpf_stats():
            for mode, server in up.items():
                for headers in (8, 1):
                    steady_load(build, server, headers, 0.2)
                    before = machine.program_runs(server.agent.pid)
                    result = steady_load(build, server, headers, 1)
                    after = machine.program_runs(server.agent.pid)
                    found[mode, headers] = runs_between(before, after, result["requests"])
    return found
