# SPDX-License-Identifier: Apache-2.0
import pytest

from harness import build


@pytest.fixture
def spans_of(start_server, trace):
    """spans_of(send, *agent's arguments, count=1) -> the spans of what SEND(server) does.

    Starts the server, attaches to it, calls SEND and stops; there must be exactly COUNT spans. env
    is the agent's environment; version, mode, server_args and server_env are the server's.
    """
    def run(send, *args, count=1, env=None, version=build.NEWEST, mode="default", server_args=(),
            server_env=None, language=None, name="httpserver"):
        server = start_server(*server_args, version=version, mode=mode, env=server_env,
                              language=language, name=name)
        agent = trace(server, *args, env=env)
        send(server)
        agent.wait_spans(count, timeout=4)
        spans = agent.stop()
        assert len(spans) == count, [f"{s.name} {s.attributes}" for s in spans]
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        return spans
    return run


@pytest.fixture
def span_of(spans_of):
    """The same for one span."""
    def run(send, *args, **kwargs):
        return spans_of(send, *args, **kwargs)[0]
    return run
