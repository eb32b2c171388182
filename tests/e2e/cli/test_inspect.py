# SPDX-License-Identifier: Apache-2.0
"""inspect: what is in an executable; hostile files end in one clear line."""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time

import pytest

from harness import build, skip
from harness.gospan import program, run


def inspect(path, *args):
    begun = time.monotonic()
    status, out, err = run("inspect", *args, path)
    assert time.monotonic() - begun < 10
    assert "Sanitizer" not in err and "runtime error:" not in err, err
    assert status in (0, 1), (status, err)
    return status, out, err


@pytest.mark.parametrize("version", ["1.19.13", "1.24.9", "1.27.1"])
@pytest.mark.parametrize("mode", ["default", "pie stripped"])
def test_json(version, mode):
    path = skip.build("httpserver", version, mode)
    status, out, err = inspect(path, "--json")
    assert status == 0, err
    got = json.loads(out)
    assert got["path"] == str(path)
    assert version in got["go_version"]
    assert got["arch"] == "amd64"
    assert (got["pie"], got["stripped"]) == ("pie" in mode, "stripped" in mode)
    assert got["module"] == "example.test/httpserver"
    library = {lib["name"]: lib for lib in got["libraries"]}["net/http"]
    assert library["status"] == "on", library
    probes = got["probes"]
    assert {p["kind"] for p in probes} <= {"entry", "return", "call"}
    # Only the hot path must be cheap; what runs once a panic may be stepped.
    hot = [p for p in probes if p["status"] == "on" and "serverHandler" in p["function"]]
    assert hot and {p["site"]["cost"] for p in hot} <= {"emulated", "optimized"}, hot
    fields = {f["name"]: f for f in got["fields"]}
    assert fields["net/http.Request.Method"]["offset"] == 0
    assert fields["net/http.Request.Method"]["source"] == "type data"


def test_text_and_pid(target):
    status, out, _ = run("inspect", "--pid", target.pid)
    assert status == 0
    assert "net/http" in out and "1.27.1" in out


def test_libraries_that_are_not_linked_take_one_line():
    out = inspect(skip.build("nohttp"))[1]
    assert re.search(r"^not linked: (.*, )?net/http(,|$)", out, re.M), out
    assert "  off " not in out
    out = inspect(skip.build("httpserver"))[1]
    assert re.search(r"^net/http +on$", out, re.M), out
    assert "  off " in out, "what is off in a linked library is told"
    (others,) = re.findall(r"^not linked: (.*)", out, re.M)
    assert "net/http" not in others.split(", ")


def test_offsets_agree_with_dwarf():
    """Unstripped build: what type data says is compared with what DWARF says of the same fields."""
    skip.unless_installed("readelf")
    path = skip.build("httpserver")
    fields = json.loads(inspect(path, "--json")[1])["fields"]
    wanted = {f["name"]: f["offset"] for f in fields
              if f["name"].startswith("net/http.") and f["name"].count(".") == 2}
    assert len(wanted) > 5
    found = dwarf_offsets(path, {name.rsplit(".", 1)[0] for name in wanted})
    assert {name: found.get(name) for name in wanted} == wanted


NAME = re.compile(r"DW_AT_name\s*: (?:\(\w+\) )?(?:\(.*?offset: \w+\): )?(.*?)\s*$")
MEMBER = re.compile(r"DW_AT_data_member_location: (?:\(\w+\) )?(\w+)")


def dwarf_offsets(path, structs):
    """{"net/http.Request.Method": offset} of the DW_TAG_structure_types named in STRUCTS."""
    text = subprocess.run(["readelf", "--debug-dump=info", "-W", path], capture_output=True,
                          timeout=100).stdout.decode(errors="replace")
    found, struct, member = {}, None, None
    for line in text.splitlines():
        if "(DW_TAG_structure_type)" in line:
            struct, member = "?", None
        elif "(DW_TAG_member)" in line:
            member = "?"
        elif "(DW_TAG_" in line:
            struct = None
        elif struct and (name := NAME.search(line)):
            if member is None:
                struct = name[1] if name[1] in structs else None
            else:
                member = name[1]
        elif struct and (offset := MEMBER.search(line)):
            found[f"{struct}.{member}"] = int(offset[1], 0)
    return found


def test_require():
    server, without = skip.build("httpserver"), skip.build("nohttp")
    assert inspect(server, "--require", "net/http")[0] == 0
    status, _, err = inspect(without, "--require", "net/http")
    assert status == 1 and "net/http" in err


def test_require_a_router_by_a_short_name():
    modules = (("github.com/go-chi/chi/v5", "5.1.0"),)
    program = skip.build("routers", "1.24.9", modules=modules, tags=("chi",))
    assert inspect(program, "--require", "chi,chi/v5,github.com/go-chi/chi/v5,http")[0] == 0
    status, out, err = inspect(program, "--require", "gin,grpc,chi/v4")
    assert status == 1
    for name, why in (("gin", "not linked"), ("grpc", "not linked"), ("chi/v4", "does not know")):
        assert re.search(rf"inspect: {name} would not be traced .*{why}", err), err
    assert re.search(r"^github.com/go-chi/chi/v5 +on$", out, re.M), out
    assert "gorilla" not in re.sub(r"^not linked: .*", "", out, flags=re.M), "one word is enough"


