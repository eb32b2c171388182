# SPDX-License-Identifier: Apache-2.0
"""fiber v2: the route of the handler, not of middleware."""
import pytest

from .conftest import Build

FIBER = "github.com/gofiber/fiber/v2"
BUILDS = [Build("fiber", FIBER, *rest) for rest in (
    ("2.0.0", "1.19.13"), ("2.1.0", "1.19.13", "-N -l"), ("2.26.0", "1.24.9"),
    ("2.26.0", "1.24.9", "pie stripped"), ("2.52.15", "1.27.1"),
    ("2.52.15", "1.27.1", "pie stripped"), ("2.52.15", "1.27.1", "-N -l"))]
OLDEST, NEWEST = BUILDS[0], BUILDS[4]

REQUESTS = [
    ("GET", "/", 200, "/"),
    ("GET", "/static", 200, "/static"),
    ("GET", "/static/", 200, "/static"),
    ("GET", "/static?a=/user/:id", 200, "/static"),
    ("GET", "/user/42", 200, "/user/:id"),
    ("HEAD", "/user/42", 200, "/user/:id"),
    ("POST", "/user/42/post/7", 200, "/user/:id/post/:post"),
    ("GET", "/files/a/b/c", 200, "/files/*"),
    ("GET", "/api/v1/item/5", 200, "/api/v1/item/:id"),
    ("PATCH", "/api/v1/deep/leaf/5", 200, "/api/v1/deep/leaf/:id"),
    ("GET", "/optional", 200, "/optional/:id?"),
    ("GET", "/pass/1", 200, "/pass/*"),
    ("GET", "/blocked/1", 403, "/blocked/:id"),
    ("GET", "/guarded/1", 403, None),
    ("GET", "/panic/1", 500, "/panic/:id"),
    ("GET", "/missing/1", 404, "/missing/:id"),
    ("GET", "/nowhere", 404, None),
    ("GET", "/api/v1/nowhere", 404, None),
    ("POST", "/static", 405, None),
]


@pytest.mark.parametrize("of", BUILDS, ids=str)
def test_routes(routes_of, of):
    routes_of(of, REQUESTS)


@pytest.mark.parametrize("of", BUILDS[2:], ids=str)
def test_mounted_app(routes_of, of):
    routes_of(of, [("GET", "/mounted/leaf/5", 200, "/mounted/leaf/:id"),
                   ("GET", "/mounted/nowhere", 404, None)])


@pytest.mark.parametrize("of", [OLDEST, NEWEST], ids=str)
def test_200_at_once(each_has_its_own, of):
    each_has_its_own(of, "/api/v1/item/{id}", "/api/v1/item/:id")
