# SPDX-License-Identifier: Apache-2.0
"""Exactly which capabilities are enough, by setpriv."""
import json

import pytest

from harness import client, skip
from harness.client import get
from harness.gospan import Gospan, run

pytestmark = pytest.mark.usefixtures("needs_bpf", "needs_root")


@pytest.fixture(autouse=True)
def has_setpriv():
    skip.unless_installed("setpriv")


def capabilities(*names, uid=None):
    """setpriv's arguments: these capabilities and no others, as root or as UID."""
    wanted = ",".join(["-all", *("+" + n for n in names)])
    as_user = ["--reuid", str(uid), "--clear-groups"] if uid else []
    ambient = [f"--ambient-caps={wanted}"] if uid else []
    return ["setpriv", *as_user, f"--bounding-set={wanted}", f"--inh-caps={wanted}", *ambient]


@pytest.fixture
def folder(tmp_path):
    """A folder that another user can reach and write to."""
    for path in (tmp_path, *tmp_path.parents):
        if path.name.startswith("pytest-"):
            path.chmod(0o777)
    tmp_path.chmod(0o777)
    return tmp_path


# A target without capabilities: the kernel lets nobody look at one that has more than himself.
PLAIN = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]


def uprobe_multi():
    """What doctor found; the tests below check that it is true."""
    checks = json.loads(run("doctor", "--json")[1])["checks"]
    return any("multi" in c["name"] and c["ok"] for c in checks)


def traces(tmp_path, server, prefix):
    with Gospan(tmp_path, "trace", "--pid", server.pid, prefix=prefix) as agent:
        agent.wait_ready()
        client.load(server.http, 50, 2).check()
        agent.wait_spans(50)
        return len(agent.stop())


def test_bpf_and_perfmon_are_enough(tmp_path, start_server):
    if not uprobe_multi():
        pytest.skip("no uprobe_multi here: CAP_SYS_ADMIN is needed")
    assert traces(tmp_path, start_server(prefix=PLAIN), capabilities("bpf", "perfmon")) == 50


def test_sys_admin_is_enough(tmp_path, start_server):
    assert traces(tmp_path, start_server(prefix=PLAIN), capabilities("sys_admin")) == 50


def test_as_an_ordinary_user_with_ambient_capabilities(folder, start_server):
    if not uprobe_multi():
        pytest.skip("no uprobe_multi here")
    server = start_server(prefix=["setpriv", "--reuid", "65534", "--clear-groups"])
    assert traces(folder, server, capabilities("bpf", "perfmon", "sys_ptrace", uid=65534)) == 50


def test_target_of_another_user(folder, start_server):
    if not uprobe_multi():
        pytest.skip("no uprobe_multi here")
    server = start_server(prefix=["setpriv", "--reuid", "65533", "--clear-groups"])
    prefix = capabilities("bpf", "perfmon", "sys_ptrace", uid=65534)
    assert traces(folder, server, prefix) == 50


@pytest.mark.parametrize("missing, given", [
    ("CAP_BPF", ["perfmon"]), ("CAP_PERFMON", ["bpf"]), ("CAP_BPF", []),
])
def test_the_missing_capability_is_named(start_server, missing, given):
    server = start_server(prefix=PLAIN)
    status, _, err = run("trace", "--pid", server.pid, prefix=capabilities(*given))
    assert status == 1, err
    assert missing in err, err
    assert len(err.strip().splitlines()) <= 4, err


def test_target_with_more_capabilities_needs_ptrace(start_server):
    server = start_server()
    status, _, err = run("trace", "--pid", server.pid, prefix=capabilities("bpf", "perfmon"))
    assert status == 1
    assert f"pid {server.pid} has capabilities that we lack" in err, err
    assert "missing CAP_SYS_PTRACE, which root lacks here" in err, err
    status, _, err = run("ps", prefix=capabilities("bpf", "perfmon"))
    assert "may not be looked at: this needs CAP_SYS_PTRACE, which root lacks here" in err, err


def test_target_of_another_user_without_ptrace(folder, start_server):
    server = start_server(prefix=["setpriv", "--reuid", "65533", "--clear-groups"])
    prefix = capabilities("bpf", "perfmon", uid=65534)
    status, _, err = run("trace", "--pid", server.pid, prefix=prefix)
    assert status == 1
    assert "belongs to user 65533: missing CAP_SYS_PTRACE (or root)" in err, err


def test_inspect_and_ps_need_nothing(start_server):
    nobody = ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set=-all",
              "--inh-caps=-all"]
    server = start_server(prefix=nobody)
    status, out, err = run("ps", prefix=nobody)
    assert status == 0 and str(server.pid) in out, err
    status, out, err = run("inspect", "--pid", server.pid, prefix=nobody)
    assert status == 0 and "net/http" in out, err
    assert run("doctor", prefix=nobody)[0] == 1


@pytest.mark.parametrize("uid, advice", [(65534, "or run as root"), (None, "root lacks")])
def test_doctor_without_capabilities_does_not_blame_the_kernel(uid, advice):
    """What could not be tried is not for want of a newer kernel."""
    status, out, _ = run("doctor", "--json", prefix=capabilities(uid=uid))
    assert status == 1
    refused = [c for c in json.loads(out)["checks"] if c["value"] == "Operation not permitted"]
    assert "uprobe_multi_pid" in {c["name"] for c in refused}
    for check in refused:
        assert check["advice"].startswith("grant CAP_") and advice in check["advice"], check
        assert "kernel" not in check["advice"], check


def test_doctor_asks_for_what_writing_headers_takes():
    _, out, _ = run("doctor", "--json", prefix=capabilities("bpf", "perfmon"))
    writing, = (c for c in json.loads(out)["checks"] if c["name"] == "write_user")
    assert writing["value"] == "refused: missing CAP_SYS_ADMIN"
    assert writing["advice"].startswith("grant CAP_SYS_ADMIN: root lacks it here"), writing


def test_it_drops_what_it_does_not_need(tmp_path, start_server):
    """Attached to the only process it was asked for, it keeps few of root's capabilities."""
    server = start_server()
    with Gospan(tmp_path, "trace", "--pid", server.pid) as agent:
        agent.wait_ready()
        with open(f"/proc/{agent.pid}/status") as f:
            status = dict(line.split(":", 1) for line in f)
        effective = int(status["CapEff"].strip(), 16)
        assert not effective & 1 << 21, "CAP_SYS_ADMIN"
        get(server.http, "/item/1")
        agent.wait_spans(1)
        assert len(agent.stop()) == 1
