# SPDX-License-Identifier: Apache-2.0
"""The demo: two services and a database, and what `make demo` shows of them."""
import collections
import contextlib
import os
import pathlib
import subprocess

import pytest

from harness import gospan, otlp, skip
from harness.build import ROOT
from harness.demo import HABITS, Demo

KINDS = {1: "internal", 2: "server", 3: "client"}

ORDERED = """
shop server POST /order
  shop client POST
    warehouse server POST /orders
      warehouse client BEGIN
      warehouse client UPDATE products
      warehouse client INSERT orders
      warehouse client COMMIT
"""
PRODUCT = """
shop server GET /api/v1/product/{id}
  shop client warehouse.Catalogue/Product
    warehouse server warehouse.Catalogue/Product
      warehouse client SELECT products
"""
CART = """
shop server GET /cart/{id}
  shop client GET
    warehouse server GET /carts/{id}
      warehouse client SELECT carts products
"""
SUGGESTED = """
shop server GET /suggest/{customer}
  shop client warehouse.Catalogue/Bought
    warehouse server warehouse.Catalogue/Bought
      warehouse client SELECT orders products
"""
# Path (and status) of a customer's request -> all there must be of its trace.
TREES = {
    ("/api/v1/product/1", 200): PRODUCT, ("/api/v1/product/2", 200): PRODUCT,
    ("/api/v1/product/3", 200): PRODUCT, ("/api/v1/product/99", 404): PRODUCT,
    ("/cart/42", 200): CART, ("/cart/7", 200): CART, ("/cart/8", 200): CART,
    ("/order", 201): ORDERED,
    ("/order", 500): """
shop server POST /order !
  shop client POST !
    warehouse server POST /orders !
      warehouse client BEGIN
      warehouse client UPDATE products !
      warehouse client ROLLBACK
""",
    ("/suggest/ada", 200): SUGGESTED,
    ("/suggest/zoe", None): SUGGESTED.replace("{customer}", "{customer} !"),
    ("/report", 200): """
shop server GET /report
  shop client GET
    warehouse server GET /sales
      warehouse client SELECT orders products
      warehouse client SELECT orders
""",
    ("/api/v1/visits/1", 500): """
shop server GET /api/v1/visits/{id} !
""",
}
# An error of the call, but none of the server.
TREES["/api/v1/product/99", 404] = PRODUCT.replace("shop client warehouse.Catalogue/Product",
                                                   "shop client warehouse.Catalogue/Product !")


@pytest.fixture(scope="module")
def traces(needs_bpf, tmp_path_factory):
    """The spans of 17 requests by trace, of two services that were traced by one agent."""
    directory = tmp_path_factory.mktemp("demo")
    with Demo(directory) as demo, gospan.Gospan(directory, "trace", *demo.targets) as agent:
        agent.wait_ready(2, 100)
        demo.send()
        spans = agent.stop()
    by_trace = collections.defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    return by_trace


def tree(spans, parent="", depth=0):
    """Spans below PARENT, a line each, as they start."""
    text = ""
    for span in sorted(spans, key=lambda s: s.start_ns):
        if span.parent_id == parent:
            failed = " !" if span.status == otlp.ERROR else ""
            text += (f"{'  ' * depth}{span.resource['service.name']} {KINDS[span.kind]} "
                     f"{span.name}{failed}\n")
            text += tree(spans, span.span_id, depth + 1)
    return text


def requests_for(traces, prefix):
    """[((path, status), tree)] of the requests for paths that begin so."""
    found = []
    for spans in traces.values():
        root = next((s for s in spans if not s.parent_id), None)
        if root and (root["url.path"] or "").startswith(prefix) and \
                root.resource["service.name"] == "shop":
            shown = "\n" + tree(spans)
            assert shown.count("\n") - 1 == len(spans), f"not connected: {spans}"
            found.append(((root["url.path"], root["http.response.status_code"]), shown))
    return found


@pytest.mark.parametrize("prefix, count", [
    ("/api/v1/product/", 5), ("/suggest/", 2), ("/cart/", 4), ("/order", 4), ("/report", 1),
    ("/api/v1/visits/", 1)])
def test_every_request_is_one_tree(traces, prefix, count):
    found = requests_for(traces, prefix)
    assert len(found) == count
    for request, shown in found:
        assert shown == TREES[request], request


def test_nothing_but_the_requests_is_there(traces):
    assert len(traces) == HABITS


def test_a_slow_query_that_is_not_slow(traces):
    """It waited for the pool's only connection while the report's other query held that."""
    (waiting,) = [s for spans in traces.values() for s in spans if s.name == "SELECT orders"]
    assert waiting.duration_ms >= 100
    assert waiting["gospan.db.pool_wait"] * 1000 >= 0.8 * waiting.duration_ms


def test_what_failed_says_why(traces):
    spans = [s for spans in traces.values() for s in spans if s.status == otlp.ERROR]
    said = {s.name: s.message for s in spans if s.message}
    assert "CHECK constraint failed: enough_in_stock" in said["UPDATE products"]
    assert said["warehouse.Catalogue/Product"] == "no product 99"


# -- scripts/demo itself --

DEMO = ROOT / "build/demo"


def run_demo(*prefix):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OTEL_", "GOSPAN_", "MAKE"))}
    return subprocess.run([*prefix, ROOT / "scripts/demo"], env=env, capture_output=True, text=True,
                          timeout=280)


def still_running():
    """Programs of the demo, and an agent that traces them."""
    found = []
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            exe = os.readlink(directory / "exe")
            command = (directory / "cmdline").read_text().replace("\0", " ")
            if exe.startswith(str(DEMO)) or (exe == str(ROOT / "build/gospan") and "--pid" in command):
                found.append(command)
    return found


def test_it_shows_trees_and_leaves_nothing_behind(needs_bpf, needs_root):
    done = run_demo()
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    slow = next(i for i, line in enumerate(lines) if "/sales" in line and "└ GET /sales" in line)
    assert "  GET /report " in lines[slow - 2] and "  └ GET " in lines[slow - 1]
    assert any("for a connection" in line for line in lines[slow + 1:slow + 3])
    assert "0 dropped" in done.stderr
    assert still_running() == []


def test_where_bpf_is_refused_it_says_so(needs_root):
    skip.unless_installed("setpriv")
    done = run_demo("setpriv", "--bounding-set", "-bpf,-sys_admin,-perfmon", "--inh-caps",
                    "-bpf,-sys_admin,-perfmon")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "demo: this machine does not let gospan trace" in done.stdout
    assert "gospan inspect build/demo/shop" in done.stdout
    assert still_running() == []
