# SPDX-License-Identifier: Apache-2.0
"""What the agent itself costs: CPU a span, memory, starting, stopping, reading facts."""
import json
import os
import statistics
import subprocess
import time

from harness.gospan import DONE, environment
from harness.process import Child

from . import machine
from .world import AGENT_SETTINGS, Server, Sink

SETTLE_SECONDS = 1.0
STORM_SECONDS = 2


def _settled(sink):
    """Waits until no more spans come; how many came."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < SETTLE_SECONDS:
        spans = sink.count()["spans"]
        if spans != last:
            last, since = spans, time.monotonic()
        time.sleep(0.1)
    return last


def storm(build, go, rate):
    """A producer in memory against the agent on its own CPU: at RATE, with queue and batches as they are
    by default, or as fast as it can (0: one header, as reading more would slow it down), with a queue
    for that."""
    settings = {"OTEL_BSP_SCHEDULE_DELAY": "200", **({} if rate else AGENT_SETTINGS)}
    with Sink(build) as sink, Server(build, go, "gospan") as server:
        server.trace(sink.endpoint, settings)
        start = machine.cpu_seconds(server.agent.pid)
        produced = server.storm(8 if rate else 1, STORM_SECONDS, rate)
        spans = _settled(sink)
        cpu = machine.cpu_seconds(server.agent.pid) - start
        rest, ring = machine.resident_bytes(server.agent.pid)
        maps = machine.bpf_map_bytes(server.agent.pid)
        bytes_a_span = sink.count()["bytes"] / spans
        said = server.stop()
    done = DONE.search([line for line in said.splitlines() if line.startswith("gospan: done")][-1])
    return {"rate": produced["requests"] / produced["seconds"], "requests": produced["requests"],
            "spans": spans, "dropped": int(done["dropped"]), "reasons": done["reasons"] or "",
            "cpu_us": cpu / spans * 1e6, "rss": rest, "ring": ring, "maps": maps,
            "bytes": bytes_a_span}


def start_and_stop(build, go, rounds):
    """Milliseconds from exec to ready, to the first span on the screen, and from SIGINT to exit."""
    found = {"ready": [], "first span": [], "stop": []}
    with Server(build, go, "none") as server:
        load = Child([*machine.pinned(1), build / "bench/load", "rate", "-address",
                      f"127.0.0.1:{server.port}", "-path", "/item/42", "-rate", "500", "-seconds",
                      str(rounds * 2)])
        with load:
            for _ in range(rounds):
                start = time.monotonic()
                with Child([build / "gospan", "trace", "--pid", server.pid],
                           env=environment()) as agent:
                    agent.stderr.wait(lambda line: "ready" in line, 10)
                    found["ready"].append((time.monotonic() - start) * 1e3)
                    agent.stdout.wait(lambda line: "/item/" in line, 10)
                    found["first span"].append((time.monotonic() - start) * 1e3)
                    time.sleep(0.2)
                    start = time.monotonic()
                    agent.signal(2)
                    agent.popen.wait(10)
                    found["stop"].append((time.monotonic() - start) * 1e3)
    return {what: statistics.median(times) for what, times in found.items()}


def idle_cpu(build, go, seconds=2):
    """Share of a core that an agent takes whose target does nothing."""
    with Sink(build) as sink, Server(build, go, "gospan") as server:
        server.trace(sink.endpoint)
        time.sleep(0.5)
        start = machine.cpu_seconds(server.agent.pid)
        time.sleep(seconds)
        return (machine.cpu_seconds(server.agent.pid) - start) / seconds


def large_executable():
    """A Go program of 100 MB: BENCH_EXE, or what `make thirdparty` fetched. None: there is none."""
    if os.environ.get("BENCH_EXE"):
        return os.environ["BENCH_EXE"]
    found = subprocess.run(["find", "../build/thirdparty", "-type", "f", "-perm", "-u+x", "-size",
                            "+90M", "-name", "prometheus"], capture_output=True, text=True,
                           check=False).stdout.split()
    return found[0] if found else None


def read_facts(build, path, rounds):
    """Median ms of reading the facts of PATH, warm, and the most memory it took."""
    took, memory = [], []
    for _ in range(rounds):
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            inspect = subprocess.Popen([build / "gospan", "inspect", "--json", path],
                                       stdout=subprocess.PIPE, stderr=nowhere)
            report = json.load(inspect.stdout)
            _, _, usage = os.wait4(inspect.pid, 0)
        took.append(report["elapsed_ms"])
        memory.append(usage.ru_maxrss * 1024)
    return {"path": path, "size": os.path.getsize(path), "ms": statistics.median(took),
            "spread": (min(took), max(took)), "rss": max(memory)}


def site_costs(build, program, go):
    """{program: cost of its sites} as the agent plans them; "mixed" where that depends on the site."""
    out = subprocess.run([build / "gospan", "inspect", "--json", build / f"bench/{program}-{go}"],
                         capture_output=True, text=True, check=True).stdout
    found = {}
    for probe in json.loads(out)["probes"]:
        if probe.get("site"):
            cost = probe["site"]["cost"]
            found[probe["program"]] = (cost if found.get(probe["program"], cost) == cost
                                       else "mixed")
    return found


def measure(build, go, rounds, tell):
    found = {"steady": storm(build, go, 20000), "flat out": storm(build, go, 0)}
    tell("agent: producer in memory done")
    found["times"] = start_and_stop(build, go, rounds)
    found["idle"] = idle_cpu(build, go)
    tell("agent: starting and stopping done")
    path = large_executable()
    found["facts"] = read_facts(build, path, 9) if path else None
    found["sites"] = site_costs(build, "app", go)
    return found
