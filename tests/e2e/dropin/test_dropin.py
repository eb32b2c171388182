# SPDX-License-Identifier: Apache-2.0
"""As a sidecar: no arguments, the environment that the OpenTelemetry Operator injects, one pid
namespace with the target, which comes later, goes and comes again."""
import shutil
import signal

import pytest

from harness import client, process, skip
from harness.cgroup import Cgroup, Unavailable
from harness.client import get
from harness.gospan import Gospan, environment, program
from harness.process import Child, eventually
from harness.receiver import Receiver
from harness.server import Server

# The second container of a pod with `inject-go`, as a real API server had it (Operator of August
# 2026); references to fields of the pod are filled in as kubelet does.
INJECTED = {
    "OTEL_NODE_IP": "192.168.1.10",
    "OTEL_POD_IP": "10.0.0.7",
    "OTEL_SERVICE_NAME": "shop",
    "OTEL_RESOURCE_ATTRIBUTES_POD_NAME": "shop-6f7d",
    "OTEL_RESOURCE_ATTRIBUTES_NODE_NAME": "node-1",
    "OTEL_PROPAGATORS": "tracecontext,baggage",
    "OTEL_RESOURCE_ATTRIBUTES": "k8s.container.name=app,k8s.namespace.name=default,"
                                "k8s.node.name=node-1,k8s.pod.name=shop-6f7d,"
                                "service.instance.id=default.shop-6f7d.app,"
                                "service.namespace=default,service.version=1",
}
WANTED = {
    "service.name": "shop", "service.namespace": "default", "service.version": "1",
    "service.instance.id": "default.shop-6f7d.app", "k8s.container.name": "app",
    "k8s.namespace.name": "default", "k8s.node.name": "node-1", "k8s.pod.name": "shop-6f7d",
    "telemetry.sdk.language": "go", "process.runtime.name": "go",
}

INSTANCE = "service.instance.id"


class Sidecar(Child):
    """gospan alone."""

    def __init__(self, env, prefix=()):
        super().__init__([program()], env=environment(env), prefix=prefix)


@pytest.fixture
def hello(tmp_path):
    return shutil.copy(skip.build("httpserver"), tmp_path / "hello")


def injected(hello, collector):
    return {**INJECTED, "OTEL_GO_AUTO_TARGET_EXE": str(hello),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.base, "OTEL_BSP_SCHEDULE_DELAY": "100"}


def ready_for(agent, pid):
    return agent.stderr.wait(lambda t: t.startswith(f"gospan: ready: pid {pid} "), 15)


def test_target_later_again_and_twice(needs_bpf, hello):
    with Receiver() as collector, Sidecar(injected(hello, collector)) as agent:
        for n in range(2):
            with Server(hello) as server:
                assert ready_for(agent, server.pid), agent.stderr.text()
                client.load(server.http, 50, 2, first=100 * n).check()
                assert len(collector.wait_for_spans(50 * (n + 1))) == 50 * (n + 1)
        with Server(hello) as one, Server(hello) as two:
            assert ready_for(agent, one.pid) and ready_for(agent, two.pid)
            client.load(one.http, 50, 2, first=1000).check()
            client.load(two.http, 50, 2, first=2000).check()
            assert len(collector.wait_for_spans(200)) == 200
        agent.signal(signal.SIGTERM)
        assert agent.wait() == 0, agent.stderr.text()
        assert collector.errors == []
        assert {r["path"] for r in collector.requests} == {"/v1/traces"}
        for span in collector.spans():
            assert {key: span["resource"].get(key) for key in WANTED if key != INSTANCE} == {
                key: value for key, value in WANTED.items() if key != INSTANCE}
        # The given instance id holds while one process lives under it; two cannot share it.
        instances = {s["resource"]["process.pid"]: s["resource"][INSTANCE]
                     for s in collector.spans()}
        assert instances[one.pid] != instances[two.pid]
        assert "default.shop-6f7d.app" in instances.values()


def test_resource(needs_bpf, hello, tmp_path):
    """The same environment with a file next to it, to read the attributes one by one."""
    env = {**INJECTED, "OTEL_GO_AUTO_TARGET_EXE": str(hello)}
    with Server(hello) as server, Gospan(tmp_path, "trace", "--pid", server.pid, env=env) as agent:
        agent.wait_ready()
        get(server.http, "/item/1")
        agent.wait_spans(1)
        resource = agent.stop()[0].resource
        assert {key: resource.get(key) for key in WANTED} == WANTED
        assert resource["process.pid"] == server.pid


