# SPDX-License-Identifier: Apache-2.0
"""echo v4 and v5: the route that c.Path() says, when the request's method was found there."""
import pytest

from .conftest import Build

V4, V5 = "github.com/labstack/echo/v4", "github.com/labstack/echo/v5"
BUILDS_4 = [Build("echo4", V4, *rest) for rest in (
    ("4.0.0", "1.19.13"), ("4.0.0", "1.24.9", "pie stripped"), ("4.5.0", "1.19.13"),
    ("4.9.1", "1.19.13", "-N -l"), ("4.9.1", "1.24.9"), ("4.16.0", "1.27.1"),
    ("4.16.0", "1.27.1", "pie stripped"), ("4.16.0", "1.27.1", "-N -l"))]
BUILDS_5 = [Build("echo5", V5, *rest) for rest in (
    ("5.0.0", "1.25.7"), ("5.3.1", "1.26.8"), ("5.4.4", "1.27.1"),
    ("5.4.4", "1.27.1", "pie stripped"), ("5.4.4", "1.27.1", "-N -l"))]
NEWEST_4, NEWEST_5 = BUILDS_4[5], BUILDS_5[2]

REQUESTS = [
    ("GET", "/", 200, "/"),
    ("GET", "/static", 200, "/static"),
    ("GET", "/static?a=/user/:id", 200, "/static"),
    ("GET", "/user/42", 200, "/user/:id"),
    ("HEAD", "/user/42", 200, "/user/:id"),
    ("POST", "/user/42/post/7", 200, "/user/:id/post/:post"),
    ("GET", "/files/a/b/c", 200, "/files/*"),
    ("GET", "/with%20space/1", 200, "/with space/:id"),
    ("GET", "/api/v1/item/5", 200, "/api/v1/item/:id"),
    ("PATCH", "/api/v1/deep/leaf/5", 200, "/api/v1/deep/leaf/:id"),
    ("GET", "/blocked/1", 403, "/blocked/:id"),
    ("GET", "/missing/1", 404, "/missing/:id"),
    ("GET", "/nowhere", 404, None),
    ("GET", "/static/", 404, None),
    ("POST", "/static", 405, None),
    ("DELETE", "/user/42", 405, None),
]


@pytest.mark.parametrize("of", BUILDS_4 + BUILDS_5, ids=str)
def test_routes(routes_of, of):
    routes_of(of, REQUESTS)


@pytest.mark.parametrize("of", [BUILDS_4[0], BUILDS_4[3], NEWEST_4, NEWEST_5], ids=str)
def test_with_middleware_before_the_router(routes_of, of):
    routes_of(of, [*REQUESTS, ("GET", "/user/pre", 403, None)], "-pre")


@pytest.mark.parametrize("of", [NEWEST_4, NEWEST_5], ids=str)
def test_options_are_answered_without_a_route(routes_of, of):
    routes_of(of, [("OPTIONS", "/user/42", 204, None)])


def test_handler_of_what_was_not_found(routes_of):
    routes_of(NEWEST_5, [("GET", "/custom404/1", 200, None)])


@pytest.mark.parametrize("of", [NEWEST_4, NEWEST_5], ids=str)
def test_behind_a_serve_mux(routes_of, of):
    routes_of(of, [("GET", "/user/42", 200, "/user/:id"), ("GET", "/nowhere", 404, "/"),
                   ("POST", "/static", 405, "/")], "-mux")


@pytest.mark.parametrize("of", [NEWEST_4, NEWEST_5], ids=str)
def test_behind_strip_prefix(routes_of, of):
    routes_of(of, [("GET", "/pre/user/42", 200, "/pre/user/:id")], "-strip", "/pre")


def test_under_timeout_handler(routes_of):
    routes_of(NEWEST_5, [("GET", "/user/42", 200, "/user/:id")], "-timeout")
    # v4's search is told from others by its goroutine: no route rather than a wrong one
    routes_of(NEWEST_4, [("GET", "/user/42", 200, None)], "-timeout")


@pytest.mark.parametrize("of", [BUILDS_4[2], NEWEST_4, NEWEST_5], ids=str)
def test_200_at_once(each_has_its_own, of):
    each_has_its_own(of, "/api/v1/item/{id}", "/api/v1/item/:id")
