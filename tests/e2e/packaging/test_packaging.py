# SPDX-License-Identifier: Apache-2.0
"""make install and what it puts where: the manual, the systemd unit, the image's root."""
import os
import pathlib
import shutil
import subprocess

import pytest

from harness import skip
from harness.gospan import program

ROOT = pathlib.Path(__file__).resolve().parents[3]
SETTINGS = "etc/default/gospan"
INSTALLED = {
    "usr/bin/gospan", "usr/share/man/man8/gospan.8", "usr/lib/systemd/system/gospan.service",
    SETTINGS,
}


def run(*argv, **kwargs):
    return subprocess.run(list(map(str, argv)), capture_output=True, text=True, timeout=120,
                          cwd=ROOT, **kwargs)


def make(*args):
    # Ours is no part of the make that runs the tests.
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = run("make", "-s", *args, env=env)
    assert done.returncode == 0, done.stderr


def files_below(directory):
    return {str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()}


@pytest.fixture
def installed(tmp_path):
    """What packagers do: into a directory, for /usr."""
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/usr", f"B={program().parent}")
    return tmp_path


def test_install_and_uninstall(installed):
    assert files_below(installed) == INSTALLED
    assert os.access(installed / "usr/bin/gospan", os.X_OK)
    version = run(installed / "usr/bin/gospan", "version")
    assert version.returncode == 0 and version.stdout
    make("uninstall", f"DESTDIR={installed}", "PREFIX=/usr")
    assert files_below(installed) == {SETTINGS}


def test_settings_survive_an_upgrade(installed):
    settings = installed / SETTINGS
    settings.write_text("OTEL_SERVICE_NAME=mine\n")
    make("install", f"DESTDIR={installed}", "PREFIX=/usr", f"B={program().parent}")
    assert settings.read_text() == "OTEL_SERVICE_NAME=mine\n"


def test_unit_is_well_formed(installed, tmp_path):
    skip.unless_installed("systemd-analyze")
    unit = installed / "usr/lib/systemd/system/gospan.service"
    text = unit.read_text()
    assert "ExecStart=/usr/bin/gospan\n" in text
    # The program is not in / while tests run: verify looks whether it is there.
    copy = tmp_path / "gospan.service"
    copy.write_text(text.replace("ExecStart=/usr/bin/gospan", f"ExecStart={program()}"))
    done = run("systemd-analyze", "verify", "--man=no", copy)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_manual_is_well_formed():
    skip.unless_installed("mandoc")
    done = run("mandoc", "-T", "lint", "scripts/gospan.8")
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_image_root_runs_without_a_shell(tmp_path, needs_root):
    skip.unless_installed("ldd", "chroot", "strip")
    done = run("scripts/image-root", tmp_path)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "bin/sh").exists() and not (tmp_path / "usr/bin/sh").exists()
    assert {p.name for p in (tmp_path / "usr/bin").iterdir()} == {"gospan"}
    version = run("chroot", tmp_path, "/usr/bin/gospan", "version")
    assert version.returncode == 0 and version.stdout, version.stderr
    shutil.copy(ROOT / "Makefile", tmp_path)  # no ELF: a message, not a missing library
    inspected = run("chroot", tmp_path, "/usr/bin/gospan", "inspect", "/Makefile")
    assert inspected.returncode == 1 and "not" in inspected.stderr
