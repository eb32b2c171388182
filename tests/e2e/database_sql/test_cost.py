# SPDX-License-Identifier: Apache-2.0
"""What a call costs: that the probes which it hits are cheap ones, and what comes of doing without others."""
import json

import pytest

from harness import gospan, otlp, skip

from .conftest import do, is_child

IN_TX = "database/sql.(*Tx).QueryContext>database/sql.(*DB).queryDC"


def sites(version, mode, function):
    path = skip.build("httpsql", version, mode)
    status, out, err = gospan.run("inspect", "--json", path)
    assert status == 0, err
    return [p["site"]["cost"] for p in json.loads(out)["probes"]
            if p["status"] == "on" and p["function"] == function]


@pytest.mark.parametrize("version", ["1.22.12", "1.24.9", "1.27.1"])
@pytest.mark.parametrize("mode", ["default", "pie stripped", "-race"])
def test_nothing_is_stepped_in_a_transaction(version, mode):
    assert sites(version, mode, IN_TX) == ["emulated"]  # the call, not its return


def test_it_is_where_the_watcher_has_another_name():
    assert sorted(sites("1.19.13", "default", IN_TX)) == ["emulated", "stepped"]


@pytest.mark.parametrize("version", ["1.19.13", "1.22.12", "1.27.1"])
@pytest.mark.parametrize("mode", ["default", "-N -l"])
def test_a_query_in_a_transaction_ends_when_the_driver_has_answered(see, version, mode):
    seen = see(do("SELECT a FROM b /* sleep 20ms */", on="tx"), calls=3, version=version, mode=mode)
    assert seen.names() == ["BEGIN", "SELECT b", "COMMIT"]
    query, commit = seen.calls[1:]
    is_child(query, seen.request)
    assert 20 <= query.duration_ms < 40 and query.end_ns <= commit.start_ns
    assert query.status == otlp.UNSET and not query.events
