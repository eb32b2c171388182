# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import build
from harness.client import get, status_of
from harness.otlp import SERVER

# Go and go.opentelemetry.io/otel: the oldest; arrays by reflection; the last before newSpan; the newest
PAIRS = [("1.19.13", "1.0.1"), ("1.20.14", "1.16.0"), ("1.24.9", "1.32.0"), (build.NEWEST, "1.47.0")]


def modules(version):
    return tuple((path, version) for path in ("go.opentelemetry.io/otel",
                                              "go.opentelemetry.io/otel/trace"))


@pytest.fixture
def run(start_server, trace):
    """run(*paths, ...) -> {name or path: span} of what the handlers at PATHS of otelapi do.

    With COUNT, the number of spans that there must be, all of them by start.
    """
    def start(*paths, pair=PAIRS[-1], mode="default", count=None, env=None, headers=()):
        server = start_server(name="otelapi", version=pair[0], mode=mode, modules=modules(pair[1]))
        agent = trace(server, env=env)
        for path in paths:
            assert status_of(get(server.http, path, *headers)) == 200
        agent.wait_spans(count or len(paths), timeout=5)
        spans = sorted(agent.stop(), key=lambda s: s.start_ns)
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        start.done = agent.done
        start.stderr = agent.stderr
        if count is not None:
            assert len(spans) == count, [s.name for s in spans]
            return spans
        start.requests = sum(s.kind == SERVER for s in spans)
        by_name = {s["url.path"] or s.name: s for s in spans}
        return by_name
    return start
