# SPDX-License-Identifier: Apache-2.0
"""curl, for HTTP/2 and for single requests that need no raw bytes."""
import subprocess


def get(url, *args, timeout=10):
    """(status, body) of one request; status 0 if there was no answer."""
    done = subprocess.run(["curl", "-sk", "-m", str(timeout), "-w", "\n%{http_code}", *args, url],
                          capture_output=True, timeout=timeout + 5)
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status or 0), body
