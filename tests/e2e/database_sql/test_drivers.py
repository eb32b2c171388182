# SPDX-License-Identifier: Apache-2.0
"""Real drivers and real databases: which database, where it is, what it says of errors."""
import concurrent.futures
import dataclasses
import urllib.parse

import pytest

from harness import database, otlp
from harness.client import get

from .conftest import Seen, is_child, SCOPE


@dataclasses.dataclass(frozen=True)
class Driver:
    """harness/go/sqldriver with a driver, by a Go version, in a build mode."""
    tag: str
    modules: tuple
    go: str
    mode: str = "default"

    def __str__(self):
        return f"{self.tag} {self.modules[0][1]}, Go {self.go}, {self.mode}"


def drivers(tag, module, *versions):
    return [Driver(tag, ((module, version[0]),), *version[1:]) for version in versions]


PQ = drivers("pq", "github.com/lib/pq", ("1.0.0", "1.19.13"), ("1.10.9", "1.24.9"),
             ("1.10.9", "1.22.12", "pie stripped"), ("1.12.3", "1.27.1"),
             ("1.12.3", "1.27.1", "pie stripped"))
PGX = drivers("pgx4", "github.com/jackc/pgx/v4", ("4.5.0", "1.19.13"), ("4.18.3", "1.24.9"))
PGX += drivers("pgx5", "github.com/jackc/pgx/v5", ("5.3.0", "1.19.13"), ("5.7.6", "1.24.9"),
               ("5.12.0", "1.27.1"), ("5.12.0", "1.27.1", "pie stripped"))
PGXPOOL = drivers("pgxpool", "github.com/jackc/pgx/v5", ("5.7.6", "1.24.9"), ("5.12.0", "1.27.1"),
                  ("5.12.0", "1.27.1", "pie stripped"))
PGDRIVER = drivers("pgdriver", "github.com/uptrace/bun/driver/pgdriver", ("1.2.18", "1.27.1"))
ORACLE = drivers("goora", "github.com/sijms/go-ora/v2", ("2.9.0", "1.27.1"))
MYSQL = drivers("mysql", "github.com/go-sql-driver/mysql", ("1.3.0", "1.19.13"),
                ("1.7.1", "1.24.9"), ("1.10.1", "1.27.1"), ("1.10.1", "1.27.1", "pie stripped"))
SQLITE = drivers("modernc", "modernc.org/sqlite", ("1.23.1", "1.19.13"), ("1.61.1", "1.27.1"))
SQLITE += drivers("mattn", "github.com/mattn/go-sqlite3", ("1.14.28", "1.27.1", "cgo external"),
                  ("1.6.0", "1.24.9", "cgo external"))
SQLITE += drivers("glebarez", "github.com/glebarez/go-sqlite", ("1.22.0", "1.27.1"))
WRAPPED = [Driver("otelsql", (("github.com/XSAM/otelsql", "0.16.0"), ("github.com/lib/pq", "1.10.9")),
                  "1.24.9"),
           Driver("otelsql", (("github.com/XSAM/otelsql", "0.44.0"), ("github.com/lib/pq", "1.12.3")),
                  "1.27.1")]

ALL = [("DROP TABLE orders", "DROP TABLE IF EXISTS orders"),
       ("CREATE TABLE orders", "CREATE TABLE orders (id int PRIMARY KEY, name varchar(?))"),
       ("INSERT orders", "INSERT INTO orders VALUES ({}, 'x')"),
       ("UPDATE orders", "UPDATE orders SET name = 'y' WHERE id = {}"),
       ("BEGIN", None),
       ("SELECT orders", "SELECT id, name FROM orders WHERE name = ?"),
       ("COMMIT", None)]


def _started(start):
    def fixture():
        try:
            with start() as port:
                yield port
        except database.Unavailable as e:
            pytest.skip(str(e))
    return pytest.fixture(scope="module")(fixture)


postgresql = _started(lambda: database.postgresql("client_encoding=UTF8"))  # pgdriver takes no other
mariadb = _started(database.mariadb)


@pytest.fixture
def see(start_server, trace):
    """see(driver, dsn, paths, calls) -> Seen, of requests made one after the other."""
    def run(driver, dsn, paths, calls):
        server = start_server(name="sqldriver", version=driver.go, mode=driver.mode,
                              tags=(driver.tag,), modules=driver.modules, env={"DSN": dsn})
        agent = trace(server)
        answers = [get(server.http, path) for path in paths]
        agent.wait_spans(calls + len(paths), timeout=10)
        spans = sorted(agent.stop(), key=lambda span: span.start_ns)
        assert server.status is None, f"the target ended: {server.stderr.text()}"
        seen = Seen([s for s in spans if s.scope == SCOPE], [s for s in spans if s.kind == otlp.SERVER],
                    agent)
        assert (len(seen.calls), len(seen.requests)) == (calls, len(paths)), (
            [f"{s.name} {s.attributes} {s.message}" for s in spans], answers)
        return seen
    return run


def query(path, text):
    return f"/{path}?" + urllib.parse.urlencode({"q": text})


