# SPDX-License-Identifier: Apache-2.0
"""HTTP/2: each stream is its own request with its own remote parent."""
import socket
import ssl

import h2.connection
import h2.events
import pytest

from harness import build, client, curl, expect
from harness.client import exchange

# What a client with prior knowledge sends first, with an empty SETTINGS frame.
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\x04" + bytes(5)


def load_and_match(start_server, trace, mode, version, build_mode="default", count=400):
    server = start_server(version=version, mode=build_mode)
    port = server.h2c if mode == "h2c" else server.https
    if port is None:
        pytest.skip("this Go has no h2c of its own")
    agent = trace(server)
    report = client.load(port, count, 4, mode=mode).check()
    agent.wait_spans(count)
    protocol = "1.1" if mode == "tls" else "2"
    expect.spans_match(agent.stop(), report.requests, build.has_patterns(version), port,
                       scheme="http" if mode == "h2c" else "https", protocol=protocol)


@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.26.8", "1.27.1"])
def test_over_tls(start_server, trace, version):
    load_and_match(start_server, trace, "h2", version)


@pytest.mark.parametrize("mode", ["-race", "-N -l", "pgo", "pie stripped"])
def test_over_tls_in_other_builds(start_server, trace, mode):
    load_and_match(start_server, trace, "h2", build.NEWEST, mode)


@pytest.mark.parametrize("version", ["1.24.9", "1.27.1"])
def test_without_tls(start_server, trace, version):
    load_and_match(start_server, trace, "h2c", version)


def streams_at_once(port, headers):
    """One connection, a stream for each of HEADERS, all of them begun before anything is read."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port), 10) as plain, \
            context.wrap_socket(plain) as s:
        connection = h2.connection.H2Connection()
        connection.initiate_connection()
        for fields in headers:
            connection.send_headers(connection.get_next_available_stream_id(), fields,
                                    end_stream=True)
        s.sendall(connection.data_to_send())
        left = len(headers)
        while left:
            events = connection.receive_data(s.recv(65536))
            left -= sum(isinstance(e, h2.events.StreamEnded) for e in events)
            s.sendall(connection.data_to_send())


@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.27.1"])
def test_20_streams_at_once(spans_of, version):
    def send(server):
        streams_at_once(server.https, [
            [(":method", "GET"), (":scheme", "https"), (":authority", "a"),
             (":path", f"/slow?ms=200&n={n}"), ("traceparent", f"00-{n:032x}-{n:016x}-01"),
             ("tracestate", f"n={n}")] for n in range(1, 21)])
    spans = spans_of(send, count=20, version=version)
    assert max(s.start_ns for s in spans) < min(s.end_ns for s in spans), "at once"
    assert sorted((s["url.query"], int(s.trace_id, 16), int(s.parent_id, 16), s.trace_state)
                  for s in spans) == sorted((f"ms=200&n={n}", n, n, f"n={n}") for n in range(1, 21))


def test_http1_over_tls(start_server, trace):
    load_and_match(start_server, trace, "tls", build.NEWEST)


def test_early_hints_and_superfluous(spans_of):
    def send(server):
        for path in ("/early", "/superfluous", "/nothing", "/recovered/string"):
            curl.get(f"https://127.0.0.1:{server.https}{path}", "--http2")
    spans = sorted(spans_of(send, count=4), key=lambda s: s.start_ns)
    assert [s["http.response.status_code"] for s in spans] == [201, 202, 200, 503]
    assert {s["network.protocol.version"] for s in spans} == {"2"}


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_panic(span_of, version):
    span = span_of(lambda s: curl.get(f"https://127.0.0.1:{s.https}/panic/index", "--http2"),
                   version=version)
    assert [e.attributes["exception.type"] for e in span.events] == ["runtime.boundsError"]
    assert span["error.type"] == "runtime.boundsError"


@pytest.mark.parametrize("version", ["1.24.9", "1.27.1"])
def test_preface_makes_no_span(start_server, trace, version):
    server = start_server(version=version)
    agent = trace(server)
    exchange(server.h2c, PREFACE, 1)
    assert agent.stop() == []


@pytest.fixture
def xnet(start_server):
    return start_server(name="httph2c")


def test_xnet_h2c_with_prior_knowledge(xnet, trace):
    agent = trace(xnet)
    report = client.load(xnet.h2c, 200, 4, mode="h2c").check()
    agent.wait_spans(200)
    requests = [{**r, "route": "/"} for r in report.requests]
    expect.spans_match(agent.stop(), requests, True, xnet.h2c, protocol="2")


def test_xnet_h2c_preface_makes_no_span(xnet, trace):
    agent = trace(xnet)
    exchange(xnet.h2c, PREFACE, 1)
    assert agent.stop() == []


def test_xnet_h2c_upgrade_makes_one_span(xnet, trace):
    agent = trace(xnet)
    status, _ = curl.get(f"http://127.0.0.1:{xnet.h2c}/item/1", "--http2")
    assert status == 200
    agent.wait_spans(1)
    span, = agent.stop()
    assert span["url.path"] == "/item/1"
    assert span["http.response.status_code"] == 200
