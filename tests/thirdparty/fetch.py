# SPDX-License-Identifier: Apache-2.0
"""Gets programs that nobody here wrote, without installing them, into build/thirdparty.

Debian packages are downloaded and unpacked: the machine's own release, or another suite through an
apt state of our own, so that nothing of the machine changes. Go modules are built by `go install`.
"""
import os
import pathlib
import subprocess

from harness.build import NEWEST, ROOT

PLACE = ROOT / "build/thirdparty"


class CannotFetch(Exception):
    pass


def _run(argv, cwd=None, env=None, timeout=600):
    try:
        return subprocess.run([str(a) for a in argv], cwd=cwd, env={**os.environ, **(env or {})},
                              check=True, capture_output=True, timeout=timeout, text=True).stdout
    except FileNotFoundError as e:
        raise CannotFetch(f"{argv[0]} is not installed") from e
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as e:
        text = (e.stderr or "").strip().splitlines()[-1:] or [str(e)]
        raise CannotFetch(f"{argv[0]}: {text[0]}") from e


def debian(package, suite=None):
    """Folder with PACKAGE unpacked; SUITE is e.g. "sid", None the machine's own release."""
    out = PLACE / f"{package}-{suite or 'own'}"
    if not out.exists():
        downloads = PLACE / "downloads" / out.name
        downloads.mkdir(parents=True, exist_ok=True)
        env = {"APT_CONFIG": str(_apt(suite))} if suite else None
        if not list(downloads.glob("*.deb")):
            _run(["apt-get", "-q", "download", package], cwd=downloads, env=env)
        file, = downloads.glob("*.deb")
        _run(["dpkg-deb", "-x", file, out.with_suffix(".part")])
        out.with_suffix(".part").rename(out)
    return out


def _apt(suite):
    """apt.conf of a private state that knows SUITE only."""
    home = PLACE / "apt" / suite
    config = home / "apt.conf"
    if not (home / "updated").exists():
        for folder in ("lists/partial", "cache/archives/partial"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        sources = pathlib.Path("/etc/apt/sources.list.d/debian.sources")
        mirror = "http://deb.debian.org/debian"
        if sources.exists():
            mirror = next((line.split()[1] for line in sources.read_text().splitlines()
                           if line.startswith("URIs:")), mirror)
        key = "/usr/share/keyrings/debian-archive-keyring.gpg"
        (home / "sources.list").write_text(f"deb [signed-by={key}] {mirror} {suite} main\n")
        config.write_text(f'Dir::State::lists "{home}/lists"; Dir::Cache "{home}/cache";\n'
                          f'Dir::Etc::sourcelist "{home}/sources.list";\n'
                          'Dir::Etc::sourceparts "-";\n'
                          'Acquire::Languages "none";\n')
        _run(["apt-get", "-q", "update"], env={"APT_CONFIG": str(config)})
        (home / "updated").touch()
    return config


def go_module(path, version):
    """Folder whose bin/ has the program that `go install PATH@VERSION` makes."""
    out = PLACE / f"{path.rsplit('/', 1)[-1]}-{version}"
    if not (out / "bin").exists():
        part = out.with_suffix(".part")
        _run(["go", "install", "-trimpath", "-ldflags=-s -w", f"{path}@{version}"], timeout=1200,
             env={"GOBIN": str(part / "bin"), "GOTOOLCHAIN": f"go{NEWEST}", "GOFLAGS": "",
                  "CGO_ENABLED": "0"})
        part.rename(out)
    return out
