# SPDX-License-Identifier: Apache-2.0
"""A cell of the first table: the net/http server, of a Go version, in a build mode.

It starts the server, attaches to the running process by pid, sends 200 requests on 8 connections and
must see exactly 200 spans with right names, routes, statuses and remote parents.
"""
from harness import build, client, expect
from harness.gospan import Gospan
from harness.server import Server

REQUESTS, CONNECTIONS = 200, 8


def check_cell(version, mode, folder):
    """Raises what is wrong. FOLDER is for the agent's file."""
    with Server(build.build("httpserver", version, mode)) as server:
        client.load(server.http, 20, 2).check()  # it was running before the agent came
        with Gospan(folder, "trace", "--pid", server.pid) as agent:
            agent.wait_ready()
            report = client.load(server.http, REQUESTS, CONNECTIONS, first=1000).check()
            agent.wait_spans(REQUESTS)
            spans = agent.stop()
        server.exit()
    assert len(report.requests) == REQUESTS
    expect.spans_match(spans, report.requests, build.has_patterns(version), server.http)
