# SPDX-License-Identifier: Apache-2.0
"""What the program of a row is asked, 200 requests on 8 connections, and what its spans must be.

Each is a function of a Cell; it raises what is wrong. The program runs, and has answered, before the
agent comes.
"""
import concurrent.futures
import dataclasses
import http.client
import json
import pathlib
import urllib.parse

from harness import client, expect, trees
from harness.gospan import Gospan
from harness.otlp import CLIENT, ERROR, SERVER, UNSET
from harness.server import Server
from harness.trees import Want

REQUESTS, CONNECTIONS = 200, 8
INTERNAL, OK = 1, 1
OF_A_MESSAGE = 1 << 64      # added to the number of a request: the trace that its RPC's metadata says


@dataclasses.dataclass(frozen=True)
class Cell:
    binary: pathlib.Path
    folder: pathlib.Path    # for the agent's file and a database's
    databases: object       # of libraries.py: starts them when they are wanted


def _trace(number):
    return f"{number:032x}", f"{number & 0xffffffff:016x}"


def _traceparent(number):
    return "00-%s-%s-01" % _trace(number)


def ask(port, paths):
    """GET of each of PATHS, the first as trace 1 and so on; (path, status) if it is not 200. The first
    is asked for alone: what is told of calls that fail was learnt from one that did not."""
    def some(first):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for number in range(first, len(paths) if first else 1, CONNECTIONS):
            path = paths[number]
            path, status = (path, 200) if isinstance(path, str) else path
            connection.request("GET", path, headers={"traceparent": _traceparent(number + 1)})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == status, f"{path}: {answer.status} {body[:300]}"
        connection.close()
    some(0)
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(some, range(1, min(CONNECTIONS + 1, len(paths)))))


def spans_of(cell, server, send, count):
    """What SEND does, traced: exactly COUNT spans."""
    with Gospan(cell.folder, "trace", "--pid", server.pid) as agent:
        agent.wait_ready()
        send()
        agent.wait_spans(count)
        spans = agent.stop()
    assert server.status is None, f"the target ended: {server.stderr.text()}"
    server.exit()
    assert (agent.done.dropped, agent.done.unfinished) == (0, 0), agent.done
    assert len(spans) == count, f"{len(spans)} spans, not {count}: {sorted({s.name for s in spans})}"
    return spans


def ask_and_check(cell, server, paths, wants, others=(), of=None):
    """Request N makes the spans of WANTS[N]; OTHERS are more roots. OF: so many of the requests
    come before the agent too, to have done each kind."""
    ask(server.http, paths[:of or 1])
    roots = {_trace(number): want for number, want in enumerate(wants, 1)}
    roots.update(others)
    count = sum(want.count() for want in roots.values())
    spans = spans_of(cell, server, lambda: ask(server.http, paths), count)
    trees.check(_without_routes(spans), roots)


def _without_routes(spans):
    """Whether ServeMux has patterns, the go line of the program's go.mod says, and that is raised by
    the go lines of what it requires: routes are the first table's matter."""
    for span in spans:
        if span.scope == "gospan/net/http" and span.kind == SERVER:
            method, route = span["http.request.method"], span["http.route"]
            assert span.name == (f"{method} {route}" if route else method)
            assert not route or span["url.path"].startswith(route)
            span.name = method
    return spans


# -- servers and routers: harness/go/routers --

def router(*routes):
    """Of paths and the routes that they have there."""
    def check(cell):
        with Server(cell.binary) as server:
            client.load(server.http, 20, 2, path=routes[0][0]).check()
            each, requests = REQUESTS // len(routes), []

            def send():
                for path, route in routes:
                    report = client.load(server.http, each, CONNECTIONS, path=path,
                                         first=1000 + len(requests)).check()
                    requests.extend({**request, "route": route} for request in report.requests)
            spans = spans_of(cell, server, send, REQUESTS)
        expect.spans_match(spans, requests, True, server.http)
    return check


# -- net/http's and x/net's clients, and x/net's server: harness/go/httpclient, which calls itself --

def http_calls(*ways):
    """Of (transport, which port, protocol). One of four calls is answered with 404, one with 503."""
    def check(cell):
        with Server(cell.binary) as server:
            calls = [_call(server, number, *ways[number % len(ways)])
                     for number in range(1, REQUESTS + 1)]
            ask_and_check(cell, server, *zip(*calls), of=4 * len(ways))
    return check


