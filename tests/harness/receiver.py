#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
r"""A fake OTLP receiver on loopback, over HTTP or gRPC, that answers by script.

In Python:   with Receiver(answers=["503", "200"]) as c: ... c.endpoint ... c.requests ... c.spans()
As program:  receiver.py [--grpc] [--tls DIR] [--port N] [ANSWER...]

Each request gets the next ANSWER, the last one for ever; none given: success. As a program it
prints its endpoint, then a JSON object a request. A line on its standard input is a new script
(words separated by tabs, \n for a line end), acknowledged with a line "script"; it ends when its
standard input does.

  200, 404 ...      that HTTP status; over gRPC 0, 14 ...: that grpc-status
  STATUS;k=v;k=v    with these headers (HTTP) or trailers (gRPC)
  partial:N:TEXT    success, N spans rejected
  html              200 with a web page             http:STATUS  (gRPC) that HTTP status, no gRPC
  text:STATUS:TEXT  a text answer                   resource_exhausted:SECONDS  with RetryInfo
  garbage           bytes that are no HTTP          close  hangs up without an answer
  slow:SECONDS      success after a pause           large  200 and a body of 5 MiB
"""
import argparse
import base64
import gzip
import json
import os
import queue
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

# -- protobuf: enough to read what we sent and to write answers --


def varint(n):
    out = b""
    while n > 0x7F:
        out += bytes([n & 0x7F | 0x80])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    """An encoded field: bytes are length-delimited, integers varints."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def read_varint(data, at):
    n = shift = 0
    while True:
        byte = data[at]
        n |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return n, at


def fields(data):
    """Yields (number, value) of one message; raises on anything malformed."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        kind = tag & 7
        if kind == 0:
            value, at = read_varint(data, at)
        elif kind == 2:
            size, at = read_varint(data, at)
            value, at = data[at:at + size], at + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at:at + size], at + size
        else:
            raise ValueError(f"wire type {kind}")
        if at > len(data):
            raise ValueError("truncated")
        yield tag >> 3, value


def any_value(data):
    for number, value in fields(data):
        if number == 1:
            return value.decode()
        if number == 2:
            return bool(value)
        if number == 3:
            return value - (1 << 64) if value >> 63 else value
        if number == 4:
            return struct.unpack("<d", value)[0]
        if number == 5:
            return [any_value(v) for n, v in fields(value) if n == 1]
    return None


def attribute(data):
    pair = dict(fields(data))
    return pair[1].decode(), any_value(pair.get(2, b""))


def number_of(value):
    return int.from_bytes(value, "little") if isinstance(value, bytes) else value


def decode_event(data):
    event = {"name": "", "time": 0, "attributes": {}}
    for number, value in fields(data):
        if number == 1:
            event["time"] = number_of(value)
        elif number == 2:
            event["name"] = value.decode()
        elif number == 3:
            key, v = attribute(value)
            event["attributes"][key] = v
    return event


def decode_span(data):
    names = {1: "trace_id", 2: "span_id", 3: "trace_state", 4: "parent_span_id", 5: "name",
             6: "kind", 7: "start", 8: "end", 10: "dropped_attributes", 16: "flags"}
    span = {"trace_id": "", "span_id": "", "parent_span_id": "", "trace_state": "", "name": "",
            "kind": 0, "start": 0, "end": 0, "flags": 0, "attributes": {}, "events": [],
            "status": 0, "status_message": ""}
    for number, value in fields(data):
        if number in (1, 2, 4):
            span[names[number]] = value.hex()
        elif number in (3, 5):
            span[names[number]] = value.decode()
        elif number in names:
            span[names[number]] = number_of(value)
        elif number == 9:
            key, v = attribute(value)
            span["attributes"][key] = v
        elif number == 11:
            span["events"].append(decode_event(value))
        elif number == 15:
            status = dict(fields(value))
            span["status"] = status.get(3, 0)
            span["status_message"] = status.get(2, b"").decode()
    return span


