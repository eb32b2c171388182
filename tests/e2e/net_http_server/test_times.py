# SPDX-License-Identifier: Apache-2.0
"""Start and end lie within the client's own wall-clock interval."""
import os
import sys

from harness import client, expect, skip
from harness.process import Child


def test_within_the_clients_interval(start_server, trace):
    server = start_server()
    agent = trace(server)
    report = client.load(server.http, 300, 2, path="/slow?ms=5&i={id}").check()
    agent.wait_spans(300)
    requests = [{**r, "route": "/slow"} for r in report.requests]
    spans = agent.stop()
    expect.spans_match(spans, requests, True)
    assert all(5 <= s.duration_ms < 5000 for s in spans)


def test_a_starved_agent_does_not_shift_times(start_server, start_gospan):
    """It may be preempted between the two clocks whose difference it adds to every time."""
    skip.unless_installed("chrt")
    server = start_server()
    agent = start_gospan("trace", "--pid", server.pid, prefix=["chrt", "--idle", "0"])
    busy = [Child([sys.executable, "-c", "import time; end = time.time() + 6\n"
                   "while time.time() < end: pass"]) for _ in range(2 * os.cpu_count())]
    report = client.load(server.http, 2000, 2, rate=500).check()
    for child in busy:
        child.wait()
    agent.wait_spans(2000)
    expect.spans_match(agent.stop(), report.requests, True)
