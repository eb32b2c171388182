# SPDX-License-Identifier: Apache-2.0
"""What a program is asked: HTTP requests and unary RPCs, each with a trace of its own."""
import dataclasses
import http.client
import random
import socket
import struct

import h2.config
import h2.connection
import h2.events

from harness.otlp import ERROR, SERVER, UNSET
from harness.trees import Want

CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND",
         "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
         "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
         "UNAUTHENTICATED"]
SERVER_ERRORS = {"UNKNOWN", "DEADLINE_EXCEEDED", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE",
                 "DATA_LOSS"}


@dataclasses.dataclass(frozen=True)
class Ask:
    """A request "METHOD path", or an RPC "/package.Service/Method" whose BODY is its message.

    BELOW: what must be below its span; APART: what begins traces of its own meanwhile.
    """
    text: str
    body: object = None
    below: tuple = ()
    apart: tuple = ()
    headers: dict = dataclasses.field(default_factory=dict)

    @property
    def is_rpc(self):
        return self.text.startswith("/")


class Connection(http.client.HTTPConnection):
    """To a port of loopback or to a unix socket."""

    def __init__(self, port, path=""):
        super().__init__("127.0.0.1", port, timeout=20)
        self.path = path

    def connect(self):
        self.sock = _connect(self.port, self.path)


def _connect(port, path):
    if not path:
        return socket.create_connection(("127.0.0.1", port), 20)
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(20)
    sock.connect(path)
    return sock


class Rpcs:
    """A gRPC client with one connection, without TLS."""

    def __init__(self, port, path=""):
        self.sock = _connect(port, path)
        self.h2 = h2.connection.H2Connection(
            config=h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.sock.sendall(self.h2.data_to_send())

    def call(self, method, message, metadata):
        """The grpc-status that the answer has."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [
            (":method", "POST"), (":scheme", "http"), (":path", method), (":authority", "localhost"),
            ("te", "trailers"), ("content-type", "application/grpc"), *metadata.items()])
        self.h2.send_data(stream, struct.pack(">BI", 0, len(message)) + message, end_stream=True)
        self.sock.sendall(self.h2.data_to_send())
        status = None
        while True:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError(f"{method}: the server hung up")
            for event in self.h2.receive_data(data):
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    status = dict(event.headers).get("grpc-status", status)
                elif isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.StreamEnded):
                    self.sock.sendall(self.h2.data_to_send())
                    return int(status)
            self.sock.sendall(self.h2.data_to_send())

    def close(self):
        self.sock.close()


class Client:
    """Asks a program; keeps what spans there must be: ROOTS and APART of harness.trees.check()."""

    def __init__(self, port, path="", rpc_path=""):
        self.port, self.path, self.rpc_path = port, path, rpc_path
        self.roots, self.apart = {}, []
        self._http = self._rpcs = None

    def answers(self, path):
        """Does it do so at all?"""
        connection = Connection(self.port, self.path)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def send(self, asks, count):
        """COUNT of them, round robin."""
        for number in range(count):
            ask = asks[number % len(asks)]
            trace_id = f"{random.getrandbits(128) | 1:032x}"
            parent = f"{random.getrandbits(64) | 1:016x}"
            headers = {**ask.headers, "traceparent": f"00-{trace_id}-{parent}-01"}
            want = self._rpc(ask, headers) if ask.is_rpc else self._request(ask, headers, number)
            self.roots[trace_id, parent] = want
            self.apart += ask.apart

    def forget(self):
        """What was asked so far needs no spans."""
        self.roots, self.apart = {}, []

    def _request(self, ask, headers, number):
        method, target = ask.text.split(" ", 1)
        agent = f"thirdparty/{number}"
        self._http = self._http or Connection(self.port, self.path)
        self._http.request(method, target, body=ask.body, headers={**headers, "User-Agent": agent})
        answer = self._http.getresponse()
        answer.read()
        if answer.will_close:
            self._http.close()
            self._http = None
        path, _, query = target.partition("?")
        return Want(SERVER, None, {
            "http.request.method": method, "url.path": path, "url.query": query or None,
            "http.response.status_code": answer.status, "user_agent.original": agent},
            ask.below, ERROR if answer.status >= 500 else UNSET)

    def _rpc(self, ask, headers):
        self._rpcs = self._rpcs or Rpcs(self.port, self.rpc_path or self.path)
        code = CODES[self._rpcs.call(ask.text, ask.body or b"", headers)]
        # what a client calls that is not there must not become a name
        name, method = ("grpc", "_OTHER") if code == "UNIMPLEMENTED" else (ask.text[1:],) * 2
        return Want(SERVER, name, {
            "rpc.system.name": "grpc", "rpc.method": method,
            "rpc.response.status_code": code}, ask.below,
            ERROR if code in SERVER_ERRORS else UNSET)

    def close(self):
        for connection in (self._http, self._rpcs):
            if connection:
                connection.close()
