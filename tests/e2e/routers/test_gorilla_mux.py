# SPDX-License-Identifier: Apache-2.0
"""gorilla/mux: the path template of the route that matched."""
import pytest

from .conftest import Build

MUX = "github.com/gorilla/mux"
BUILDS = [Build("gorilla", MUX, *rest) for rest in (
    ("1.4.0", "1.19.13"), ("1.4.0", "1.19.13", "-N -l"), ("1.6.2", "1.21.13"),
    ("1.7.4", "1.24.9"), ("1.7.4", "1.24.9", "pie stripped"), ("1.8.1", "1.27.1"),
    ("1.8.1", "1.27.1", "pie stripped"), ("1.8.1", "1.27.1", "-N -l"))]
OLDEST, NEWEST = BUILDS[0], BUILDS[5]

REQUESTS = [
    ("GET", "/", 200, "/"),
    ("GET", "/static", 200, "/static"),
    ("GET", "/static?a=/user/{id}", 200, "/static"),
    ("GET", "/user/42", 200, "/user/{id}"),
    ("HEAD", "/user/42", 200, "/user/{id}"),
    ("POST", "/user/42/post/7", 200, "/user/{id}/post/{post:[0-9]+}"),
    ("GET", "/files/a/b/c", 200, "/files/"),
    ("GET", "/with%20space/1", 200, "/with space/{id}"),
    ("GET", "/anything hosted.test", 200, None),
    ("GET", "/api/v1/item/5", 200, "/api/v1/item/{id}"),
    ("PATCH", "/api/v1/deep/leaf/5", 200, "/api/v1/deep/leaf/{id}"),
    ("GET", "/strict/with/", 200, "/strict/with/"),
    ("GET", "/strict/with", 301, None),
    ("GET", "/strict/without", 200, "/strict/without"),
    ("GET", "/strict/without/", 301, None),
    ("GET", "/blocked/1", 403, "/blocked/{id}"),
    ("GET", "/nested/leaf/5", 200, "/nested/leaf/{id}"),
    ("GET", "/a//b", 301, None),
]
UNMATCHED = ["/nowhere", "/user/42/post/x", "/api/v1/nowhere"]


@pytest.mark.parametrize("of", BUILDS, ids=str)
def test_routes(routes_of, of):
    wrong_method = 404 if of.version < "1.6" else 405
    routes_of(of, [*REQUESTS, *[("GET", path, 404, None) for path in UNMATCHED],
                   ("DELETE", "/user/42", wrong_method, None),
                   ("POST", "/api/v1/item/5", 404 if of.version == "1.8.1" else wrong_method, None)])


@pytest.mark.parametrize("of", [OLDEST, BUILDS[3], NEWEST], ids=str)
def test_handlers_for_what_was_not_found_are_no_routes(routes_of, of):
    routes_of(of, [("GET", path, 200, None) for path in UNMATCHED] + REQUESTS, "-custom")


def test_behind_a_serve_mux(routes_of):
    routes_of(NEWEST, [("GET", "/user/42", 200, "/user/{id}"), ("GET", "/nowhere", 404, "/")],
              "-mux")


def test_behind_strip_prefix(routes_of):
    routes_of(NEWEST, [("GET", "/pre/user/42", 200, "/pre/user/{id}")], "-strip", "/pre")


def test_under_timeout_handler(routes_of):
    routes_of(NEWEST, [("GET", "/user/42", 200, "/user/{id}")], "-timeout")


@pytest.mark.parametrize("of", [OLDEST, NEWEST], ids=str)
def test_200_at_once(each_has_its_own, of):
    each_has_its_own(of, "/api/v1/item/{id}", "/api/v1/item/{id}")
