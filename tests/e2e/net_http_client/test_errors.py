# SPDX-License-Identifier: Apache-2.0
"""Requests without an answer: error.type, and the words of the program's own err.Error()."""
import contextlib
import socket
import struct
import threading

import pytest

VERSIONS = ["1.19.13", "1.22.12", "1.24.9", "1.27.1"]
RESET = struct.pack("ii", 1, 0)


@contextlib.contextmanager
def misbehaving(answer, reset=False):
    """A server that reads what comes first and sends ANSWER; None: it keeps silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept = []

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(65536)
                if answer is None:
                    kept.append(connection)
                    continue
                connection.sendall(answer)
                if reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                connection.close()
        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        for connection in kept:
            connection.close()


def check(both, outcome, error_type):
    span = both.client_span()
    assert outcome["error"] and span.message == outcome["error"]
    assert span.status == 2 and span["error.type"] == error_type
    assert span["http.response.status_code"] is None
    return span


@pytest.mark.parametrize("version", VERSIONS)
def test_connection_refused(calls, version):
    both = calls(version=version)
    outcome = both.call("http://127.0.0.1:1/")
    assert outcome["error"] == "dial tcp 127.0.0.1:1: connect: connection refused"
    check(both, outcome, "*net.OpError")


def test_connection_refused_ipv6(calls):
    both = calls()
    check(both, both.call("http://[::1]:1/"), "*net.OpError")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_error_that_is_embedded_in_one_of_the_program(calls, version):
    both = calls(version=version)
    outcome = both.call("http://127.0.0.1:1/", via="wrapping")
    assert outcome["error"] == "dial tcp 127.0.0.1:1: connect: connection refused"
    check(both, outcome, "*net.OpError")


@pytest.mark.parametrize("version", VERSIONS)
def test_no_such_host(calls, version):
    both = calls(version=version)
    check(both, both.call("http://nowhere.invalid/", timeout=4000), "*net.DNSError")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("via", ["plain", "h2", "xnet"])
def test_deadline(calls, version, via):
    both = calls(version=version)
    to = both.to if via == "plain" else both.tls
    outcome = both.call(f"{to}/slow/2000", via=via, timeout=60)
    assert outcome["error"] == "context deadline exceeded"
    span = check(both, outcome, "context.DeadlineExceeded")
    assert 50 < span.duration_ms < 1000


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("via", ["plain", "h2", "xnet"])
def test_cancelled_by_the_caller(calls, version, via):
    both = calls(version=version)
    to = both.to if via == "plain" else both.tls
    outcome = both.call(f"{to}/slow/2000", via=via, cancel=60)
    assert outcome["error"] == "context canceled"
    span = both.client_span()
    assert (span.status, span.message, span["error.type"]) == (0, "", None), "given up on purpose"
    assert span["http.response.status_code"] is None


@pytest.mark.parametrize("version", ["1.22.12", "1.27.1"])
@pytest.mark.parametrize("via", ["plain", "h2"])
def test_cancelled_with_a_cause(calls, version, via):
    """As by an errgroup, when a sibling fails: from Go 1.23 the transport returns the cause itself."""
    both = calls(version=version)
    both.call(f"{both.to if via == 'plain' else both.tls}/slow/2000", via=via, cause=60)
    span = both.client_span()
    assert (span.status, span.message, span["error.type"]) == (0, "", None), "given up on purpose"


@pytest.mark.parametrize("version", ["1.22.12", "1.27.1"])
def test_deadline_with_a_cause(calls, version):
    both = calls(version=version)
    both.call(f"{both.to}/slow/2000", late=60)
    span = both.client_span()
    assert span.status == 2 and span["error.type"] and span.message


def test_cancel_is_no_error_of_the_server(calls):
    """The other side of it: the traced process is the one whose client goes away."""
    both = calls()
    with socket.create_connection(("127.0.0.1", both.front.http)) as s:
        s.sendall(f"GET /call?url={both.to}/slow/2000 HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        threading.Event().wait(0.1)
    server, client = sorted(both.spans(2), key=lambda s: s.kind)
    assert (server.status, server["error.type"]) == (0, None)
    assert (client.status, client["error.type"]) == (0, None)


@pytest.mark.parametrize("version", VERSIONS)
def test_timeout_of_http_client(calls, version):
    """http.Client adds words of its own to what the transport returned."""
    both = calls(version=version)
    outcome = both.call(f"{both.to}/slow/2000", client=60)
    span = both.client_span()
    assert span.status == 2 and span["error.type"]
    assert outcome["error"].startswith(span.message), (outcome["error"], span.message)
    assert "deadline" in span.message or "canceled" in span.message


@pytest.mark.parametrize("version", VERSIONS)
def test_answer_does_not_come(calls, version):
    both = calls(version=version)
    outcome = both.call(f"{both.to}/slow/2000", via="impatient")
    assert outcome["error"] == "net/http: timeout awaiting response headers"
    span = both.client_span()
    assert span.message == outcome["error"] and "Error" in span["error.type"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("answer, reset", [
    (b"", False), (b"", True), (b"nonsense\r\n\r\n", False), (b"HTTP/1.1 2OO OK\r\n\r\n", False),
    (b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n", False)])
def test_no_answer_that_is_one(calls, version, answer, reset):
    both = calls(version=version)
    with misbehaving(answer, reset) as port:
        outcome = both.call(f"http://127.0.0.1:{port}/")
    span = both.client_span()
    assert span.message == outcome["error"]
    assert span.status == 2 and span["error.type"]


@pytest.mark.parametrize("version", VERSIONS)
def test_certificate_by_nobody_known(calls, version):
    both = calls(version=version)
    check(both, both.call(f"{both.tls}/ok/1", via="verifying"), "crypto/x509.UnknownAuthorityError")


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_handshake_that_does_not_end(calls, version):
    both = calls(version=version)
    with misbehaving(None) as port:
        outcome = both.call(f"https://127.0.0.1:{port}/", via="handshake")
        check(both, outcome, "net/http.tlsHandshakeTimeoutError")


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
@pytest.mark.parametrize("alert", [40, 70, 112, 200])
def test_tls_alert(calls, version, alert):
    both = calls(version=version)
    with misbehaving(bytes([21, 3, 1, 0, 2, 2, alert])) as port:
        outcome = both.call(f"https://127.0.0.1:{port}/", via="verifying")
    check(both, outcome, "crypto/tls.alert")


@pytest.mark.parametrize("version", ["1.19.13", "1.27.1"])
def test_http_where_tls_is_expected(calls, version):
    both = calls(version=version)
    outcome = both.call(f"https://127.0.0.1:{both.back.http}/", via="verifying")
    check(both, outcome, "crypto/tls.RecordHeaderError")


@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.27.1"])
@pytest.mark.parametrize("via", ["h2", "xnet"])
def test_http2_stream_is_reset(calls, version, via):
    both = calls(version=version)
    outcome = both.call(f"{both.tls}/abort/1", via=via)
    span = both.client_span()
    assert span.message == outcome["error"]
    assert span["error.type"].rsplit(".", 1)[1] in ("StreamError", "http2StreamError")


@pytest.mark.parametrize("version, mode, xnet", [
    ("1.24.9", "default", "0.38.0"), ("1.26.8", "default", "0.62.0"), ("1.27.1", "default", "0.38.0"),
    ("1.27.1", "-N -l", "0.27.0")])
def test_failures_that_xnet_compares_first(calls, version, mode, xnet):
    """From v0.34 on it asks whether the error is one that it knows before it asks whether there is any."""
    both = calls(version=version, mode=mode, modules=(("golang.org/x/net", xnet),))
    late = both.call(f"{both.tls}/slow/2000", via="xnet", timeout=60)
    reset = both.call(f"{both.tls}/abort/1", via="xnet")
    answered = both.call(f"{both.tls}/ok/1", via="xnet")
    spans = [s for s in both.spans(6) if s.kind == 3]
    assert [s.message for s in spans] == [late["error"], reset["error"], answered["error"]]
    assert "deadline exceeded" in late["error"] and "stream error" in reset["error"]
    assert [(s.status, s["error.type"], s["http.response.status_code"]) for s in spans] == [
        (2, "context.DeadlineExceeded", None), (2, "golang.org/x/net/http2.StreamError", None),
        (0, None, 200)]
    assert both.agent.done.unfinished == 0


def test_missing_unix_socket(calls, tmp_path):
    both = calls()
    outcome = both.call("http://unix.example/", via="unix", socket=str(tmp_path / "none"))
    check(both, outcome, "*net.OpError")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http:///nowhere"])
def test_refused_by_the_transport(calls, url):
    both = calls()
    outcome = both.call(url)
    span = both.client_span()
    assert span.message == outcome["error"] and span.status == 2
