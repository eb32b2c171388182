# SPDX-License-Identifier: Apache-2.0
"""bpf/README.md, "Add a library": its example, as it stands there, is all that a library takes."""
import json
import re
import subprocess

import pytest

from harness import build, gospan, otlp, skip
from harness.client import get, traceparent
from harness.process import eventually

NEW = "bpf/ledger_client.bpf.c"
NAME = "example.com/ledger"


def example():
    """The one block of C in the README."""
    text, = re.findall(r"^```c\n(.*?)^```$", (build.ROOT / "bpf/README.md").read_text(), re.M | re.S)
    return text


@pytest.fixture(scope="module")
def with_example(tmp_path_factory):
    """An agent with the example's library."""
    return build.agent_with(tmp_path_factory.mktemp("readme"), {NEW: example()})


@pytest.fixture
def agent_with_example(with_example, monkeypatch):
    monkeypatch.setenv("GOSPAN", str(with_example))


@pytest.mark.parametrize("mode", ["default", "pie stripped"])
def test_inspect(agent_with_example, mode):
    path = skip.build("ledger", mode=mode)
    status, out, err = gospan.run("inspect", "--json", path)
    assert status == 0, err
    got = json.loads(out)
    assert {"name": NAME, "status": "on", "reason": ""} in got["libraries"]
    probes = [p for p in got["probes"] if p["library"] == NAME]
    assert sorted(p["program"] for p in probes) == ["ledger_exec_entry", "ledger_exec_return"]
    assert {(p["status"], p["site"]["cost"]) for p in probes} == {("on", "emulated")}
    field, = (f for f in got["fields"] if f["name"] == NAME + ".Client.host")
    assert (field["offset"], field["kind"], field["source"]) == (8, "string", "type data")
    assert gospan.run("inspect", "--require", NAME, path)[0] == 0
    assert gospan.run("inspect", "--require", NAME, skip.build("nohttp"))[0] == 1


@pytest.mark.parametrize("version, mode", [("1.19.13", "default"), (build.NEWEST, "default"),
                                           (build.NEWEST, "pie stripped")])
def test_spans(agent_with_example, start_server, trace, version, mode):
    server = start_server(name="ledger", version=version, mode=mode)
    agent = trace(server)
    for path in ("/deposit", "/closed?n=7"):
        get(server.http, path, traceparent())
    eventually(lambda: len(agent.spans_so_far()) == 4)
    spans = sorted(agent.stop(), key=lambda s: s.start_ns)
    assert server.status is None, f"the target ended: {server.stderr.text()}"
    first, deposit, second, closed = spans
    for call, request in (deposit, first), (closed, second):
        assert (call.trace_id, call.parent_id) == (request.trace_id, request.span_id)
        assert call.scope == "gospan/" + NAME and call.kind == otlp.CLIENT
        assert call["server.address"] == "books.example"
        assert request.start_ns <= call.start_ns <= call.end_ns <= request.end_ns
    assert (deposit.name, deposit.status) == ("UPDATE accounts", otlp.UNSET)
    assert deposit["db.query.text"] == "UPDATE accounts SET balance = ? WHERE id = ?"
    assert (closed.name, closed.status, closed.message) == (
        "UPDATE closed", otlp.ERROR, "the account is closed")
    assert closed["error.type"] == "*errors.errorString"


def test_no_other_file_knows_of_it():
    """What the README promises: there is no list to edit."""
    found = subprocess.run(["grep", "-rl", "ledger", "bpf", "agent", "offsets", "otlp", "Makefile"],
                           cwd=build.ROOT, capture_output=True, text=True, check=False)
    assert found.stdout.split() == ["bpf/README.md"], found.stderr
