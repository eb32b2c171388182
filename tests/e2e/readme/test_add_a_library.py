# SPDX-License-Identifier: Apache-2.0
"""bpf/README.md, "Add a library": its example, as it stands there, is all that a library takes."""
import json
import os
import re
import shutil
import subprocess

import pytest

from harness import build, gospan, otlp, skip
from harness.client import get, traceparent
from harness.process import eventually

BUILT = ("agent", "bpf", "gen", "offsets", "otlp")
NEW = "bpf/ledger_client.bpf.c"
NAME = "example.com/ledger"


def example():
    """The one block of C in the README."""
    text, = re.findall(r"^```c\n(.*?)^```$", (build.ROOT / "bpf/README.md").read_text(), re.M | re.S)
    return text


def copy_of_the_tree(into):
    """What the agent is built from, with what is built already, so that little is left to do."""
    tree = into / "gospan"
    tree.mkdir()
    shutil.copy2(build.ROOT / "Makefile", tree)
    for name in ("bpf", "agent", "offsets", "otlp", "scripts"):
        shutil.copytree(build.ROOT / name, tree / name)
    for name in BUILT:
        if (build.ROOT / "build" / name).is_dir():
            shutil.copytree(build.ROOT / "build" / name, tree / "build" / name)
    return tree


@pytest.fixture(scope="module")
def with_example(tmp_path_factory):
    """An agent with the example's library."""
    tree = copy_of_the_tree(tmp_path_factory.mktemp("readme"))
    (tree / NEW).write_text(example())
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SAN")}
    made = subprocess.run(["make", "-j2", "all"], cwd=tree, env=env, capture_output=True, text=True,
                          timeout=280)
    assert made.returncode == 0, made.stdout + made.stderr
    assert (tree / "build" / NEW.replace(".c", ".o")).exists()
    return tree / "build/gospan"


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
    found = subprocess.run(["git", "grep", "-l", "ledger", "--", "bpf", "agent", "offsets", "otlp",
                            "Makefile"], cwd=build.ROOT, capture_output=True, text=True)
    if found.returncode > 1:
        pytest.skip(found.stderr)
    assert found.stdout.split() == ["bpf/README.md"]
