# SPDX-License-Identifier: Apache-2.0
"""Every way to make a call: its name, text, operation, and what comes of it."""
import pytest

from harness import otlp

from .conftest import do, is_child

VERSIONS = ["1.19.13", "1.24.9", "1.27.1"]
SELECT = "SELECT a FROM orders WHERE id = 5"
SELECT_TEXT = "SELECT a FROM orders WHERE id = ?"


def each_call(**form):
    """(the request's form, the spans that it makes) for each kind of call."""
    begin, commit = "BEGIN", "COMMIT"
    return [
        pytest.param(form, names, id="-".join(form.values()) or "db")
        for form, names in (
            ({}, ["SELECT orders"]),
            ({"op": "row"}, ["SELECT orders"]),
            ({"op": "exec"}, ["SELECT orders"]),
            ({"op": "pquery"}, ["SELECT orders"]),
            ({"op": "pexec"}, ["SELECT orders"]),
            ({"op": "ptwice"}, ["SELECT orders", "SELECT orders"]),
            ({"op": "ping"}, ["PING"]),
            ({"on": "conn"}, ["SELECT orders"]),
            ({"on": "conn", "op": "exec"}, ["SELECT orders"]),
            ({"on": "conn", "op": "pquery"}, ["SELECT orders"]),
            ({"on": "conn", "op": "pexec"}, ["SELECT orders"]),
            ({"on": "conn", "op": "ping"}, ["PING"]),
            ({"on": "tx"}, [begin, "SELECT orders", commit]),
            ({"on": "tx", "op": "exec"}, [begin, "SELECT orders", commit]),
            ({"on": "tx", "op": "pexec"}, [begin, "SELECT orders", commit]),
            ({"on": "tx", "end": "rollback"}, [begin, "SELECT orders", "ROLLBACK"]),
            ({"on": "tx", "op": "none"}, [begin, commit]),
            ({"on": "conntx", "op": "exec"}, [begin, "SELECT orders", commit]),
            ({"on": "none"}, ["SELECT orders"]),
            ({"on": "none", "op": "row"}, ["SELECT orders"]),
            ({"on": "none", "op": "exec"}, ["SELECT orders"]),
            ({"on": "none", "op": "pquery"}, ["SELECT orders"]),
            ({"on": "none", "op": "pexec"}, ["SELECT orders"]),
            ({"on": "none", "op": "ping"}, ["PING"]),
            ({"on": "none", "op": "tx"}, [begin, "SELECT orders", commit]),
            ({"db": "plain"}, ["SELECT orders"]),
            ({"db": "plain", "op": "exec"}, ["SELECT orders"]),
            ({"db": "plain", "on": "tx", "op": "exec"}, [begin, "SELECT orders", commit]),
        )]


@pytest.mark.parametrize("form, names", each_call())
@pytest.mark.parametrize("version", VERSIONS)
def test_call(see, version, form, names):
    seen = see(do(SELECT, **form), calls=len(names), version=version)
    assert seen.names() == names
    before = seen.request.start_ns
    for call in seen.calls:
        is_child(call, seen.request)
        assert before <= call.start_ns  # one after the other
        before = call.end_ns
        assert call.status == otlp.UNSET and call["error.type"] is None and not call.events
        assert call["db.system.name"] == "other_sql"
        assert call["gospan.db.pool_wait"] is None
        if call.name in ("BEGIN", "COMMIT", "ROLLBACK", "PING"):
            assert call["db.operation.name"] == call.name
            assert call["db.query.text"] is None and call["db.query.summary"] is None
        else:
            prepared = form.get("op", "").startswith("p")
            assert call["db.query.text"] == (SELECT if prepared else SELECT_TEXT)
            assert call["db.query.summary"] == call.name
            assert call["db.operation.name"] is None


