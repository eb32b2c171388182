# SPDX-License-Identifier: Apache-2.0
"""What an RPC costs: the probes that it hits, and that they are cheap ones."""
import json

import pytest

from bench import machine
from harness import gospan, skip

from .conftest import MODULE, PAIRS

COUNT = 400


def hits(agent):
    runs = machine.program_runs(agent.pid)
    return sum(n for prog, (n, _) in runs.items() if machine.program_name(prog) == "dispatch")


@pytest.mark.parametrize("pair, mode", [*((pair, "default") for pair in PAIRS),
                                        (PAIRS[-1], "pie stripped")])
def test_hits_of_a_unary_call(start_server, trace, pair, mode):
    """From 1.84 on a call looks for its end by a second receive, and a server for that of the request."""
    skip.unless_bpftool()
    options = {"name": "grpcapp", "version": pair[0], "mode": mode, "modules": ((MODULE, pair[1]),)}
    front, back = start_server(**options), start_server(**options)
    order = {"do": "repeat", "text": "hi", "target": f"127.0.0.1:{back.grpc}"}
    found = []
    for traced in front, back:
        agent = trace(traced)
        front.do(count=10, **order)
        with machine.bpf_stats():
            before = hits(agent)
            front.do(count=COUNT, **order)
            found.append((hits(agent) - before) / COUNT)
        agent.stop()
    client, server = (7, 6) if pair[1] == "1.85.0" else (6, 3)
    assert found == [pytest.approx(client, abs=0.1), pytest.approx(server, abs=0.1)]


@pytest.mark.parametrize("mode", ["default", "pie stripped", "-N -l"])
@pytest.mark.parametrize("pair", [PAIRS[0], PAIRS[3], PAIRS[-1]])
def test_what_a_call_hits_is_cheap(pair, mode):
    """All that is stepped are returns: of calls that interceptors made, and that became no stream."""
    path = skip.build("grpcapp", pair[0], mode, modules=((MODULE, pair[1]),))
    status, out, err = gospan.run("inspect", "--json", path)
    assert status == 0, err
    probes = [p for p in json.loads(out)["probes"]
              if p["status"] == "on" and p["library"] == "google.golang.org/grpc"]
    dear = [p["function"].rpartition(".")[2] for p in probes if p["site"]["cost"] != "emulated"]
    allowed = {"Invoke": 2, "invoke": 1, "NewStream": 9}
    assert all(dear.count(f) <= allowed.get(f, 0) for f in dear), dear