def decode_traces(data):
    """Spans of a TracesData, each with its `resource`, `scope` and `schema_url`."""
    spans = []
    for _, resource_spans in fields(data):
        resource, scopes, url = {}, [], ""
        for number, value in fields(resource_spans):
            if number == 1:
                resource = dict(attribute(v) for n, v in fields(value) if n == 1)
            elif number == 2:
                scopes.append(value)
            elif number == 3:
                url = value.decode()
        for scope_spans in scopes:
            parts = list(fields(scope_spans))
            scope = dict(fields(next((v for n, v in parts if n == 1), b"")))
            for number, value in parts:
                if number == 2:
                    spans.append(decode_span(value) | {
                        "resource": resource, "schema_url": url,
                        "scope": scope.get(1, b"").decode(),
                        "scope_version": scope.get(2, b"").decode()})
    return spans


def partial_success(rejected, text):
    return field(1, field(1, rejected) + field(2, text.encode()))


# -- answers --


class Answer:
    """One word of the script, taken apart."""

    def __init__(self, word):
        word, *headers = word.split(";")
        self.headers = [tuple(h.split("=", 1)) for h in headers]
        self.kind, *self.args = word.split(":", 2)
        if self.kind.isdigit():
            self.kind, self.args = "status", [self.kind]

    def http(self):
        """(status, content type, body)"""
        if self.kind == "partial":
            body = partial_success(int(self.args[0]), self.args[1])
            return 200, "application/x-protobuf", body
        if self.kind == "html":
            return 200, "text/html; charset=utf-8", b"<html>hello</html>"
        if self.kind == "json":
            return 200, "application/json", ":".join(self.args).encode()
        if self.kind == "text":
            return int(self.args[0]), "text/plain; charset=utf-8", self.args[1].encode()
        if self.kind == "large":
            return 200, "application/x-protobuf", bytes(5 << 20)
        if self.kind == "status":
            status = int(self.args[0])
            text = b"" if status == 200 else field(2, b"status by script")
            return status, "application/x-protobuf", text
        return 200, "application/x-protobuf", b""

    def grpc(self):
        """(message or None, trailers)"""
        if self.kind == "partial":
            return partial_success(int(self.args[0]), self.args[1]), [("grpc-status", "0")]
        if self.kind == "resource_exhausted":
            delay = float(self.args[0])
            info = field(1, field(1, int(delay)) + field(2, int(delay % 1 * 1e9)))
            detail = field(1, b"type.googleapis.com/google.rpc.RetryInfo") + field(2, info)
            status = field(1, 8) + field(3, detail)
            return None, [("grpc-status", "8"),
                          ("grpc-status-details-bin", base64.b64encode(status).decode())]
        if self.kind == "status" and self.args[0] != "0":
            return None, [("grpc-status", self.args[0]), ("grpc-message", "by%20script")]
        if self.kind == "large":
            return bytes(5 << 20), [("grpc-status", "0")]
        return b"", [("grpc-status", "0")]


# -- servers --


class HangUp(Exception):
    pass


def hang_up(conn):
    """Ends the connection even if a file made of it still refers to it."""
    try:
        conn.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def http_request(stream):
    """Reads one HTTP/1.1 request: (path, headers, body), or None at the end of the connection."""
    line = stream.readline(65536)
    if not line:
        return None
    parts = line.split()
    if len(parts) != 3 or not parts[2].startswith(b"HTTP/1."):
        return ("", {}, b"")
    headers = {}
    while (line := stream.readline(65536)) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return parts[1].decode(), headers, body


