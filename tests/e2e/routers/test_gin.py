# SPDX-License-Identifier: Apache-2.0
"""gin: the route that FullPath() says."""
import pytest

from .conftest import Build

GIN = "github.com/gin-gonic/gin"
BUILDS = [Build("gin", GIN, *rest) for rest in (
    ("1.5.0", "1.19.13"), ("1.5.0", "1.19.13", "-N -l"), ("1.6.3", "1.27.1"), ("1.7.4", "1.21.13"),
    ("1.9.1", "1.24.9"), ("1.9.1", "1.24.9", "pie stripped"), ("1.12.0", "1.27.1"),
    ("1.12.0", "1.27.1", "pie stripped"), ("1.12.0", "1.27.1", "-N -l"))]
NEWEST = BUILDS[6]

REQUESTS = [
    ("GET", "/", 200, "/"),
    ("GET", "/static", 200, "/static"),
    ("GET", "/static?a=/user/:id", 200, "/static"),
    ("GET", "/user/42", 200, "/user/:id"),
    ("HEAD", "/user/42", 200, "/user/:id"),
    ("GET", "/user/a%2Fb", 404, None),
    ("POST", "/user/42/post/7", 200, "/user/:id/post/:post"),
    ("GET", "/files/a/b/c", 200, "/files/*path"),
    ("GET", "/with%20space/1", 200, "/with space/:id"),
    ("GET", "/api/v1/item/5", 200, "/api/v1/item/:id"),
    ("PATCH", "/api/v1/deep/leaf/5", 200, "/api/v1/deep/leaf/:id"),
    ("GET", "/blocked/1", 403, "/blocked/:id"),
    ("GET", "/again/1", 200, "/user/:id"),
    ("GET", "/panic/1", 500, "/panic/:id"),
    ("GET", "/nowhere", 404, None),
    ("GET", "/user", 404, None),
    ("GET", "/user/1/post", 404, None),
    ("GET", "/static/", 301, None),
    ("POST", "/static", 405, None),
    ("DELETE", "/user/42", 405, None),
    ("OPTIONS", "/user/42", 405, None),
]



@pytest.mark.parametrize("of", BUILDS, ids=str)
def test_routes(routes_of, of):
    routes_of(of, REQUESTS)


@pytest.mark.parametrize("of", [BUILDS[4], NEWEST], ids=str)
def test_behind_a_serve_mux(routes_of, of):
    """Its route wins over the mux's, which counts where gin has none."""
    routes_of(of, [("GET", "/user/42", 200, "/user/:id"), ("GET", "/nowhere", 404, "/"),
                   ("POST", "/static", 405, "/")], "-mux")


def test_behind_strip_prefix(routes_of):
    routes_of(NEWEST, [("GET", "/pre/user/42", 200, "/pre/user/:id")], "-strip", "/pre")


def test_under_timeout_handler(routes_of):
    routes_of(NEWEST, [("GET", "/user/42", 200, "/user/:id"),
                       ("GET", "/api/v1/item/4", 200, "/api/v1/item/:id")], "-timeout")


@pytest.mark.parametrize("of", [BUILDS[0], NEWEST], ids=str)
def test_200_at_once(each_has_its_own, of):
    each_has_its_own(of, "/api/v1/item/{id}", "/api/v1/item/:id")
