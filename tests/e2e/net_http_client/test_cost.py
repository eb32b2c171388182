# SPDX-License-Identifier: Apache-2.0
"""What a call costs: the probes that it hits, and that they are cheap ones."""
import json

import pytest

from bench import machine
from harness import client, gospan, skip

VERSIONS = pytest.mark.parametrize("version", ["1.19.13", "1.22.12", "1.24.9", "1.26.8", "1.27.1"])
HOT = ["net/http.(*Transport).roundTrip", "net/http.(*persistConn).roundTrip",
       "net/http.(*Transport).roundTrip>net/http.(*persistConn).roundTrip"]


def hits(agent):
    runs = machine.program_runs(agent.pid)
    return sum(n for prog, (n, _) in runs.items() if machine.program_name(prog) == "dispatch")


def hits_a_request(both, path, count=400):
    before = hits(both.agent)
    client.load(both.front.http, count, 4, path=path)
    return (hits(both.agent) - before) / count


@VERSIONS
@pytest.mark.parametrize("mode", ["default", "pie stripped"])
def test_three_hits_a_call(calls, version, mode):
    skip.unless_bpftool()
    both = calls(version=version, mode=mode)
    call = f"/case/one?n={{id}}&to={both.to}/ok/1"
    client.load(both.front.http, 100, 4, path=call)  # connections are there then
    with machine.bpf_stats():
        alone = hits_a_request(both, "/case/none?n={id}")
        assert hits_a_request(both, call) - alone == pytest.approx(3, abs=0.3)
    both.agent.stop()


@VERSIONS
@pytest.mark.parametrize("mode", ["default", "pie stripped", "-race"])
def test_an_http1_answer_is_cheap(version, mode):
    """Everything that a call which succeeds hits is emulated by the kernel."""
    path = skip.build("httpclient", version, mode)
    status, out, err = gospan.run("inspect", "--json", path)
    assert status == 0, err
    probes = [p for p in json.loads(out)["probes"] if p["status"] == "on"]
    for function in HOT:
        sites = [p["site"] for p in probes if p["function"] == function and
                 (">" in function or p["kind"] == "entry")]
        assert [s["cost"] for s in sites] == ["emulated"], (function, sites)