@pytest.mark.parametrize("version", ["1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.25.7", "1.26.8"])
def test_other_versions(see, version):
    seen = see(do(SELECT), do(SELECT, op="exec"), do(SELECT, op="pquery"), do(SELECT, op="pexec"),
               do(SELECT, on="tx"), do(SELECT, on="conntx", op="exec", end="rollback"),
               do(op="ping"), do(SELECT + " /* bad once */"), do(SELECT + " /* fail */", op="exec"),
               calls=13, version=version)
    assert seen.names() == ["SELECT orders"] * 4 + [
        "BEGIN", "SELECT orders", "COMMIT", "BEGIN", "SELECT orders", "ROLLBACK", "PING",
        "SELECT orders", "SELECT orders"]
    assert [call.status for call in seen.calls] == [otlp.UNSET] * 12 + [otlp.ERROR]


@pytest.mark.parametrize("mode", ["-s -w", "pie stripped", "-race", "-N -l", "cgo external"])
@pytest.mark.parametrize("version", VERSIONS)
def test_builds(see, version, mode):
    seen = see(do(SELECT), do(SELECT, op="exec", args="xx"), do(SELECT, op="pquery"),
               do(SELECT, on="tx", args="x"), do(SELECT, on="conntx", op="exec", args="x"),
               do(op="ping"), do(SELECT + " /* like bad once */"), do(SELECT + " /* bad */"),
               do(SELECT + " /* fail */", op="pexec"), calls=13, version=version, mode=mode)
    assert seen.names() == ["SELECT orders"] * 3 + [
        "BEGIN", "SELECT orders", "COMMIT", "BEGIN", "SELECT orders", "COMMIT", "PING"] + [
        "SELECT orders"] * 3
    assert [call.status for call in seen.calls] == [otlp.UNSET] * 11 + [otlp.ERROR] * 2
    assert seen.calls[1]["db.query.text"] == seen.calls[4]["db.query.text"] == SELECT
    assert seen.calls[7]["db.query.text"] == SELECT
    assert seen.calls[0]["db.query.text"] == SELECT_TEXT
    assert seen.calls[11].message == "driver: bad connection"


def test_text_with_arguments_is_left_alone(see):
    for form in ({}, {"op": "exec"}, {"on": "tx"}, {"on": "conn", "op": "exec"}):
        names = 3 if form.get("on") == "tx" else 1
        seen = see(do(SELECT, args="x", **form), calls=names)
        assert seen.calls[names // 2]["db.query.text"] == SELECT


@pytest.mark.parametrize("setting", ["OTEL_GO_AUTO_INCLUDE_DB_STATEMENT", "GOSPAN_DB_STATEMENT"])
def test_text_can_be_left_out(see, setting):
    call = see(do(SELECT), env={setting: "false"}).call
    assert call["db.query.text"] is None
    assert call.name == call["db.query.summary"] == "SELECT orders"


def test_long_text_is_cut(see):
    call = see(do("SELECT a FROM b -- " + "\u00e4" * 2000)).call
    assert call["db.query.text"] == "SELECT a FROM b -- " + "\u00e4" * 502
    assert call.name == "SELECT b"


def test_what_is_no_sql_is_no_name(see):
    call = see(do("MATCH (n) RETURN n")).call
    assert call.name == "other_sql" and call["db.query.summary"] is None
    assert call["db.query.text"] == "MATCH (n) RETURN n"


def test_nothing_of_excluded_and_unsampled_requests(see):
    seen = see(do(SELECT), calls=0, requests=0, env={"GOSPAN_EXCLUDE_PATHS": "/do"})
    assert not seen.calls
    see(do(SELECT), calls=0, requests=0, env={"OTEL_TRACES_SAMPLER": "always_off"})


def test_half_a_package(see):
    """A program that uses prepared statements alone: the rest of database/sql is not linked."""
    seen = see("/", calls=1, name="sqlstmt")
    assert seen.names() == ["SELECT orders"]
    is_child(seen.call, seen.request)
