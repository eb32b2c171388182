# SPDX-License-Identifier: Apache-2.0
"""Builds the programs of harness/go and the demo: any of them, any Go version, any build mode, each
once.

A built program is kept in build/fixtures/e2e under a name that ends in a hash of all it was made
from, so that an edit makes a new one and nothing else does.
"""
import dataclasses
import fcntl
import hashlib
import os
import pathlib
import shutil
import struct
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests/harness/go"
CACHE = ROOT / "build/fixtures/e2e"

VERSIONS = ["1.19.13", "1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.9", "1.25.7", "1.26.8",
            "1.27.1"]
NEWEST = VERSIONS[-1]

STRIP = {"arm64": "aarch64-linux-gnu-strip"}


@dataclasses.dataclass(frozen=True)
class Mode:
    args: tuple = ()
    cgo: bool = False
    since: tuple = (1, 19)
    profile: bool = False       # needs the profile of an earlier run
    strip: bool = False         # GNU strip afterwards
    no_sections: bool = False   # section headers and what only they reach are removed afterwards


MODES = {
    "default": Mode(),
    "-s -w": Mode(("-ldflags=-s -w",)),
    "pie stripped": Mode(("-buildmode=pie",), strip=True),
    "cgo external": Mode(("-tags=cgolink", "-ldflags=-linkmode=external"), cgo=True),
    "-race": Mode(("-race",), cgo=True),
    "-N -l": Mode(("-gcflags=all=-N -l",)),
    "pgo": Mode(since=(1, 21), profile=True),
    "no sections": Mode(no_sections=True),
}

# What the tests outside of matrix/ use, so that a run of all can build them before the first test.
SUITE = [("client", NEWEST, "default"), ("nohttp", NEWEST, "default"), ("nohttp", NEWEST, "-s -w"),
         ("httph2c", NEWEST, "default"), ("httpotel", NEWEST, "default"),
         ("likeotelcol", NEWEST, "default"), ("otelcol", NEWEST, "default")]
SUITE += [(f"demo-shop/{name}", NEWEST, "-s -w") for name in ("warehouse", "shop", "customers")]
SUITE += [("panics", *of) for of in (
    ("1.19.13", "default"), ("1.24.9", "pie stripped"), (NEWEST, "default"), (NEWEST, "-race"))]
SUITE += [("httpserver", version, "default") for version in (
    "1.19.13", "1.21.13", "1.22.12", "1.24.9", "1.26.8", NEWEST)]
SUITE += [("httpserver", "1.19.13", mode) for mode in ("pie stripped", "-race", "-N -l")]
SUITE += [("httpserver", "1.24.9", "pie stripped")]
SUITE += [("httpserver", NEWEST, mode) for mode in MODES if mode not in ("default", "cgo external")]


class CannotBuild(Exception):
    """This machine cannot build it (no toolchain, no network); the text says why."""


def minor(version):
    """(1, 24) of "1.24.13"."""
    return tuple(int(part) for part in version.split(".")[:2])


def has_patterns(version):
    """ServeMux of this version matches methods and wildcards, so that there are routes."""
    return minor(version) >= (1, 22)


def exists(version, mode):
    return minor(version) >= MODES[mode].since


def build(name, version=NEWEST, mode="default", language=None, modules=(), tags=(), arch=None):
    """Path of program NAME: of harness/go, or of the demo as "demo-shop/shop".

    LANGUAGE is the `go` line of its go.mod, the version's own if None; a program that needs more than
    the standard library has its own go.mod, with the oldest versions it builds with. MODULES are
    (path, version) pairs that it is built with instead, at least. TAGS are build tags, ARCH is another
    GOARCH than this machine's.
    """
    assert exists(version, mode), f"there is no {mode} in Go {version}"
    language = language or "%d.%d" % minor(version)
    profile = _profile(name, version) if MODES[mode].profile else None
    key = hashlib.sha256(repr((version, mode, MODES[mode], language)).encode())
    key.update(repr((modules, tags)).encode() if modules or tags else b"")
    key.update(arch.encode() if arch else b"")
    sources = sorted(path for path in _module(name).rglob("*") if path.is_file())
    for path in sources + ([profile] if profile else []):
        key.update(path.read_bytes())
    label = "".join(c if c.isalnum() else "-" for c in mode).strip("-")
    out = CACHE / "-".join([name.replace("/", "-"), *tags, version, label, key.hexdigest()[:10]])
    with _lock(out):
        if not out.exists():
            _compile(name, version, MODES[mode], language, profile, modules, tags, arch, out)
    return out