def test_in_the_pod_s_pid_namespace(needs_bpf, needs_root, hello):
    """Agent in the target's pid namespace, an own mount namespace, and the pod's limits."""
    pause = Child(["unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "sleep", "60"])
    assert eventually(lambda: process.children(pause.pid)), pause.stderr.text()
    first, = process.children(pause.pid)
    inside = ["nsenter", "-t", str(first), "--pid", "--mount", "unshare", "--mount"]
    with pause, Receiver() as collector:
        with Sidecar(injected(hello, collector), prefix=inside) as agent:
            with Server(hello, prefix=inside) as server:
                assert ready_for(agent, server.pid), agent.stderr.text()
                client.load(server.http, 50, 2).check()
                assert len(collector.wait_for_spans(50)) == 50
            gospan, = process.children(agent.pid)
            with open(f"/proc/{gospan}/status") as f:
                status = dict(line.split(":", 1) for line in f)
            assert int(status["VmRSS"].split()[0]) < 256 << 10


@pytest.fixture
def pod_limits():
    """A cgroup with what the Operator gives its sidecar: half a CPU, 256 MiB."""
    try:
        group = Cgroup(cpus=0.5, memory=256 << 20)
    except Unavailable as e:
        pytest.skip(str(e))
    with group:
        yield group


def test_within_the_pod_s_limits(needs_bpf, needs_root, hello, pod_limits):
    """Maps and the ring buffer are charged to it too."""
    with Receiver() as collector, Server(hello) as server:
        with Sidecar(injected(hello, collector), prefix=pod_limits.prefix) as agent:
            assert ready_for(agent, server.pid), agent.stderr.text()
            assert pod_limits.holds(agent.pid)
            client.load(server.http, 2000, 8).check()
            assert len(collector.wait_for_spans(2000, timeout=20)) == 2000, agent.stderr.text()
            agent.signal(signal.SIGTERM)
            assert agent.wait() == 0, agent.stderr.text()
        assert pod_limits.oom_kills() == "0"
        assert pod_limits.peak() < 128 << 20, "half of it is left"


def test_target_by_pid(needs_bpf, start_server):
    server = start_server()
    with Receiver() as collector:
        env = {"OTEL_GO_AUTO_TARGET_PID": str(server.pid), "OTEL_BSP_SCHEDULE_DELAY": "100",
               "OTEL_EXPORTER_OTLP_ENDPOINT": collector.base}
        with Sidecar(env) as agent:
            assert ready_for(agent, server.pid)
            client.load(server.http, 20, 2).check()
            assert len(collector.wait_for_spans(20)) == 20


@pytest.mark.parametrize("exporter", ["none", "console"])
def test_other_exporters(needs_bpf, start_server, exporter):
    server = start_server()
    env = {"OTEL_GO_AUTO_TARGET_PID": str(server.pid), "OTEL_TRACES_EXPORTER": exporter}
    with Sidecar(env) as agent:
        assert ready_for(agent, server.pid)
        get(server.http, "/item/1")
        shown = agent.stdout.wait(lambda text: "/item/1" in text, 2)
        assert bool(shown) == (exporter == "console")
        agent.signal(signal.SIGTERM)
        assert agent.wait() == 0


def test_where_a_restart_cannot_help_it_idles(needs_root, needs_bpf):
    """A target that is no Go program: one line, no crash loop, 1 at SIGTERM."""
    with Child(["sleep", "60"]) as sleeping:
        with Sidecar({"OTEL_GO_AUTO_TARGET_PID": str(sleeping.pid)}) as agent:
            assert agent.stderr.wait(lambda t: "Go" in t, 5), agent.stderr.text()
            assert not eventually(lambda: agent.status is not None, 1)
            agent.signal(signal.SIGTERM)
            assert agent.wait() == 1


def test_no_permission_idles(needs_root, start_server):
    server = start_server()
    nobody = ["setpriv", "--reuid", "65534", "--clear-groups", "--bounding-set", "-all",
              "--inh-caps", "-all"]
    with Child([program()], env=environment({"OTEL_GO_AUTO_TARGET_PID": str(server.pid)}),
               prefix=nobody) as agent:
        assert agent.stderr.wait(lambda t: "CAP_" in t, 5), agent.stderr.text()
        assert not eventually(lambda: agent.status is not None, 1)
        agent.signal(signal.SIGTERM)
        assert agent.wait() == 1


def test_waiting_line_has_the_hint(needs_root, needs_bpf):
    """Alone in its pid namespace: after 5 s it says what is missing from the pod."""
    alone = ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc"]
    with Child([program()], env=environment({"OTEL_GO_AUTO_TARGET_EXE": "/hello"}),
               prefix=alone) as agent:
        assert agent.stderr.wait(lambda t: "shareProcessNamespace" in t, 12), agent.stderr.text()
        assert "/hello" in agent.stderr.text()
