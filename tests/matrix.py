# SPDX-License-Identifier: Apache-2.0
"""`make matrix`: every Go version in every build mode.

Each cell starts the server, attaches to the running process by pid, sends 200 requests on 8
connections and must see exactly 200 spans with right names, routes, statuses and remote parents.
The table goes to stdout; reasons of failures follow it. usage: tests/matrix.py [GO_VERSION...]
"""
import pathlib
import sys
import tempfile

from harness import build, client, expect, process
from harness.gospan import Gospan
from harness.server import Server

REQUESTS, CONNECTIONS = 200, 8


def check_cell(version, mode, folder):
    """Raises what is wrong. FOLDER is for the agent's file."""
    with Server(build.build("httpserver", version, mode)) as server:
        client.load(server.http, 20, 2).check()  # it was running before the agent came
        with Gospan(folder, "trace", "--pid", server.pid) as agent:
            agent.wait_ready()
            report = client.load(server.http, REQUESTS, CONNECTIONS, first=1000).check()
            agent.wait_spans(REQUESTS)
            spans = agent.stop()
        server.exit()
    assert len(report.requests) == REQUESTS
    expect.spans_match(spans, report.requests, build.has_patterns(version), server.http)


def cell(version, mode):
    """(text of the cell, reason if it failed)"""
    if not build.exists(version, mode):
        return "n/a", None
    try:
        with tempfile.TemporaryDirectory() as folder:
            check_cell(version, mode, pathlib.Path(folder))
        return "ok", None
    except build.CannotBuild as e:
        return "not built", str(e)
    except Exception as e:
        return "FAILED", f"{type(e).__name__}: {e}"
    finally:
        process.kill_all()


def main(versions):
    width = max(len(mode) for mode in build.MODES) + 1
    print("Go".ljust(9) + "".join(mode.ljust(width) for mode in build.MODES))
    reasons, counts = [], {"ok": 0, "FAILED": 0, "not built": 0, "n/a": 0}
    for version in versions:
        print(version.ljust(9), end="", flush=True)
        for mode in build.MODES:
            text, reason = cell(version, mode)
            counts[text] += 1
            if reason:
                reasons.append(f"Go {version}, {mode}: {reason}")
            print(text.ljust(width), end="", flush=True)
        print()
    print(*reasons, sep="\n\n")
    print(f"{counts['ok']} passed, {counts['FAILED']} failed, {counts['not built']} skipped")
    return 1 if counts["FAILED"] or not counts["ok"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or build.VERSIONS))