class Receiver:
    """Serves on loopback from construction (or `with`) until close()."""

    def __init__(self, answers=(), grpc=False, tls=None, port=0, on_request=None):
        self.answers = list(answers) or ["0" if grpc else "200"]
        self.grpc = grpc
        self.requests = []  # {"path", "headers", "spans": [...], "connection", "time"}
        self.errors = []    # what was malformed in requests
        self.on_request = on_request
        self.lock = threading.Lock()
        self.connection_cnt = 0
        self.sockets = set()
        self.context = self._tls_context(tls) if tls else None
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        scheme = "https" if tls else "http"
        host = "localhost" if tls else "127.0.0.1"
        self.base = f"{scheme}://{host}:{self.port}"
        self.endpoint = self.base if grpc else self.base + "/v1/traces"
        threading.Thread(target=self._accept, daemon=True).start()

    def _tls_context(self, directory):
        """Makes a CA, a server and a client certificate in DIRECTORY; clients must show theirs."""
        make_certificates(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{directory}/server.pem", f"{directory}/server.key")
        context.load_verify_locations(f"{directory}/ca.pem")
        context.verify_mode = ssl.CERT_REQUIRED
        context.set_alpn_protocols(["h2"] if self.grpc else ["http/1.1"])
        return context

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops listening and cuts all connections."""
        hang_up(self.listener)  # wakes the thread in accept(), which would keep the port open
        self.listener.close()
        for s in list(self.sockets):
            hang_up(s)

    def spans(self):
        """All spans of requests that were answered with success."""
        with self.lock:
            return [s for r in self.requests if r["taken"] for s in r["spans"]]

    def wait_for_spans(self, cnt, timeout=10):
        """Waits until there are CNT spans (or the time is up) and returns what there is."""
        end = time.monotonic() + timeout
        while time.monotonic() < end and len(self.spans()) < cnt:
            time.sleep(0.01)
        return self.spans()

    def _accept(self):
        while True:
            try:
                conn, _ = self.listener.accept()
            except OSError:
                return
            conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connection_cnt += 1
            threading.Thread(target=self._serve, args=(conn, self.connection_cnt),
                             daemon=True).start()

    def _serve(self, conn, number):
        self.sockets.add(conn)
        try:
            if self.context:
                plain, conn = conn, self.context.wrap_socket(conn, server_side=True)
                self.sockets.discard(plain)
                self.sockets.add(conn)
            (self._serve_grpc if self.grpc else self._serve_http)(conn, number)
        except (OSError, HangUp):
            pass
        except Exception as e:
            self.errors.append(repr(e))
        finally:
            self.sockets.discard(conn)
            hang_up(conn)
            conn.close()

    def _next_answer(self):
        with self.lock:
            word = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return Answer(word)

    def _record(self, answer, path, headers, body, number):
        taken = answer.kind in ("partial", "slow", "json") or answer.args[:1] in (["200"], ["0"])
        request = {"path": path, "headers": headers, "connection": number, "bytes": len(body),
                   "taken": taken, "time": time.monotonic(), "spans": []}
        try:
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            if headers.get("content-type") == "application/json":
                request["json"] = json.loads(body)
            else:
                request["spans"] = decode_traces(body)
        except Exception as e:  # whatever it is, the test must see it
            self.errors.append(repr(e))
            request["error"] = repr(e)
        with self.lock:
            self.requests.append(request)
        if self.on_request:
            self.on_request(request)

    def _odd(self, answer, conn):
        """Answers that both protocols give in the same way."""
        if answer.kind == "slow":
            time.sleep(float(answer.args[0]))
        elif answer.kind == "close":
            raise HangUp
        elif answer.kind == "garbage":
            conn.sendall(b"220 mail.example.com ESMTP ready\r\n")
            raise HangUp

    def _serve_http(self, conn, number):
        stream = conn.makefile("rb")
        while (request := http_request(stream)) is not None:
            path, headers, body = request
            if not path:  # as net/http of Go does with an HTTP/2 preface
                conn.sendall(b"HTTP/1.1 505 HTTP Version Not Supported\r\n"
                             b"Content-Length: 0\r\nConnection: close\r\n\r\n")
                return
            answer = self._next_answer()
            self._record(answer, path, headers, body, number)
            self._odd(answer, conn)
            status, kind, body = answer.http()
            lines = [f"HTTP/1.1 {status} By-Script", f"Content-Type: {kind}",
                     f"Content-Length: {len(body)}"]
            lines += [f"{name}: {value}" for name, value in answer.headers]
            conn.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def _serve_grpc(self, conn, number):
        import h2.config
        import h2.connection
        import h2.events

        h2c = h2.connection.H2Connection(
            config=h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        h2c.initiate_connection()
        conn.sendall(h2c.data_to_send())
        streams = {}
        while data := conn.recv(65536):
            try:
                events = h2c.receive_data(data)
            except h2.exceptions.ProtocolError:
                conn.sendall(h2c.data_to_send())
                return
            for event in events:
                if isinstance(event, h2.events.RequestReceived):
                    streams[event.stream_id] = (dict(event.headers), bytearray())
                elif isinstance(event, h2.events.DataReceived):
                    streams[event.stream_id][1].extend(event.data)
                    h2c.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self._answer_grpc(conn, h2c, event.stream_id, *streams.pop(event.stream_id),
                                      number)
            conn.sendall(h2c.data_to_send())

    def _answer_grpc(self, conn, h2c, stream_id, headers, body, number):
        answer = self._next_answer()
        compressed, size = struct.unpack(">BI", body[:5])
        body = bytes(body[5:])
        if size != len(body) or compressed != (headers.get("grpc-encoding") == "gzip"):
            self.errors.append(f"frame says {size}, {compressed}; has {len(body)}")
        if compressed:
            body = gzip.decompress(body)
        self._record(answer, headers[":path"], headers, body, number)
        self._odd(answer, conn)
        if answer.kind == "slow":  # it may have been given up meanwhile
            h2c.receive_data(b"")
            raise HangUp
        if answer.kind == "http":
            h2c.send_headers(stream_id, [(":status", answer.args[0])], end_stream=True)
            return
        message, trailers = answer.grpc()
        start = [(":status", "200"), ("content-type", "application/grpc")]
        if message is None:  # trailers only
            h2c.send_headers(stream_id, start + trailers + answer.headers, end_stream=True)
            return
        h2c.send_headers(stream_id, start)
        self._send_data(conn, h2c, stream_id, struct.pack(">BI", 0, len(message)) + message)
        h2c.send_headers(stream_id, trailers + answer.headers, end_stream=True)

    def _send_data(self, conn, h2c, stream_id, data):
        """Within the flow-control window as it is: larger data is cut there."""
        data = data[:h2c.local_flow_control_window(stream_id)]
        while data:
            h2c.send_data(stream_id, data[:16384])
            data = data[16384:]


def make_certificates(directory):
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=directory, check=True, capture_output=True)

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test CA",
            "-days", "2")
    for name in ("server", "client"):
        openssl("req", "-x509", *new_key, "-keyout", f"{name}.key", "-out", f"{name}.pem",
                "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost",
                "-addext", "basicConstraints=critical,CA:FALSE",
                "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "2")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grpc", action="store_true")
    parser.add_argument("--tls", metavar="DIR")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("answers", nargs="*")
    args = parser.parse_args()

    # through a queue: answers must not wait for a reader of our output
    lines = queue.SimpleQueue()

    def write():
        try:
            while True:
                print(lines.get(), flush=True)
        except BrokenPipeError:
            os._exit(0)

    def show(request):
        lines.put(json.dumps(request))

    threading.Thread(target=write, daemon=True).start()
    with Receiver(args.answers, args.grpc, args.tls, args.port, show) as receiver:
        lines.put(receiver.endpoint)
        for line in sys.stdin:
            receiver.answers = line.rstrip("\n").replace("\\n", "\n").split("\t")
            lines.put("script")


if __name__ == "__main__":
    main()