def test_go_program_without_net_http():
    status, out, _ = inspect(skip.build("nohttp"), "--json")
    assert status == 0
    library = {lib["name"]: lib for lib in json.loads(out)["libraries"]}["net/http"]
    assert library["status"] == "off" and library["reason"]


@pytest.fixture
def hostile(tmp_path):
    return lambda data: (tmp_path / "hostile").write_bytes(data) and tmp_path / "hostile"


def one_line(path):
    status, _, err = inspect(path)
    assert status == 1
    assert len(err.strip().splitlines()) == 1, err
    return err


def test_no_such_file(tmp_path):
    one_line(tmp_path / "nothing")


def test_folder(tmp_path):
    one_line(tmp_path)


def test_empty(tmp_path):
    (tmp_path / "empty").touch()
    one_line(tmp_path / "empty")


def test_text(hostile):
    one_line(hostile(b"#!/bin/sh\nexit 0\n"))


def test_not_go():
    assert "Go" in one_line("/bin/true")


def test_fifo_and_device(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    one_line(tmp_path / "fifo")
    one_line("/dev/zero")


def cross(arch):
    """The smallest program of ours for another architecture."""
    out = build.CACHE / f"nohttp-{arch}"
    if not out.exists():
        build.CACHE.mkdir(parents=True, exist_ok=True)
        env = {**os.environ, "GOARCH": arch, "CGO_ENABLED": "0", "GO111MODULE": "off"}
        done = subprocess.run(["go", "build", "-o", out, build.SOURCES / "nohttp/main.go"], env=env,
                              capture_output=True)
        if done.returncode:
            pytest.skip(done.stderr.decode())
    return out


def test_32_bit():
    one_line(cross("386"))


def test_big_endian():
    one_line(cross("s390x"))


def test_arm64_is_understood_or_refused():
    status, _, err = inspect(cross("arm64"))
    assert status == 0 or len(err.strip().splitlines()) == 1


def test_truncated(hostile):
    whole = skip.build("nohttp", mode="-s -w").read_bytes()
    lengths = [1, 3, 4, 15, 16, 63, 64, 65, 119, 120, 400, 1000, 4095, 4096, 4097]
    lengths += [len(whole) * n // 24 for n in range(1, 24)] + [len(whole) - 1]
    for length in lengths:
        inspect(hostile(whole[:length]))


def test_bit_flips(hostile):
    """Half of them in the first 4 KiB, where the headers are; a seed makes a failure repeatable."""
    whole = skip.build("nohttp", mode="-s -w").read_bytes()
    for seed in range(40):
        chance, data = random.Random(seed), bytearray(whole)
        for _ in range(1 + seed % 8):
            data[chance.randrange(4096 if seed % 2 else len(data))] ^= 1 << chance.randrange(8)
        inspect(hostile(bytes(data)))


def test_zeros_after_the_header(hostile):
    whole = skip.build("nohttp").read_bytes()
    inspect(hostile(whole[:4096] + bytes(len(whole) - 4096)))


def test_memory_is_bounded(tmp_path):
    """A file of 8 GiB, nearly all of it a hole: inspect must not touch all of it."""
    path = tmp_path / "sparse"
    path.write_bytes(skip.build("nohttp").read_bytes())
    with open(path, "r+b") as f:
        f.truncate(8 << 30)
    # From a small parent: Linux counts what the parent had before exec to the child's maximum.
    script = "import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); " \
        "print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    done = subprocess.run([sys.executable, "-c", script, program(), "inspect", path],
                          capture_output=True, timeout=20)
    status, maximum_kb = map(int, done.stdout.split()[-2:])
    assert status in (0, 1)
    assert maximum_kb < 200 << 10, "with a sanitizer's share"


def test_words_of_the_file_do_not_reach_the_terminal_raw(tmp_path):
    """A module's path is whatever the file says."""
    module = b"example.test/httpserver"
    path = tmp_path / "hostile"
    path.write_bytes(skip.build("httpserver").read_bytes().replace(
        b"mod\t" + module, b"mod\t" + b"\x1b[2J\xff".ljust(len(module), b"o")))
    status, out, err = inspect(path)
    assert status == 0, err
    assert "module " in out and "\x1b" not in out + err
    status, out, err = inspect(path, "--json")
    assert status == 0, err
    assert json.loads(out)["module"].startswith("\x1b[2J\ufffdoo")


def test_json_of_a_path_that_is_not_utf8(tmp_path):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/sh\xffop")
    shutil.copy(skip.build("httpserver"), path)
    status, out, err = inspect(path, "--json")
    assert status == 0, err
    assert json.loads(out)["path"].endswith("/sh\ufffdop")
