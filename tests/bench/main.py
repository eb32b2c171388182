# SPDX-License-Identifier: Apache-2.0
"""python3 -m bench.main BUILD CALLS_GO GO_VERSION...: what tracing costs, against other ways to trace.

Every way is up at once, each with a server of its own, and they are loaded in turn, round by round,
so that a busy machine spoils all alike; what a way adds is the difference to the same round without
one. CPU is of nanosecond clocks. Latencies and requests a second are the machine's weather.
"""
import os
import pathlib
import sys
import time

from . import agent_cost, calls, overhead, report


def measure_servers(build, versions, rounds, tell, verdicts):
    cells, done = [], []
    for go in versions:
        measured, lines = overhead.measure(build, go, rounds, tell)
        cells += measured
        done += lines
    go = versions[0]
    hits = overhead.count_hits(build, go)
    tell("probe hits counted")
    agent = agent_cost.measure(build, go, rounds, tell)
    for cell in cells:
        report.print_cell(cell)
    report.print_hits(go, hits, agent["sites"])
    report.print_agent(agent)
    for line in done:
        print(f"  while loaded above: {line}")
    report.judge_cells(verdicts, cells)
    report.judge_hits(verdicts, hits, agent["sites"])
    report.judge_agent(verdicts, agent)


def main():
    build = pathlib.Path(sys.argv[1])
    rounds = int(os.environ.get("BENCH_ROUNDS", "7"))
    start = time.monotonic()

    def tell(text):
        print(f"bench: {time.monotonic() - start:4.0f} s: {text}", flush=True)

    print(f"Medians of {rounds} interleaved rounds (lowest..highest); {os.cpu_count()} CPUs, "
          f"Linux {os.uname().release}")
    verdicts = report.Verdicts()
    rows, done = calls.measure(build, sys.argv[2], rounds, tell)
    report.print_calls(sys.argv[2], rows, agent_cost.site_costs(build, "calls", sys.argv[2]))
    for line in done:
        print(f"  while they ran: {line}")
    report.judge_calls(verdicts, rows)
    if os.environ.get("BENCH_ONLY") != "calls":
        measure_servers(build, sys.argv[3:], rounds, tell, verdicts)
    verdicts.show()


if __name__ == "__main__":
    main()
