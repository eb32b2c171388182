# SPDX-License-Identifier: Apache-2.0
"""Calls that fail, that are tried again, that wait, that panic."""
import pytest

from harness import otlp

from .conftest import do, is_child

VERSIONS = ["1.19.13", "1.24.9", "1.27.1"]
BAD = "driver: bad connection"


@pytest.mark.parametrize("form", [{}, {"op": "exec"}, {"op": "pquery"}, {"op": "pexec"},
                                  {"on": "conn"}, {"on": "conn", "op": "exec"}])
def test_error(see, form):
    seen = see(do("SELECT a FROM b /* fail */", **form))
    assert seen.call.status == otlp.ERROR
    assert seen.call["error.type"] == "*main.fakeError"
    assert seen.call["db.response.status_code"] is None
    is_child(seen.call, seen.request)


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_errors_in_one(see, version):
    """Of one that is joined to no other everything is told, of several what is true of them all."""
    seen = see(*(do(f"SELECT a FROM b /* fail {how} */") for how in (
        "alone", "joined", "wrapped", "twofold")), calls=4, version=version)
    assert [(call["error.type"], call.message) for call in seen.calls] == [
        ("*errors.errorString", "unexpected EOF"),
        ("*errors.joinError", "context canceled (and 2 more)"),
        ("*main.fakeError", "retry: first: fake: no such table"),
        ("*fmt.wrapErrors", "fake: no such table, after context canceled")]


@pytest.mark.parametrize("op", ["query", "exec"])
@pytest.mark.parametrize("version", VERSIONS)
def test_error_in_a_transaction(see, version, op):
    seen = see(do("SELECT a FROM b /* fail */", on="tx", op=op), calls=3, version=version)
    assert seen.names() == ["BEGIN", "SELECT b", "ROLLBACK"]
    assert [call.status for call in seen.calls] == [otlp.UNSET, otlp.ERROR, otlp.UNSET]
    assert seen.calls[1]["error.type"] == "*main.fakeError"


def test_no_connection(see):
    seen = see(do("SELECT a FROM b", db="down"), do(db="down", op="ping"),
               do("SELECT a FROM b", db="down", on="tx"), do("SELECT a FROM b", db="down", op="exec"),
               calls=4)
    assert seen.names() == ["SELECT b", "PING", "BEGIN", "SELECT b"]
    for call in seen.calls:
        assert call.status == otlp.ERROR and call.message == "connection refused by nobody"


def test_no_rows_is_no_error(see):
    seen = see("/norows")
    assert seen.call.status == otlp.UNSET and seen.request.status == otlp.UNSET


@pytest.mark.parametrize("how", ["bad once", "wrapped bad once", "like bad once"])
@pytest.mark.parametrize("op", ["query", "exec", "pquery", "pexec"])
@pytest.mark.parametrize("version", VERSIONS)
def test_retry_is_one_span(see, version, op, how):
    seen = see(do(f"SELECT a FROM b /* {how} */ /* sleep 20ms */", op=op), version=version)
    assert seen.call.status == otlp.UNSET and seen.call["error.type"] is None
    assert seen.call.duration_ms >= 20
    is_child(seen.call, seen.request)


@pytest.mark.parametrize("op", ["query", "exec", "pquery", "pexec"])
@pytest.mark.parametrize("version", VERSIONS)
def test_retry_in_vain_is_one_span(see, version, op):
    seen = see(do("SELECT a FROM b /* sleep 10ms */ /* bad */", op=op), version=version)
    assert seen.call.status == otlp.ERROR and seen.call.message == BAD
    assert seen.call.duration_ms >= 30  # three attempts
    is_child(seen.call, seen.request)


def test_bad_connection_of_a_transaction_is_not_tried_again(see):
    seen = see(do("SELECT a FROM b /* bad */", on="tx"), calls=3)
    assert [call.message for call in seen.calls] == ["", BAD, ""]


@pytest.mark.parametrize("version", VERSIONS)
def test_wait_for_a_connection(see, version):
    seen = see("/pool?deadline=10s", version=version)
    assert seen.call.status == otlp.UNSET
    assert 0.04 < seen.call["gospan.db.pool_wait"] < seen.call.duration_ms / 1000
    is_child(seen.call, seen.request)


def test_wait_in_vain(see):
    seen = see("/pool?deadline=20ms")
    assert seen.call.status == otlp.ERROR
    assert seen.call.message == "context deadline exceeded"
    assert seen.call["error.type"] == "context.DeadlineExceeded"
    assert 0.015 < seen.call["gospan.db.pool_wait"] < 0.06


def test_timeout(see):
    seen = see("/timeout")
    assert seen.call.status == otlp.ERROR
    assert seen.call["error.type"] == "context.DeadlineExceeded"
    assert 15 < seen.call.duration_ms < 400


@pytest.mark.parametrize("op", ["query", "exec", "pquery", "pexec"])
@pytest.mark.parametrize("version", VERSIONS)
def test_driver_panics(see, version, op):
    """The span ends with the panic, not with what comes next, which is not below it."""
    seen = see(f"/panic?op={op}", calls=2, version=version)
    panicked, after = seen.calls
    assert panicked.status == otlp.ERROR and panicked["error.type"] == "string"
    assert [e.attributes["exception.message"] for e in panicked.events] == ["driver bug"]
    assert panicked.duration_ms < 15 and seen.request.duration_ms > 20
    assert after.name == "SELECT t" and after.status == otlp.UNSET and not after.events
    is_child(panicked, seen.request)
    is_child(after, seen.request)


def test_driver_panics_in_a_transaction(see):
    """The deferred ROLLBACK runs in the panic's wake: it is the request's, not the query's."""
    seen = see("/panictx", calls=3)
    assert seen.names() == ["BEGIN", "UPDATE t", "ROLLBACK"]
    assert [call.status for call in seen.calls] == [otlp.UNSET, otlp.ERROR, otlp.UNSET]
    for call in seen.calls:
        is_child(call, seen.request)


def test_cancelled_transaction_is_rolled_back(see):
    """By a goroutine of database/sql: it belongs to the request whose context the Tx was given."""
    seen = see("/canceltx", calls=2)
    assert seen.names() == ["BEGIN", "ROLLBACK"]
    for call in seen.calls:
        is_child(call, seen.request)