def _call(server, number, via, to, protocol):
    """(path, what its spans must be)"""
    port = getattr(server, to)
    status = {2: 404, 3: 503}.get(number // 4 % 4, 200)
    path = f"/ok/{number}" if status == 200 else f"/status/{status}"
    url = f"http{'s' if to == 'https' else ''}://127.0.0.1:{port}{path}"
    common = {"network.protocol.version": protocol, "http.response.status_code": status,
              "server.address": "127.0.0.1", "server.port": port}
    answered = Want(SERVER, "GET", {**common, "url.path": path}, status=_error(status >= 500))
    call = Want(CLIENT, "GET", {**common, "url.full": url, "network.peer.port": port},
                (answered,), _error(status >= 400))
    return ("/call?" + urllib.parse.urlencode({"url": url, "via": via}),
            Want(SERVER, "GET", {"url.path": "/call", "http.response.status_code": 200}, (call,)))


def _error(is_one):
    return ERROR if is_one else UNSET


# -- gRPC: harness/go/grpcapp; each request makes an RPC whose metadata has a parent of its own --

def grpc_calls(cell):
    # order, status code, messages that the client sent and received (None: no stream)
    kinds = [({"do": "unary", "text": "hi"}, "OK", (None, None)),
             ({"do": "unary", "text": "status:5:none"}, "NOT_FOUND", (None, None)),
             ({"do": "chat", "text": "x", "count": 2}, "OK", (2, 2)),
             ({"do": "answers", "text": "3"}, "OK", (1, 3)),
             ({"do": "unary", "text": "status:14:gone", "intercept": True}, "UNAVAILABLE",
              (None, None))]
    methods = {"unary": "SayHello", "chat": "Chat", "answers": "SendMany"}
    paths, wants, served = [], [], {}
    with Server(cell.binary) as server:
        for number in range(1, REQUESTS + 1):
            order, code, messages = kinds[number % len(kinds)]
            method = "helloworld.Greeter/" + methods[order["do"]]
            apart = OF_A_MESSAGE + number
            paths.append("/do?order=" + urllib.parse.quote(json.dumps(
                {**order, "metadata": {"traceparent": _traceparent(apart)}})))
            says = {"rpc.system.name": "grpc", "rpc.method": method,
                    "rpc.response.status_code": code}
            call = Want(CLIENT, method, {**says, **_messages(*messages), "server.port": server.grpc},
                        status=_error(code != "OK"))
            wants.append(Want(SERVER, "GET", {"url.path": "/do", "http.response.status_code": 200},
                              (call,)))
            served[_trace(apart)] = Want(SERVER, method, {**says, **_messages(*messages[::-1])},
                                         status=_error(code == "UNAVAILABLE"))
        ask_and_check(cell, server, paths, wants, served, of=len(kinds))


def _messages(sent, received):
    return {"gospan.rpc.messages_sent": sent, "gospan.rpc.messages_received": received}


# -- database/sql: harness/go/httpsql with a driver that has no database --

def mixed_statements(cell):
    names = ["SELECT orders", "BEGIN", "INSERT orders", "UPDATE stock", "COMMIT"]
    want = Want(SERVER, "GET", {"url.path": "/mixed"}, tuple(Want(CLIENT, name) for name in names))
    with Server(cell.binary) as server:
        ask_and_check(cell, server, ["/mixed"] * REQUESTS, [want] * REQUESTS)


# -- drivers: harness/go/sqldriver --

def statements(system, namespace, code, connect):
    """CONNECT(cell): (DSN, port or None); CODE is the driver's for a table that is not there."""
    def check(cell):
        dsn, port = connect(cell)
        says = {"db.system.name": system, "db.namespace": namespace, "server.port": port,
                "server.address": port and "127.0.0.1"}
        paths, wants = zip(*(_statement(number, says, code) for number in range(REQUESTS)))
        with Server(cell.binary, env={"DSN": dsn}) as server:
            ask(server.http, ["/all"])  # makes the table
            ask_and_check(cell, server, paths, wants, of=4)
    return check


def _statement(number, says, code):
    """(path and status, what its spans must be)"""
    path, text, name, failed = [
        ("query", f"SELECT id, name FROM orders WHERE id = {number}", "SELECT orders", False),
        ("exec", f"UPDATE orders SET name = 'x' WHERE id = {number}", "UPDATE orders", False),
        ("query", f"SELECT 1, {number} FROM missing", "SELECT missing", True),
        ("ping", "", " ".join(filter(None, ("PING", says["db.namespace"]))), False)][number % 4]
    error = code if failed else None
    call = Want(CLIENT, name, {**says, "error.type": error, "db.response.status_code": error},
                status=_error(failed))
    status = 502 if failed else 200
    return ((f"/{path}?" + urllib.parse.urlencode({"q": text}), status),
            Want(SERVER, "GET", {"url.path": f"/{path}", "http.response.status_code": status},
                 (call,), _error(failed)))


# -- spans by hand with OpenTelemetry's API: harness/go/otelapi --

def spans_by_hand(cell):
    status = Want(SERVER, "GET", {"url.path": "/status"}, (
        Want(INTERNAL, "failed", status=ERROR), Want(INTERNAL, "ok", status=OK),
        Want(INTERNAL, "second name")))
    one = Want(INTERNAL, "one of many", below=(Want(INTERNAL, "below one"),))
    fan = Want(SERVER, "GET", {"url.path": "/fan"}, (Want(INTERNAL, "fan", below=(one,) * 8),))
    paths = ["/fan" if number % 4 == 0 else "/status" for number in range(REQUESTS)]
    with Server(cell.binary) as server:
        ask_and_check(cell, server, paths, [fan if path == "/fan" else status for path in paths],
                      of=2)
