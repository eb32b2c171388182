# SPDX-License-Identifier: Apache-2.0
"""Span name and http.route: what ServeMux matched, never a guess."""
import pytest

from harness.client import get

ROUTES = [
    # method, target, host, route
    ("GET", "/item/42", None, "/item/{id}"),
    ("HEAD", "/item/42", None, "/item/{id}"),
    ("GET", "/item/42?a=/b/{c}", None, "/item/{id}"),
    ("GET", "/item/a%2Fb", None, "/item/{id}"),
    ("POST", "/order/7", None, "/order/{id}"),
    ("GET", "/files/a/b/c", None, "/files/{path...}"),
    ("GET", "/exact", None, "/exact"),
    ("GET", "/", None, "/{$}"),
    ("GET", "/hosted/9", "example.test", "/hosted/{id}"),
    ("GET", "/api/user/5", None, "/api/user/{id}"),
    ("GET", "/api/deep/leaf/3", None, "/api/deep/leaf/{id}"),
    ("GET", "/nested/8", None, "/nested/{id}"),
    ("GET", "/api/unknown", None, "/api/"),
    ("GET", "/timeout/1?ms=1", None, "/timeout/{id}"),
    ("GET", "/batch", None, "/batch"),
    ("GET", "/no/such/path", None, None),
]


def check(span, method, route):
    assert span["http.route"] == route
    assert span.name == (f"{method} {route}" if route else method)
    assert span["http.request.method"] == method


@pytest.mark.parametrize("version", ["1.22.12", "1.24.9", "1.27.1"])
def test_route_is_the_innermost_match(spans_of, version):
    def send(server):
        for method, target, host, _ in ROUTES:
            get(server.http, target, method=method, host=host or "127.0.0.1")
    spans = sorted(spans_of(send, count=len(ROUTES), version=version), key=lambda s: s.start_ns)
    for span, (method, target, _, route) in zip(spans, ROUTES):
        assert span["url.path"] == target.partition("?")[0]
        check(span, method, route)


@pytest.mark.parametrize("bare", [True, False])
def test_route_with_and_without_request_copies(span_of, bare):
    span = span_of(lambda s: get(s.http, "/item/1"), server_args=["-bare"] if bare else [])
    check(span, "GET", "/item/{id}")


def test_classic_patterns_are_routes_too(span_of):
    check(span_of(lambda s: get(s.http, "/item/1"), server_args=["-oldmux"]), "GET", "/item/")


def test_a_request_does_not_inherit_the_route_of_the_one_before(spans_of):
    def send(server):
        with_route = "GET /item/1 HTTP/1.1\r\nHost: a\r\n\r\n"
        without = "GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        from harness.client import exchange
        exchange(server.http, (with_route + without).encode())
    first, second = sorted(spans_of(send, count=2), key=lambda s: s.start_ns)
    check(first, "GET", "/item/{id}")
    check(second, "GET", None)


@pytest.mark.parametrize("version", ["1.19.13", "1.21.13"])
def test_old_go_has_no_route(span_of, version):
    check(span_of(lambda s: get(s.http, "/item/1"), version=version), "GET", None)


def test_no_route_with_httpmuxgo121(span_of):
    span = span_of(lambda s: get(s.http, "/item/1"), version="1.24.9",
                   server_env={"GODEBUG": "httpmuxgo121=1"})
    check(span, "GET", None)


def test_no_route_for_a_go119_module(span_of):
    span = span_of(lambda s: get(s.http, "/item/1"), version="1.24.9", language="1.19",
                   server_args=["-oldmux"])
    check(span, "GET", None)


def test_unknown_method(span_of):
    span = span_of(lambda s: get(s.http, "/exact", method="BREW"))
    assert span["http.request.method"] == "_OTHER"
    assert span["http.request.method_original"] == "BREW"
    assert span.name == "HTTP /exact"


def test_known_methods_can_be_set(spans_of):
    def send(server):
        get(server.http, "/exact", method="BREW")
        get(server.http, "/exact", method="POST")
    brew, post = sorted(spans_of(send, count=2, env={
        "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS": "GET,BREW"}), key=lambda s: s.start_ns)
    check(brew, "BREW", "/exact")
    assert post["http.request.method"] == "_OTHER"
    assert post["http.request.method_original"] == "POST"


def test_options_asterisk(span_of):
    span = span_of(lambda s: get(s.http, "*", method="OPTIONS"))
    assert span["http.request.method"] == "OPTIONS"
    assert span["http.route"] is None


def test_redirect_of_the_mux_itself(span_of):
    assert span_of(lambda s: get(s.http, "/files"))["http.response.status_code"] in (301, 307)
