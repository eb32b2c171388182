# SPDX-License-Identifier: Apache-2.0
"""The corners of the matrix; `make matrix` runs all of it."""
import pytest

from harness import build
from matrix import builds


@pytest.mark.parametrize("mode", ["default", "pie stripped"])
@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.27.1"])
def test_200_requests_200_right_spans(needs_bpf, tmp_path, version, mode):
    try:
        builds.check_cell(version, mode, tmp_path)
    except build.CannotBuild as e:
        pytest.skip(str(e))
