# SPDX-License-Identifier: Apache-2.0
"""Client and server in network namespaces of their own: what their addresses say of the connection is
not the same at both ends, or the same of two connections."""
import urllib.parse

import pytest

from harness import network, skip
from harness.otlp import CLIENT, SERVER

GRPC = (("google.golang.org/grpc", "1.85.0"),)
COUNT, MANY = 60, 400


@pytest.fixture
def net(needs_root):
    skip.unless_installed("ip", "nsenter", "curl")
    with network.Network() as made:
        yield made


@pytest.fixture
def start_grpc(start_server):
    def start(namespace, host="127.0.0.1"):
        return start_server("-host", host, name="grpcapp", modules=GRPC, prefix=namespace.prefix)
    return start


@pytest.fixture
def agent_of(start_gospan):
    def start(*servers):
        pids = [argument for s in servers for argument in ("--pid", s.outer_pid)]
        return start_gospan("trace", *pids, ready=len(servers))
    return start


def stop(agent, count):
    agent.wait_spans(count, timeout=8)
    spans = sorted(agent.stop(), key=lambda s: s.start_ns)
    assert len(spans) == count, [f"{s.kind} {s.name} {s.attributes}" for s in spans]
    return [s for s in spans if s.kind == CLIENT], [s for s in spans if s.kind == SERVER]


def is_caused(client, server):
    assert (server.trace_id, server.parent_id) == (client.trace_id, client.span_id), server.attributes


def are_pairs(clients, servers):
    """Each failed with a message of its own, which both ends know."""
    by_message = {s.message: s for s in clients}
    assert len(by_message) == len(clients) == len(servers)
    for server in servers:
        is_caused(by_message[server.message], server)


def call(front, target, who, parallel=4):
    front.do(do="many", target=target, text=f"status:13:{who} #", count=COUNT, parallel=parallel)


def test_grpc_from_another_namespace(net, start_grpc, agent_of):
    a, b = net.namespace(), net.namespace()
    net.cable(a, "10.97.0.1/24", b, "10.97.0.2/24")
    front, back = start_grpc(a), start_grpc(b, "10.97.0.2")
    agent = agent_of(front, back)
    call(front, f"10.97.0.2:{back.grpc}", "call")
    are_pairs(*stop(agent, 2 * COUNT))


def test_http_from_another_namespace(net, start_server, agent_of):
    a, b = net.namespace(), net.namespace()
    net.cable(a, "10.97.0.1/24", b, "10.97.0.2/24")
    front = start_server(name="httpclient", prefix=a.prefix)
    back = start_server("-host", "10.97.0.2", name="httpclient", prefix=b.prefix)
    agent = agent_of(front, back)
    for i, (port, via) in enumerate([(f"http://10.97.0.2:{back.http}", "plain"),
                                     (f"https://10.97.0.2:{back.https}", "http1tls"),
                                     (f"https://10.97.0.2:{back.https}", "h2")] * 4):
        query = urllib.parse.urlencode({"url": f"{port}/ok/{i}", "via": via})
        assert '"error":""' in a.get(f"http://127.0.0.1:{front.http}/call?{query}")
    clients, servers = stop(agent, 36)
    arrived = {s["url.path"]: s for s in servers}
    for client in clients:
        is_caused(client, arrived[urllib.parse.urlsplit(client["url.full"]).path])


def test_addresses_that_are_translated(net, start_grpc, agent_of):
    """
    Two clients with the same address and port, each in a network of its own, a router that hides
    both, and that also says where the server really is.
    """
    skip.unless_installed("nft")
    router, server = net.namespace(), net.namespace()
    clients = [net.namespace(), net.namespace()]
    hidden = [net.namespace(), net.namespace()]  # the clients' own routers
    net.cable(router, "10.97.0.1/24", server, "10.97.0.2/24")
    for i, (client, own) in enumerate(zip(clients, hidden)):
        net.cable(client, "10.98.0.2/24", own, "10.98.0.1/24")
        net.cable(own, f"10.99.{i}.2/24", router, f"10.99.{i}.1/24")
        client.route("default", "10.98.0.1")
        own.route("default", f"10.99.{i}.1")
        own.setting("net/ipv4/ip_forward", 1)
        own.translate("chain out { type nat hook postrouting priority 100; masquerade; }")
    router.setting("net/ipv4/ip_forward", 1)
    back = start_grpc(server, "10.97.0.2")
    router.translate(f"""
        chain in {{ type nat hook prerouting priority -100; tcp dport 80 dnat to 10.97.0.2:{back.grpc}; }}
        chain out {{ type nat hook postrouting priority 100; masquerade; }}""")
    fronts = [start_grpc(client) for client in clients]
    for client in clients:
        client.ports(40000, 40000)  # now that it has those that it listens at
    agent = agent_of(back, *fronts)
    for i, front in enumerate(fronts):
        call(front, f"10.99.{i}.1:80", f"client {i}")
    sent, arrived = stop(agent, 4 * COUNT)
    are_pairs(sent, arrived)
    assert {s["network.peer.address"] for s in arrived} == {"10.97.0.1"}


@pytest.mark.parametrize("traced", ["both clients", "one client"])
def test_two_networks_with_the_same_addresses(net, start_grpc, agent_of, traced):
    """
    Same addresses, same ports, same stream ids, same requests at the same time: whoever looks at no
    more than these takes the one connection for the other.
    """
    pairs = []
    for _ in range(2):
        a, b = net.namespace(), net.namespace()
        net.cable(a, "10.97.0.1/24", b, "10.97.0.2/24")
        b.ports(50000, 50000)
        pairs.append((start_grpc(a), start_grpc(b, "10.97.0.2")))
        a.ports(40000, 40000)  # now that it has those that it listens at
    fronts, backs = zip(*pairs)
    assert {back.grpc for back in backs} == {50000}
    agent = agent_of(*backs, *(fronts if traced == "both clients" else fronts[:1]))
    orders = [{"do": "many", "target": "10.97.0.2:50000", "text": f"status:13:client {i} #",
               "count": MANY, "parallel": MANY} for i in range(2)]
    for front, order in zip(fronts, orders):
        front.send(**order)
    for front in fronts:
        front.answer()
    clients, servers = stop(agent, (4 if traced == "both clients" else 3) * MANY)
    assert {s["network.peer.port"] for s in servers} == {40000}
    if traced == "one client":
        assert {s.parent_id for s in servers if s.message.startswith("client 1")} == {""}
        servers = [s for s in servers if s.message.startswith("client 0")]
    are_pairs(clients, servers)
