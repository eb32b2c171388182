# SPDX-License-Identifier: Apache-2.0
"""httprouter: the route put together again, as its tree does not keep it."""
import pytest

from .conftest import Build

HTTPROUTER = "github.com/julienschmidt/httprouter"
LATER = "1.3.1-0.20240130105656-484018016424"
BUILDS = [Build("httprouter", HTTPROUTER, *rest) for rest in (
    ("1.2.0", "1.19.13"), ("1.2.0", "1.19.13", "-N -l"), ("1.3.0", "1.24.9"),
    ("1.3.0", "1.24.9", "pie stripped"), ("1.3.0", "1.27.1"), ("1.3.0", "1.27.1", "-N -l"),
    (LATER, "1.27.1"), (LATER, "1.27.1", "pie stripped"))]
OLDEST, NEWEST = BUILDS[0], BUILDS[4]

REQUESTS = [
    ("GET", "/", 200, "/"),
    ("GET", "/static", 200, "/static"),
    ("GET", "/static?a=/user/:id", 200, "/static"),
    ("GET", "/stats/:kind", 200, "/stats/:kind"),
    ("GET", "/user/42", 200, "/user/:id"),
    ("HEAD", "/user/42", 200, "/user/:id"),
    ("GET", "/user/a%20b", 200, "/user/:id"),
    ("POST", "/user/42/post/7", 200, "/user/:id/post/:post"),
    ("GET", "/user/post/post/post", 200, "/user/:id/post/:post"),
    ("GET", "/files/a/b/c", 200, "/files/*path"),
    ("GET", "/files/", 200, "/files/*path"),
    ("GET", "/with%20space/1", 200, "/with space/:id"),
    ("GET", "/api/v1/item/5", 200, "/api/v1/item/:id"),
    ("GET", "/slash/", 200, "/slash/"),
    ("GET", "/slash", 301, None),
    ("GET", "/static/", 301, None),
    ("GET", "/blocked/1", 403, "/blocked/:id"),
    ("GET", "/STATIC", 301, None),
    ("GET", "/nowhere", 404, None),
    ("GET", "/user/1/post", 404, None),
    ("POST", "/static", 405, None),
    ("OPTIONS", "/static", 200, None),
]


@pytest.mark.parametrize("of", BUILDS, ids=str)
def test_routes(routes_of, of):
    routes_of(of, REQUESTS)


def test_behind_a_serve_mux(routes_of):
    routes_of(NEWEST, [("GET", "/user/42", 200, "/user/:id"), ("GET", "/nowhere", 404, "/")],
              "-mux")


def test_behind_strip_prefix(routes_of):
    routes_of(NEWEST, [("GET", "/pre/user/42", 200, "/pre/user/:id")], "-strip", "/pre")


def test_under_timeout_handler(routes_of):
    routes_of(NEWEST, [("GET", "/user/42", 200, "/user/:id")], "-timeout")


@pytest.mark.parametrize("of", [OLDEST, NEWEST], ids=str)
def test_200_at_once(each_has_its_own, of):
    each_has_its_own(of, "/user/{id}/post/7", "/user/:id/post/:post")
