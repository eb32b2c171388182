# SPDX-License-Identifier: Apache-2.0
import json
import urllib.parse

import pytest

from harness import build
from harness.client import get
from harness.otlp import CLIENT, SERVER

MODULE = "google.golang.org/grpc"

# Go and grpc: the oldest, those where what is probed changed, the newest
PAIRS = [("1.19.13", "1.40.0"), ("1.21.13", "1.59.0"), ("1.24.9", "1.64.0"), ("1.24.9", "1.69.4"),
         (build.NEWEST, "1.77.0"), (build.NEWEST, "1.81.0"), (build.NEWEST, "1.85.0")]
CORNERS = [PAIRS[0], PAIRS[2], PAIRS[-1]]


class Spans(list):
    """Of one run, by start; those of grpcapp's client and server apart, and net/http's.

    answers: what grpcapp said of its orders.
    """

    def __init__(self, spans, answers):
        self.answers = answers
        super().__init__(sorted(spans, key=lambda s: s.start_ns))
        rpc = [s for s in self if s["rpc.system.name"]]
        self.client = [s for s in rpc if s.kind == CLIENT]
        self.server = [s for s in rpc if s.kind == SERVER]
        self.http = [s for s in self if not s["rpc.system.name"]]


@pytest.fixture
def spans_of(start_server, trace):
    """spans_of(*orders, count=, pair=, mode=, server_args=, web=) -> the Spans of what grpcapp does.

    An order is a dict (client.go says which) or a function that is given the server. WEB: by way of
    an HTTP request, so that the calls are made in its handler. COUNT: how many spans there must be.
    """
    def run(*orders, count, pair=PAIRS[-1], mode="default", server_args=(), web=False, env=None):
        go, version = pair
        server = start_server(*server_args, name="grpcapp", version=go, mode=mode,
                              modules=((MODULE, version),))
        agent = trace(server, env=env)
        answers = []
        for order in orders:
            if callable(order):
                order(server)
            elif web:
                get(server.http, "/do?order=" + urllib.parse.quote(json.dumps(order)))
            else:
                answers.append(server.do(**order))
        agent.wait_spans(count, timeout=5)
        spans = agent.stop()
        assert len(spans) == count, [f"{s.kind} {s.name} {s.attributes}" for s in spans]
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        assert agent.done.unfinished == 0
        return Spans(spans, answers)
    return run
