# SPDX-License-Identifier: Apache-2.0
"""The rows of the second table: libraries, each in its oldest version that builds, one in the middle
and the newest, and the Go versions that it is built with, from the oldest that can to the newest.

What a Go version before the first of a row would say: that the library needs a newer one.
"""
import contextlib
import dataclasses
import re

from harness import build, database

from . import loads

MODES = ("default", "pie stripped")


@dataclasses.dataclass(frozen=True)
class Row:
    label: str
    program: str        # of harness/go
    check: object       # of loads.py: raises what is wrong with a Cell
    go: tuple           # versions
    modules: tuple = ()
    tags: tuple = ()

    def has(self, version):
        """Why there is no cell, None if there is one."""
        if version in self.go:
            return None
        between = build.minor(self.go[0]) < build.minor(version) < build.minor(self.go[-1])
        return "." if between or len(self.go) == 1 else "n/a"

    def build(self, version, mode):
        return build.build(self.program, version, mode, None, self.modules, self.tags)


class Databases:
    """Real ones, started when a cell wants one. with Databases() as databases: ..."""

    def __enter__(self):
        self.stack, self.ports = contextlib.ExitStack(), {}
        return self

    def __exit__(self, *failure):
        return self.stack.__exit__(*failure)

    def port(self, start):
        if start not in self.ports:
            self.ports[start] = self.stack.enter_context(start())
        return self.ports[start]


def _postgresql(cell):
    port = cell.databases.port(database.postgresql)
    return f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable", port


def _mariadb(cell):
    port = cell.databases.port(database.mariadb)
    return f"root@tcp(127.0.0.1:{port})/shop", port


def _file(cell):
    return f"{cell.folder}/test.db?_pragma=busy_timeout(10000)", None


def _go(*minors):
    """The versions 1.MINOR that the tests have."""
    by_minor = {build.minor(version)[1]: version for version in build.VERSIONS}
    return tuple(by_minor[minor] for minor in minors)


def _short(version):
    """Of a version that nobody gave a name, no more than its date."""
    return re.sub(r"-(?:0\.)?(\d{8})\d{6}-[0-9a-f]{12}$", r"-\1", version)


def _router(tag, module, check, *versions):
    return [Row(f"{module.removeprefix('github.com/')} {_short(version)}", "routers", check, _go(*go),
                ((module, version),), (tag,)) for version, *go in versions]


def _driver(tag, module, check, *versions):
    return [Row(f"{module.removeprefix('github.com/')} {_short(version)}", "sqldriver", check, _go(*go),
                ((module, version),), (tag,)) for version, *go in versions]


STANDARD = [
    Row("net/http client", "httpclient", loads.http_calls(
        ("plain", "http", "1.1"), ("http1tls", "https", "1.1"), ("h2", "https", "2"),
        ("fresh", "http", "1.1")), tuple(build.VERSIONS)),
    Row("database/sql", "httpsql", loads.mixed_statements, tuple(build.VERSIONS)),
]

XNET_WAYS = (("xnet", "https", "2"), ("xnetplain", "h2c", "2"), ("xnetconf", "https", "2"))
XNET = [Row(f"x/net/http2 {_short(version)}", "httpclient", loads.http_calls(*XNET_WAYS), _go(*go),
            (("golang.org/x/net", version),))
        for version, *go in (("0.0.0-20180906233101-161cd47e91fd", 19, 27),
                             ("0.0.0-20211015210444-4f30a5c0130f", 19, 27),
                             ("0.27.0", 19, 24, 27), ("0.62.0", 26, 27))]

GRPC = [Row(f"grpc {version}", "grpcapp", loads.grpc_calls, _go(*go),
            (("google.golang.org/grpc", version),))
        for version, *go in (("1.40.0", 19, 24, 27), ("1.64.0", 19, 24, 27), ("1.77.0", 24, 27),
                             ("1.85.0", 26, 27))]