def check_all(seen, system, placeholder, namespace=None, address=None, port=None):
    for call, (name, text) in zip(seen.calls, ALL):
        assert call.status == otlp.UNSET, call
        is_child(call, seen.request)
        got = {key: call[key] for key in (
            "db.system.name", "db.namespace", "server.address", "server.port", "db.query.text")}
        assert got == {
            "db.system.name": system, "db.namespace": namespace, "server.address": address,
            "server.port": port, "db.query.text": text and text.format(placeholder)}
        if not text and namespace:
            name += " " + namespace
        assert call.name == name


def check_errors(seen, code, message):
    """Of a table that does not exist, twice; then of a key that is there already."""
    for call, want in zip(seen.calls, (code, code)):
        assert call.status == otlp.ERROR
        assert call["error.type"] == call["db.response.status_code"] == want
        assert message in call.message


@pytest.mark.parametrize("driver", PQ + PGX + PGXPOOL, ids=str)
def test_postgresql(see, postgresql, driver):
    dsn = f"postgres://postgres@127.0.0.1:{postgresql}/postgres?sslmode=disable"
    seen = see(driver, dsn, ["/all"], len(ALL))
    check_all(seen, "postgresql", "$1", "postgres", "127.0.0.1", postgresql)


@pytest.mark.parametrize("driver", PQ + PGX, ids=str)
def test_postgresql_errors(see, postgresql, driver):
    dsn = f"host=127.0.0.1 port={postgresql} user=postgres dbname=postgres sslmode=disable"
    text = "SELECT 1, 2 FROM missing"
    seen = see(driver, dsn, [query("query", text), query("exec", text)], 2)
    check_errors(seen, "42P01", 'relation "missing" does not exist')
    for call in seen.calls:
        assert call["server.port"] == postgresql and call["db.namespace"] == "postgres"


@pytest.mark.parametrize("driver", PGDRIVER, ids=str)
def test_pgdriver(see, postgresql, driver):
    dsn = f"postgres://postgres:@127.0.0.1:{postgresql}/postgres?sslmode=disable"
    seen = see(driver, dsn, [query("query", "SELECT 1, 2"), "/ping"], 2)
    assert [call.name for call in seen.calls] == ["SELECT", "PING postgres"]
    for call in seen.calls:
        assert (call.status, call["db.system.name"], call["db.namespace"]) == (
            otlp.UNSET, "postgresql", "postgres")
        assert (call["server.address"], call["server.port"]) == ("127.0.0.1", postgresql)


@pytest.mark.parametrize("driver", ORACLE, ids=str)
def test_oracle(see, driver):
    """Without a server: what is known before there is a connection."""
    call = see(driver, "oracle://user:secret@127.0.0.1:1/x", ["/ping"], 1).call
    assert (call.status, call["db.system.name"]) == (otlp.ERROR, "oracle.db")


@pytest.mark.parametrize("driver", PGX, ids=str)
@pytest.mark.parametrize("others", ["down,{up}", "{up},down"])
def test_one_of_several_servers(see, postgresql, driver, others):
    """By the connection itself, and its address then: the configuration has more than one name."""
    with database.socket.socket() as s:  # nobody listens there
        s.bind(("127.0.0.1", 0))
        hosts = others.replace("down", f"localhost:{s.getsockname()[1]}").format(
            up=f"localhost:{postgresql}")
        dsn = f"postgres://postgres@{hosts}/postgres?sslmode=prefer"
        seen = see(driver, dsn, ["/all"], len(ALL))
    check_all(seen, "postgresql", "$1", "postgres", seen.calls[0]["server.address"], postgresql)
    assert seen.calls[0]["server.address"] in ("127.0.0.1", "::1")


@pytest.mark.parametrize("driver", [PGX[1], *PGX[3:5], PGXPOOL[1]], ids=str)
def test_the_same_server_without_tls(see, postgresql, driver):
    """sslmode=prefer: two ways to one server, whose name is the one that the program knows."""
    dsn = f"postgres://postgres@localhost:{postgresql}/postgres?sslmode=prefer"
    call = see(driver, dsn, ["/ping"], 1).call
    assert (call["server.address"], call["server.port"]) == ("localhost", postgresql)


@pytest.mark.parametrize("driver", [PQ[3], *PGX, MYSQL[2]], ids=str)
@pytest.mark.parametrize("attempts", [1, 2])
def test_connection_refused(see, driver, attempts):
    with database.socket.socket() as s:  # nobody listens there
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
        ssl = "disable" if attempts == 1 else "prefer"  # with, then without
        dsn = (f"root@tcp(127.0.0.1:{port})/shop" if driver.tag == "mysql" else
               f"postgres://postgres@127.0.0.1:{port}/postgres?sslmode={ssl}")
        seen = see(driver, dsn, [query("query", "SELECT 1, 2 FROM a"), "/ping"], 2)
    system = "mysql" if driver.tag == "mysql" else "postgresql"
    for call in seen.calls:
        assert call.status == otlp.ERROR and call["db.system.name"] == system
        assert call["error.type"] == "*net.OpError"
        assert call.message.endswith(f"dial tcp 127.0.0.1:{port}: connect: connection refused")
        assert call["db.response.status_code"] is None
    assert [call.name for call in seen.calls] == ["SELECT a", "PING"]


