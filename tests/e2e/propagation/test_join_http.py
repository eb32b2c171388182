# SPDX-License-Identifier: Apache-2.0
"""Client and server in two processes, one agent, nothing written: every server span's parent is the
very client span that caused it, or there is none."""
import concurrent.futures
import json
import re
import signal
import urllib.parse

import pytest

from harness.client import get
from harness.process import eventually, thread_states

SERVER, CLIENT = 2, 3
FOREIGN = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"


class Pair:
    def __init__(self, front, back, agent):
        self.front, self.back, self.agent = front, back, agent
        self.bases = {"http": f"http://127.0.0.1:{back.http}", "tls": f"https://127.0.0.1:{back.https}",
                      "h2c": f"http://127.0.0.1:{back.h2c}"}

    def call(self, path, *headers, base="http", fails=False, **options):
        query = urllib.parse.urlencode({"url": self.bases[base] + path, **options})
        answer = get(self.front.http, f"/call?{query}", *headers)
        outcome = json.loads(re.search(rb"\{.*\}", answer)[0])
        assert bool(outcome["error"]) == fails, outcome
        return outcome

    def spans(self, count):
        self.agent.wait_spans(count, timeout=8)
        spans = self.agent.stop()
        assert len(spans) == count, [f"{s.kind} {s.name} {s.attributes}" for s in spans]
        return spans

    def joined(self, spans):
        """{path: (client, server at the back)}"""
        clients = {urllib.parse.urlsplit(s["url.full"]).path: s for s in spans if s.kind == CLIENT}
        servers = {s["url.path"]: s for s in spans
                   if s.kind == SERVER and s["url.path"] not in ("/call",) and
                   not s["url.path"].startswith("/proxy")}
        assert clients.keys() == servers.keys()
        return {path: (clients[path], servers[path]) for path in clients}


@pytest.fixture
def pair(start_server, start_gospan):
    def start(version="1.27.1", mode="default", env=None, back=()):
        back = start_server(*back, name="httpclient")
        front = start_server(name="httpclient", version=version, mode=mode)
        agent = start_gospan("trace", "--pid", front.outer_pid, "--pid", back.outer_pid, ready=2,
                             env=env)
        return Pair(front, back, agent)
    return start


def is_caused(client, server):
    assert (server.trace_id, server.parent_id) == (client.trace_id, client.span_id), server.attributes
    assert server.flags & 0x300 == 0x300, "the parent is known to be remote"
    assert client.start_ns <= server.start_ns


@pytest.mark.parametrize("version, mode", [("1.19.13", "default"), ("1.24.9", "pie stripped"),
                                           ("1.27.1", "default")])
@pytest.mark.parametrize("base, via, proto", [
    ("http", "plain", "HTTP/1.1"), ("tls", "http1tls", "HTTP/1.1"), ("tls", "h2", "HTTP/2.0"),
    ("tls", "xnet", "HTTP/2.0"), ("h2c", "xnetplain", "HTTP/2.0")])
def test_every_server_span_has_its_client(pair, base, via, proto, version, mode):
    p = pair(version, mode)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        protos = set(pool.map(lambda i: p.call(f"/ok/{i}", base=base, via=via)["proto"], range(40)))
    assert protos == {proto}
    for client, server in p.joined(p.spans(120)).values():
        is_caused(client, server)


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_a_server_that_comes_late(pair, version):
    """The client has given up by then, and its next request goes over another connection."""
    p = pair(version)
    p.call("/ok/1")
    p.back.signal(signal.SIGSTOP)
    assert eventually(lambda: thread_states(p.back.outer_pid) == {"T"}, 5)
    p.call("/ok/2", timeout=100, fails=True)
    p.back.signal(signal.SIGCONT)
    p.call("/ok/3")
    for client, server in p.joined(p.spans(9)).values():
        is_caused(client, server)


@pytest.mark.parametrize("version, mode", [("1.19.13", "default"), ("1.27.1", "default")])
def test_over_a_unix_socket(pair, tmp_path, version, mode):
    """Each call has a connection of its own, all of them the same addresses."""
    path = str(tmp_path / "socket")
    p = pair(version, mode, back=("-unix", path))
    p.bases["unix"] = "http://unix.example"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: p.call(f"/ok/{i}", base="unix", via="unix", socket=path), range(40)))
    for client, server in p.joined(p.spans(120)).values():
        is_caused(client, server)


@pytest.mark.parametrize("base, via", [("http", "plain"), ("tls", "h2"), ("h2c", "xnetplain")])
def test_a_server_whose_connections_are_of_a_type_of_its_own(pair, base, via):
    p = pair(back=("-wrapped",))
    for i in range(4):
        p.call(f"/ok/{i}", base=base, via=via)
    for client, server in p.joined(p.spans(12)).values():
        is_caused(client, server)


def test_connections_that_seem_to_be_one(pair):
    """No join then, rather than a wrong one."""
    p = pair(back=("-share",))
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: p.call(f"/slow/{i % 3}?{i}", via="sharing"), range(150)))
    spans = p.spans(450)
    clients = {s.span_id: s["url.full"].partition("?")[2] for s in spans if s.kind == CLIENT}
    servers = [s for s in spans if s.kind == SERVER and s["url.path"] != "/call"]
    assert len(clients) == len(servers) == 150
    for server in servers:
        assert server.parent_id == "" or clients[server.parent_id] == server["url.query"]


def test_a_foreign_header_wins(pair):
    p = pair()
    p.call("/ok/1", header=f"Traceparent: {FOREIGN}")
    (client, server), = p.joined(p.spans(3)).values()
    assert server.trace_id == "ab" * 16 and server.parent_id == "cd" * 8
    assert client.trace_id != server.trace_id


def test_a_header_that_was_handed_on_does_not(pair):
    """A proxy forwards the incoming header as it is: its own client span is nearer."""
    p = pair()
    answer = get(p.front.http, "/proxy/?" + urllib.parse.urlencode({"to": p.bases["http"] + "/ok/1"}),
                 "Traceparent: " + FOREIGN)
    assert b" 200 " in answer.split(b"\r\n")[0]
    spans = p.spans(3)
    client, = (s for s in spans if s.kind == CLIENT)
    server, = (s for s in spans if s.kind == SERVER and s["url.path"] == "/ok/1")
    assert client.trace_id == "ab" * 16
    is_caused(client, server)


def test_unsampled_goes_on(pair):
    p = pair()
    p.call("/ok/1", "Traceparent: " + FOREIGN[:-1] + "0")
    p.call("/ok/2", "Traceparent: " + FOREIGN)
    assert {s.trace_id for s in p.spans(3)} == {"ab" * 16}
