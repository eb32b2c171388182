# SPDX-License-Identifier: Apache-2.0
"""Two services: FRONT is traced and calls BACK, which is not."""
import json
import re
import urllib.parse

import pytest

from harness import build
from harness.client import get

SERVER, CLIENT = 2, 3


class Calls:
    """What a test does: requests to the front, and afterwards the spans by what they called."""

    def __init__(self, front, back, agent):
        self.front, self.back, self.agent = front, back, agent
        self.to = f"http://127.0.0.1:{back.http}"
        self.tls = f"https://127.0.0.1:{back.https}"
        self.h2c = f"http://127.0.0.1:{back.h2c}"

    def get(self, target, *headers):
        answer = get(self.front.http, target, *headers)
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        return answer.split(b"\r\n\r\n", 1)[1]

    def call(self, url, *headers, **options):
        """One call by the front; what came of it, as it saw it itself."""
        query = urllib.parse.urlencode({"url": url, **options})
        return json.loads(re.search(rb"\{.*\}", self.get(f"/call?{query}", *headers))[0])

    def case(self, name, *headers, to=None, **options):
        query = urllib.parse.urlencode({"to": to or self.to + "/ok/1", **options})
        self.get(f"/case/{name}?{query}", *headers)

    def spans(self, count):
        """Stops the agent; there must be exactly COUNT spans."""
        self.agent.wait_spans(count, timeout=5)
        spans = sorted(self.agent.stop(), key=lambda s: s.start_ns)
        assert self.front.status is None, f"the target ended: {self.front.stderr.text()}"
        assert len(spans) == count, [f"{s.kind} {s.name} {s.attributes}" for s in spans]
        return spans

    def client_span(self):
        """The one CLIENT span of one request to the front."""
        server, client = sorted(self.spans(2), key=lambda s: s.kind)
        assert (server.kind, client.kind) == (SERVER, CLIENT)
        assert (client.trace_id, client.parent_id) == (server.trace_id, server.span_id)
        assert server.start_ns <= client.start_ns <= client.end_ns <= server.end_ns
        return client


@pytest.fixture
def calls(start_server, trace):
    """calls(*agent's arguments, version, mode, modules, env, front=arguments of the front) -> Calls"""
    def start(*args, version=build.NEWEST, mode="default", modules=(), env=None, front=(), back=()):
        behind = start_server(*back, name="httpclient", version=build.NEWEST)
        before = start_server(*front, name="httpclient", version=version, mode=mode, modules=modules)
        return Calls(before, behind, trace(before, *args, env=env))
    return start


def label(span):
    """?label= of a CLIENT span's URL."""
    return urllib.parse.parse_qs(urllib.parse.urlsplit(span["url.full"]).query)["label"][0]


def by_label(spans):
    """{label: CLIENT span}; each label once."""
    clients = [s for s in spans if s.kind == CLIENT]
    found = {label(s): s for s in clients}
    assert len(found) == len(clients), [label(s) for s in clients]
    return found


def server_of(spans, path=None):
    """The one SERVER span (of PATH)."""
    found = [s for s in spans if s.kind == SERVER and path in (None, s["url.path"])]
    assert len(found) == 1, [s.attributes for s in found]
    return found[0]
