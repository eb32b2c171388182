# SPDX-License-Identifier: Apache-2.0
"""What another clang than this distribution's makes of bpf/: its code differs, in what the verifier
counts above all (instructions followed, stack)."""
import re

import pytest

from harness import skip
from harness.gospan import program

from .test_packaging import make, run

NEWEST = "clang-19"  # Debian 13's own


def test_the_newest_clang_s_programs_load(tmp_path):
    skip.unless_installed(NEWEST)
    build = program().parent
    make(f"B={build}", f"{build}/kernels/load")
    make(f"B={tmp_path}", f"CLANG={NEWEST}", f"{tmp_path}/bpf/gospan.o")
    done = run(build / "kernels/load", tmp_path / "bpf/gospan.o")
    if "skip load" in done.stdout:
        pytest.skip(done.stdout.strip())
    loaded, refused = re.search(r"load: (\d+) programs loaded, (\d+) refused", done.stdout).groups()
    assert done.returncode == 0 and int(loaded) > 100 and refused == "0", done.stdout
