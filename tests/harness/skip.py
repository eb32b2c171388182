# SPDX-License-Identifier: Apache-2.0
"""What a machine cannot do is a skip with its reason, not a failure."""
import shutil

import pytest

from bench import machine

from . import build as builder


def build(name, version=builder.NEWEST, mode="default", language=None, modules=(), tags=()):
    """harness.build.build(), or a skip."""
    try:
        return builder.build(name, version, mode, language, modules, tags)
    except builder.CannotBuild as e:
        pytest.skip(str(e))


def unless_installed(*programs):
    missing = [p for p in programs if shutil.which(p) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


def unless_bpftool():
    if not machine.bpftool():
        pytest.skip("no bpftool that runs on this kernel")