@pytest.mark.parametrize("driver", [PQ[3], *PGX], ids=str)
@pytest.mark.parametrize("ssl", ["disable", "prefer"])
def test_connection_denied(see, postgresql, driver, ssl):
    dsn = f"postgres://nobody@127.0.0.1:{postgresql}/postgres?sslmode={ssl}"
    call = see(driver, dsn, ["/ping"], 1).call
    assert call.status == otlp.ERROR and call["db.system.name"] == "postgresql"
    assert call["error.type"] == call["db.response.status_code"] == "28000"
    assert 'role "nobody" does not exist' in call.message


@pytest.mark.parametrize("driver", [PQ[3], *PGX[1:]], ids=str)
def test_postgresql_timeout(see, postgresql, driver):
    dsn = f"postgres://postgres@127.0.0.1:{postgresql}/postgres?sslmode=disable"
    seen = see(driver, dsn, ["/ping", query("timeout", "SELECT 1, pg_sleep(5)")], 2)
    assert seen.calls[0].name == "PING postgres" and seen.calls[0].status == otlp.UNSET
    call = seen.calls[1]
    assert call.status == otlp.ERROR and 40 < call.duration_ms < 4000
    if driver.tag == "pq":  # it asks the database to stop
        assert call["error.type"] == "57014"
        assert call.message == "canceling statement due to user request"
    else:
        assert call["error.type"] == "context.DeadlineExceeded"
        assert call.message == "timeout: context deadline exceeded"


@pytest.mark.parametrize("driver", PGX[1:], ids=str)
def test_too_late_to_begin(see, postgresql, driver):
    """A connection that is there, asked after the deadline: pgx has an error of its own for that."""
    dsn = f"postgres://postgres@127.0.0.1:{postgresql}/postgres?sslmode=disable"
    call = see(driver, dsn, ["/late"], 1).call
    assert call.status == otlp.ERROR and call["error.type"] == "context.DeadlineExceeded"
    assert call.message == "timeout: context already done: context deadline exceeded"


@pytest.mark.parametrize("driver", [PQ[3], PGX[4]], ids=str)
def test_more_at_once_than_the_pool_keeps(start_server, trace, postgresql, driver):
    """Connections are closed when their call is over, and failed calls never told which they had."""
    dsn = f"postgres://postgres@127.0.0.1:{postgresql}/postgres?sslmode=disable"
    server = start_server(name="sqldriver", version=driver.go, tags=(driver.tag,),
                          modules=driver.modules, env={"DSN": dsn})
    agent = trace(server)
    get(server.http, query("query", "SELECT 1, 2"))
    paths = [query("query", "SELECT 1, 2 FROM missing"), query("exec", "SET a.b TO 1"), "/ping"]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: get(server.http, paths[n % 3]), range(150)))
    agent.wait_spans(302)
    calls = [span for span in agent.stop() if span.scope == SCOPE]
    assert len(calls) == 151
    where = {(s["db.system.name"], s["db.namespace"], s["server.address"], s["server.port"])
             for s in calls}
    assert where == {("postgresql", "postgres", "127.0.0.1", postgresql)}


@pytest.mark.parametrize("driver", MYSQL, ids=str)
def test_mysql(see, mariadb, driver):
    seen = see(driver, f"root@tcp(127.0.0.1:{mariadb})/shop", ["/all"], len(ALL))
    check_all(seen, "mysql", "?", "shop", "127.0.0.1", mariadb)


@pytest.mark.parametrize("driver", MYSQL, ids=str)
def test_mysql_errors(see, mariadb, driver):
    text = 'SELECT "secret", 2 FROM missing'
    seen = see(driver, f"root@tcp(127.0.0.1:{mariadb})/shop",
               [query("query", text), query("exec", text)], 2)
    check_errors(seen, "1146", "Table 'shop.missing' doesn't exist")
    assert seen.calls[0]["db.query.text"] == "SELECT ?, ? FROM missing"


@pytest.mark.parametrize("driver", SQLITE, ids=str)
def test_sqlite(see, driver, tmp_path):
    seen = see(driver, str(tmp_path / "test.db"), ["/all", query("query", "SELECT 1, 2 FROM missing")],
               len(ALL) + 1)
    failed = seen.calls.pop()
    seen.requests.pop()
    check_all(seen, "sqlite", "?")
    assert failed.status == otlp.ERROR and "no such table: missing" in failed.message
    assert failed["error.type"] == failed["db.response.status_code"] == "1"


@pytest.mark.parametrize("driver", WRAPPED, ids=str)
def test_wrapped_driver(see, postgresql, driver):
    """What counts is the driver's own connection, not what was put around it."""
    dsn = f"postgres://postgres@127.0.0.1:{postgresql}/postgres?sslmode=disable"
    seen = see(driver, dsn, ["/all"], len(ALL))
    check_all(seen, "postgresql", "$1", "postgres", "127.0.0.1", postgresql)