OTEL = [Row(f"opentelemetry.io/otel {version}", "otelapi", loads.spans_by_hand, _go(*go),
            tuple((path, version) for path in ("go.opentelemetry.io/otel",
                                               "go.opentelemetry.io/otel/trace")))
        for version, *go in (("1.0.1", 19, 27), ("1.16.0", 20, 24, 27), ("1.32.0", 22, 27),
                             ("1.47.0", 26, 27))]

COLON = loads.router(("/user/{id}", "/user/:id"), ("/api/v1/item/{id}", "/api/v1/item/:id"),
                     ("/files/{id}/b", "/files/*"), ("/static", "/static"))
NAMED = loads.router(("/user/{id}", "/user/:id"), ("/api/v1/item/{id}", "/api/v1/item/:id"),
                     ("/files/{id}/b", "/files/*path"), ("/static", "/static"))
BRACES = loads.router(("/user/{id}", "/user/{id}"), ("/api/v1/item/{id}", "/api/v1/item/{id}"),
                      ("/mounted/x/leaf/{id}", "/mounted/{tenant}/leaf/{id}"),
                      ("/files/{id}/b", "/files/*"))
PREFIX = loads.router(("/user/{id}", "/user/{id}"), ("/api/v1/item/{id}", "/api/v1/item/{id}"),
                      ("/nested/leaf/{id}", "/nested/leaf/{id}"), ("/files/{id}/b", "/files/"))
NO_ROUTES = loads.router(("/user/{id}", ""), ("/static", ""))

ROUTERS = [
    *_router("gin", "github.com/gin-gonic/gin", NAMED,
             ("1.5.0", 19, 27), ("1.9.1", 20, 24, 27), ("1.12.0", 25, 27)),
    *_router("echo4", "github.com/labstack/echo/v4", COLON,
             ("4.0.0", 19, 24, 27), ("4.9.1", 19, 24, 27), ("4.16.0", 25, 27)),
    *_router("echo5", "github.com/labstack/echo/v5", COLON,
             ("5.0.0", 25, 27), ("5.3.1", 25, 26, 27), ("5.4.4", 25, 27)),
    *_router("chi", "github.com/go-chi/chi/v5", BRACES,
             ("5.0.0", 19, 27), ("5.1.0", 19, 24, 27), ("5.5.0", 24, 27)),
    *_router("gorilla", "github.com/gorilla/mux", PREFIX,
             ("1.4.0", 19, 27), ("1.7.4", 19, 24, 27), ("1.8.1", 19, 27)),
    *_router("httprouter", "github.com/julienschmidt/httprouter", NAMED,
             ("1.2.0", 19, 27), ("1.3.0", 19, 24, 27),
             ("1.3.1-0.20240130105656-484018016424", 19, 27)),
    *_router("fiber", "github.com/gofiber/fiber/v2", COLON,
             ("2.0.0", 19, 27), ("2.26.0", 19, 24, 27), ("2.52.15", 20, 27)),
    *_router("fasthttp", "github.com/valyala/fasthttp", NO_ROUTES,
             ("1.16.0", 19, 27), ("1.51.0", 20, 24, 27), ("1.77.0", 26, 27)),
]

DRIVERS = [
    *_driver("pq", "github.com/lib/pq",
             loads.statements("postgresql", "postgres", "42P01", _postgresql),
             ("1.0.0", 19, 27), ("1.10.9", 19, 24, 27), ("1.12.3", 21, 27)),
    *_driver("pgx5", "github.com/jackc/pgx/v5",
             loads.statements("postgresql", "postgres", "42P01", _postgresql),
             ("5.3.0", 19, 27), ("5.7.6", 23, 27), ("5.12.0", 25, 27)),
    *_driver("mysql", "github.com/go-sql-driver/mysql",
             loads.statements("mysql", "shop", "1146", _mariadb),
             ("1.3.0", 19, 27), ("1.7.1", 19, 24, 27), ("1.10.1", 24, 27)),
    *_driver("modernc", "modernc.org/sqlite", loads.statements("sqlite", None, "1", _file),
             ("1.23.1", 19), ("1.61.1", 27)),  # minutes to build: one Go each
]

ROWS = STANDARD + XNET + GRPC + DRIVERS + ROUTERS + OTEL