def _module(name):
    module, _, package = name.partition("/")
    return ROOT / "scripts" / module if package else SOURCES / module


def _compile(name, version, mode, language, profile, modules, tags, arch, out):
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        scratch = pathlib.Path(scratch)
        tree = shutil.copytree(_module(name), scratch / "tree")
        if not (tree / "go.mod").exists():
            (tree / "go.mod").write_text(f"module example.test/{name}\n\ngo {language}\n")
        for path, wanted in modules:
            _run(["go", "mod", "edit", f"-require={path}@v{wanted}"], tree, version, False)
        args = [f"-pgo={profile}", *mode.args] if profile else [*mode.args]
        if tags:
            args = _with_tags(args, tags)
        binary = scratch / "binary"
        _run(["go", "build", *args, "-o", binary, "./" + name.partition("/")[2]], tree, version, mode.cgo,
             arch)
        if mode.strip:
            _run([STRIP.get(arch, "strip"), binary], tree, version, False)
        if mode.no_sections:
            remove_sections(binary)
        binary.rename(out)


def _with_tags(args, tags):
    """The last -tags= is the only one that counts."""
    given = [arg.partition("=")[2] for arg in args if arg.startswith("-tags=")]
    return [*args, "-tags=" + ",".join([*given, *tags])]


def _run(argv, cwd, version, cgo, arch=None):
    env = {**os.environ, "GOTOOLCHAIN": f"go{version}", "GOFLAGS": "-mod=mod -buildvcs=false",
           "GO111MODULE": "on", "GOWORK": "off", "CGO_ENABLED": "1" if cgo else "0"}
    if arch:
        env["GOARCH"] = arch
    try:
        subprocess.run(argv, cwd=cwd, env=env, check=True, capture_output=True, timeout=900)
    except FileNotFoundError as e:
        raise CannotBuild(f"{argv[0]} is not installed") from e
    except subprocess.CalledProcessError as e:
        raise CannotBuild(f"Go {version}: {e.stderr.decode(errors='replace')[-2000:]}") from e


def _profile(name, version):
    """A CPU profile of the default build under load, for profile-guided optimisation."""
    from . import client, server
    plain = build(name, version)
    out = plain.with_suffix(plain.suffix + ".pgo")
    with _lock(out):
        if not out.exists():
            partial = out.with_suffix(".part")
            with server.Server(plain, "-profile", str(partial)) as traced:
                client.load(traced.http, 10 ** 9, 8, brief=True, seconds=3)
                client.load(traced.https, 10 ** 9, 2, mode="h2", brief=True, seconds=1)
                traced.exit()
            partial.rename(out)
    return out


def remove_sections(path):
    """Cuts the file after its last segment; the ELF header says that there are no sections."""
    data = bytearray(path.read_bytes())
    phoff, = struct.unpack_from("<Q", data, 32)
    phentsize, phnum = struct.unpack_from("<HH", data, 54)
    end = 0
    for at in range(phoff, phoff + phnum * phentsize, phentsize):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind in (1, 4):  # PT_LOAD, PT_NOTE
            end = max(end, offset + size)
    struct.pack_into("<Q", data, 40, 0)
    struct.pack_into("<HHH", data, 58, 0, 0, 0)
    path.write_bytes(data[:end])


class _lock:
    """One builder a program, also across pytest processes."""

    def __init__(self, path):
        CACHE.mkdir(parents=True, exist_ok=True)
        self.path = CACHE / f".{path.name}.lock"

    def __enter__(self):
        self.file = open(self.path, "w")
        fcntl.flock(self.file, fcntl.LOCK_EX)

    def __exit__(self, *_):
        self.file.close()


def agent_with(directory, files):
    """An agent with further BPF FILES (path: text), built in DIRECTORY from a copy of the sources and
    of what is built already, so that little is left to do."""
    tree = directory / "gospan"
    tree.mkdir()
    shutil.copy2(ROOT / "Makefile", tree)
    for name in ("bpf", "agent", "offsets", "otlp", "scripts"):
        shutil.copytree(ROOT / name, tree / name)
    for name in ("agent", "bpf", "gen", "offsets", "otlp"):
        if (ROOT / "build" / name).is_dir():
            shutil.copytree(ROOT / "build" / name, tree / "build" / name)
    for path, text in files.items():
        (tree / path).write_text(text)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "SAN")}
    made = subprocess.run(["make", "-j2", "all"], cwd=tree, env=env, capture_output=True, text=True,
                          timeout=280)
    assert made.returncode == 0, made.stdout + made.stderr
    assert all((tree / "build" / path.replace(".c", ".o")).exists() for path in files)
    return tree / "build/gospan"
