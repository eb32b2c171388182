# SPDX-License-Identifier: Apache-2.0
"""chi v5: the route that RoutePattern() says, across mounted routers."""
import pytest

from .conftest import Build

CHI = "github.com/go-chi/chi/v5"
BUILDS = [Build("chi", CHI, *rest) for rest in (
    ("5.0.0", "1.19.13"), ("5.0.0", "1.19.13", "-N -l"), ("5.0.8", "1.19.13", "pie stripped"),
    ("5.1.0", "1.24.9"), ("5.5.0", "1.27.1"), ("5.5.0", "1.27.1", "pie stripped"),
    ("5.5.0", "1.27.1", "-N -l"))]
NEWEST = BUILDS[4]

REQUESTS = [
    ("GET", "/", 200, "/"),
    ("GET", "/static", 200, "/static"),
    ("GET", "/static?a=/user/{id}", 200, "/static"),
    ("GET", "/user/42", 200, "/user/{id}"),
    ("HEAD", "/user/42", 200, "/user/{id}"),
    ("POST", "/user/42/post/7", 200, "/user/{id}/post/{post:[0-9]+}"),
    ("POST", "/user/42/post/x", 404, None),
    ("GET", "/files/a/b/c", 200, "/files/*"),
    ("GET", "/with%20space/1", 200, "/with space/{id}"),
    ("GET", "/slash/", 200, "/slash"),
    ("GET", "/slash", 404, None),
    ("GET", "/api/v1", 200, "/api/v1"),
    ("GET", "/api/v1/", 200, "/api/v1"),
    ("GET", "/api/v1/item/5", 200, "/api/v1/item/{id}"),
    ("PATCH", "/api/v1/deep/leaf/5", 200, "/api/v1/deep/leaf/{id}"),
    ("GET", "/api/v1/nowhere", 404, None),
    ("POST", "/api/v1/item/5", 405, None),
    ("GET", "/mounted/acme/leaf/5", 200, "/mounted/{tenant}/leaf/{id}"),
    ("GET", "/mounted/acme/nowhere", 404, None),
    ("GET", "/foreign/a/b", 200, "/foreign/*"),
    ("GET", "/blocked/1", 403, "/blocked/{id}"),
    ("GET", "/guarded/1", 403, "/guarded/*"),  # answered before the inner router looked
    ("GET", "/own/user/5", 200, None),  # its own kind of context hides what chi knows
    ("GET", "/nowhere", 404, None),
    ("POST", "/static", 405, None),
    ("OPTIONS", "/static", 405, None),
]


@pytest.mark.parametrize("of", BUILDS, ids=str)
def test_routes(routes_of, of):
    routes_of(of, REQUESTS)


def test_behind_a_serve_mux(routes_of):
    routes_of(NEWEST, [("GET", "/user/42", 200, "/user/{id}"), ("GET", "/nowhere", 404, "/"),
                       ("GET", "/api/v1/item/5", 200, "/api/v1/item/{id}")], "-mux")


def test_behind_strip_prefix(routes_of):
    routes_of(NEWEST, [("GET", "/pre/api/v1/item/5", 200, "/pre/api/v1/item/{id}")],
              "-strip", "/pre")


def test_under_timeout_handler(routes_of):
    routes_of(NEWEST, [("GET", "/api/v1/item/5", 200, "/api/v1/item/{id}")], "-timeout")


@pytest.mark.parametrize("of", [BUILDS[0], NEWEST], ids=str)
def test_200_at_once(each_has_its_own, of):
    each_has_its_own(of, "/mounted/x/leaf/{id}", "/mounted/{tenant}/leaf/{id}")
